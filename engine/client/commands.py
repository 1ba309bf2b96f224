"""Answering reviews from a program: commands out, and what became of each back.

Library: kafka-python, as for the emitter: a service that answers needs no compiler and no librdkafka.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from engine.client.sockets import DIRECT_URL
from engine.errors import BrokerError, WireError
from engine.model.audit import AuditEntry, CommandEntry
from engine.model.records import ReviewCommand
from engine.model.time import format_time, from_datetime
from engine.model.topics import AUDIT, FINDINGS, full_name
from engine.wire.encode import encode_record
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from engine.model.records import Verdict
    from engine.model.trigger import ReviewTrigger

_audit = msgspec.json.Decoder(AuditEntry)


class ReviewCommander:
    """Sends commands to the reviews of the installation `prefix` and hears what became of them; a context manager, for
    one thread.

    `seconds` is how long a call may wait for the broker, and the methods named after actions for the engine's answer.
    BrokerError when a topic is missing, or a command is not acknowledged by the broker.
    """

    def __init__(
        self,
        brokers: Sequence[str],
        *,
        prefix: str,
        seconds: float = 30.0,
        api_version: tuple[int, ...] | None = None,
    ) -> None:
        self._findings = full_name(prefix, FINDINGS)
        self._seconds = seconds
        milliseconds = int(seconds * 1_000)
        common = {
            "bootstrap_servers": list(brokers),
            "api_version": api_version,
            "proxy_url": DIRECT_URL,
            "bootstrap_timeout_ms": milliseconds,
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
        }
        audit = TopicPartition(full_name(prefix, AUDIT), 0)
        with ExitStack() as opened:
            try:
                self._consumer = KafkaConsumer(**common, enable_auto_commit=False, auto_offset_reset="earliest")
                opened.callback(self._consumer.close, autocommit=False)
                # Before anything is sent: no answer comes before this place.
                self._consumer.assign([audit])
                self._consumer.seek_to_end(audit)
                self._consumer.position(audit, timeout_ms=milliseconds)
                self._producer = KafkaProducer(**common, acks="all", enable_idempotence=True, max_block_ms=milliseconds)
                opened.callback(self._producer.close, timeout=seconds)
                self._partitions = len(self._producer.partitions_for(self._findings))
            except KafkaError as error:
                raise BrokerError(
                    f"expected the topics {self._findings} and {audit.topic} at {','.join(brokers)}: {error!r}; "
                    "see `counterpoint topics`"
                ) from error
            opened.pop_all()
        self._answers: dict[str, CommandEntry] = {}

    def acknowledge(self, trigger: ReviewTrigger, who: str) -> CommandEntry:
        """Say that somebody has seen it."""
        return self._ask(trigger, command_of(trigger, who, action="acknowledge"))

    def assign(self, trigger: ReviewTrigger, who: str, to: str) -> CommandEntry:
        """Give it to somebody."""
        return self._ask(trigger, command_of(trigger, who, action="assign", to=to))

    def comment(self, trigger: ReviewTrigger, who: str, text: str) -> CommandEntry:
        """Say something about it."""
        return self._ask(trigger, command_of(trigger, who, action="comment", comment=text))

    def snooze(self, trigger: ReviewTrigger, who: str, until: datetime) -> CommandEntry:
        """Keep it quiet until a time, given with its offset; 30 days at most."""
        written = format_time(from_datetime(until))
        return self._ask(trigger, command_of(trigger, who, action="snooze", until=written))

    def resolve(
        self,
        trigger: ReviewTrigger,
        who: str,
        verdict: Verdict,
        answer: str | None = None,
        *,
        if_unchanged: bool = True,
    ) -> CommandEntry:
        """Answer it. With `if_unchanged` it is refused as stale when the review has gone on since this trigger."""
        seen = trigger.data.ordinal if if_unchanged else None
        command = command_of(trigger, who, action="resolve", verdict=verdict, answer=answer, seen=seen)
        return self._ask(trigger, command)

    def _ask(self, trigger: ReviewTrigger, command: ReviewCommand) -> CommandEntry:
        self.send(command, key=trigger.data.command_key)
        entry = self.answers([command.id], self._seconds).get(command.id)
        if entry is None:
            raise BrokerError(
                f"expected an answer to {command.action} within {self._seconds:g} s, found none: is a worker running? "
                "The command stands in the log and will be taken"
            )
        return entry

    def send(self, command: ReviewCommand, *, key: str) -> None:
        """Send one; `key` is `data.command_key` of the review's triggers. Returns when the broker has it."""
        data = key.encode()
        try:
            sent = self._producer.send(
                self._findings, encode_record(command), data, partition=owner(data, self._partitions)
            )
            sent.get(timeout=self._seconds)
        except KafkaError as error:
            raise BrokerError(f"the command {command.id} was not acknowledged: {error!r}") from error

    def answers(self, ids: Iterable[str], seconds: float) -> dict[str, CommandEntry]:
        """What became of the commands with these ids, as far as it was heard within so long."""
        wanted = set(ids)
        deadline = time.monotonic() + seconds
        while not wanted <= self._answers.keys() and time.monotonic() < deadline:
            self._listen()
        return {name: self._answers[name] for name in wanted & self._answers.keys()}

    def _listen(self) -> None:
        try:
            polled = self._consumer.poll(timeout_ms=200)
        except KafkaError as error:
            raise BrokerError(f"the audit trail cannot be read: {error!r}") from error
        for records in polled.values():
            for record in records:
                entry = _entry(record.value)
                if isinstance(entry, CommandEntry):
                    self._answers.setdefault(entry.command.id, entry)

    def close(self) -> None:
        """Let go of the connections."""
        self._producer.close(timeout=self._seconds)
        self._consumer.close(autocommit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def command_of(trigger: ReviewTrigger, who: str, **fields: object) -> ReviewCommand:
    """A command for the review of a trigger, of this moment, with an id of its own. WireError for fields that do not
    fit.
    """
    now = format_time(from_datetime(datetime.now(UTC)))
    values = {"type": "command", "id": uuid4().hex, "review": trigger.data.review, "who": who, "time": now, **fields}
    try:
        return msgspec.convert(values, ReviewCommand)
    except msgspec.ValidationError as error:
        raise WireError("bad_command", f"expected a command: {error}") from error


def _entry(value: bytes | None) -> AuditEntry | None:
    """An entry of the trail; None for what is none (another version may write more kinds)."""
    try:
        entry: AuditEntry = _audit.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return entry
