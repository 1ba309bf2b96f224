"""Following review triggers from a program: each at least once, in order per review; once where the handler keeps ids.

Library: kafka-python's consumer group: rebalances, and offsets with a word of our own beside them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, KafkaError, RetriableError
from kafka.structs import OffsetAndMetadata

from engine.client.reading import read_trigger
from engine.client.sockets import DIRECT_URL
from engine.client.wanted import Wanted, happening_of
from engine.errors import BrokerError, WireError
from engine.model.topics import TRIGGERS, full_name

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Any, Literal, Self

    from kafka.consumer.fetcher import ConsumerRecord

    from engine.model.trigger import ReviewTrigger

_log = logging.getLogger(__name__)

AT_ONCE = 200
"""Triggers that are taken from the broker in one go; as many may come again, marked, after a crash."""

_PATIENCE_MS = 5_000
"""How long one call waits for a broker that is away, before it says that nothing has come."""
_RECONNECT_MS = 1_000
"""At most so long between attempts to reach a broker that is away; the library's own limit is thirty seconds."""


class Delivery(NamedTuple):
    """A trigger, and where it stood. `redelivered`: it may have been handed out before; without it, it was not."""

    trigger: ReviewTrigger
    redelivered: bool
    partition: int
    offset: int

    @property
    def id(self) -> str:
        """The trigger's id: the same for every repeat of it."""
        return self.trigger.id

    @property
    def happening(self) -> str:
        """`opened`, `overdue`, `resolved`, ..."""
        return happening_of(self.trigger)


class SeenIds(Protocol):
    """A durable record of ids, kept by the handler where it keeps its effects, and written in the same transaction."""

    def seen(self, identifier: str) -> bool:
        """Whether the effects of the trigger with this id are there already."""


class ReviewSubscriber:
    """Reads the triggers of the installation `prefix` as a member of the consumer group `group`.

    A context manager, for one thread. With `seen` a trigger whose id is there is passed over. `on_bad` is told the
    bytes of a record that is no trigger (counted in `bad`, and passed over), with the reason. `start_at` counts for a
    group without a position. BrokerError when the broker cannot be reached to begin with, or refuses; while it is away
    afterwards nothing comes, a warning is logged, and it goes on when it is back.
    """

    def __init__(
        self,
        brokers: Sequence[str],
        *,
        prefix: str,
        group: str,
        wanted: Wanted | None = None,
        seen: SeenIds | None = None,
        on_bad: Callable[[bytes, str], None] | None = None,
        start_at: Literal["earliest", "latest"] = "earliest",
        session_seconds: float = 45.0,
        api_version: tuple[int, ...] | None = None,
    ) -> None:
        self._topic = full_name(prefix, TRIGGERS)
        self._wanted = wanted or Wanted()
        self._seen, self._on_bad = seen, on_bad
        self.bad = 0
        self._next: dict[TopicPartition, int] = {}
        """The offset after the last one that was looked at, by partition."""
        self._open: dict[TopicPartition, set[int]] = {}
        """What was handed out and is not done."""
        self._handed: dict[TopicPartition, int] = {}
        """The offset after the last one that may have been handed out, by this member or one before it."""
        self._kept: dict[TopicPartition, Any] = {}
        """What the group was told last."""
        self._away = False
        try:
            self._consumer = KafkaConsumer(
                bootstrap_servers=list(brokers),
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset=start_at,
                isolation_level="read_committed",
                session_timeout_ms=int(session_seconds * 1_000),
                heartbeat_interval_ms=int(session_seconds * 1_000 / 4),
                proxy_url=DIRECT_URL,
                reconnect_backoff_max_ms=_RECONNECT_MS,
                allow_auto_create_topics=False,
                metrics_enabled=False,
                api_version=api_version,
            )
        except KafkaError as error:
            raise BrokerError(f"expected Kafka at {','.join(brokers)}: {error!r}") from error
        self._consumer.subscribe([self._topic], listener=_Rebalance(self))

    def run(self, handler: Callable[[Delivery], None], stop: threading.Event | None = None) -> None:
        """Hand out one after another until `stop` is set. What the handler raises ends it: that trigger counts as not
        handled and comes again, marked.
        """
        while stop is None or not stop.is_set():
            for delivery in self.poll(0.5):
                handler(delivery)
                self.done(delivery)
                if stop is not None and stop.is_set():
                    break

    def poll(self, seconds: float) -> Iterator[Delivery]:
        """What has come, at most so many; waits so long for the first. Say `done` of each when it is handled: what was
        handed out and is not done by the next call comes again, marked.
        """
        if not self._commit():
            return
        self._go_back()
        polled, before = self._taken(seconds)
        for place, records in polled.items():
            self._next[place] = records[0].offset
            self._handed[place] = max(before[place], records[-1].offset + 1)
        # Whoever comes after a crash must know that these may have been handed out: said before the first of them is.
        if not self._commit():
            self._handed |= {place: before[place] for place in self._handed.keys() & before.keys()}
            return
        for place, records in polled.items():
            yield from self._deliveries(place, records, before[place])

    def _taken(self, seconds: float) -> tuple[dict[TopicPartition, list[ConsumerRecord]], dict[TopicPartition, int]]:
        """What has come, and up to where of each partition something may have been handed out."""
        polled: dict[TopicPartition, list[ConsumerRecord]] = {}
        try:
            polled = self._consumer.poll(timeout_ms=int(seconds * 1_000), max_records=AT_ONCE)
            return polled, {place: self._handed_before(place) for place in polled}
        except RetriableError as error:
            self._tell_away(error)
            for place, records in polled.items():
                self._consumer.seek(place, records[0].offset)
            return {}, {}
        except KafkaError as error:
            raise BrokerError(f"{self._topic} cannot be read: {error!r}") from error

    def _deliveries(self, place: TopicPartition, records: Iterable[ConsumerRecord], again: int) -> Iterator[Delivery]:
        for record in records:
            trigger = self._trigger(record.value)
            known = trigger is not None and self._seen is not None and self._seen.seen(trigger.id)
            self._next[place] = record.offset + 1
            if trigger is not None and not known and self._wanted.fits(trigger):
                self._open.setdefault(place, set()).add(record.offset)
                yield Delivery(trigger, record.offset < again, record.partition, record.offset)

    def done(self, delivery: Delivery) -> None:
        """The trigger is handled, for good."""
        self._open.get(TopicPartition(self._topic, delivery.partition), set()).discard(delivery.offset)

    def _position(self, place: TopicPartition) -> int:
        """Everything before it is handled, passed over or not wanted."""
        return min(self._open.get(place) or {self._next[place]})

    def _go_back(self) -> None:
        """Take again what was taken from the broker and is not done."""
        for place in self._next.keys() & self._consumer.assignment():
            position = self._position(place)
            if int(self._consumer.position(place)) > position:
                self._consumer.seek(place, position)
                self._next[place] = position
                self._open.pop(place, None)

    def _trigger(self, value: bytes | None) -> ReviewTrigger | None:
        try:
            return read_trigger(value)
        except WireError as error:
            self.bad += 1
            if self._on_bad is not None:
                self._on_bad(value or b"", error.detail)
            return None

    def _commit(self) -> bool:
        """Tell the group what is settled, and up to where something may have been handed out; whether it knows."""
        places: dict[TopicPartition, Any] = {
            place: OffsetAndMetadata(self._position(place), str(self._handed.get(place, 0)), -1) for place in self._next
        }
        news = {place: said for place, said in places.items() if self._kept.get(place) != said}
        try:
            if news:
                self._consumer.commit(news, timeout_ms=_PATIENCE_MS)
        except CommitFailedError:
            # The group is dividing the partitions anew: whoever gets them hands out, marked, what was not settled.
            self._go_back()
            self._forget(self._next)
            return False
        except RetriableError as error:
            self._tell_away(error)
            return False
        except KafkaError as error:
            raise BrokerError(f"the position in {self._topic} cannot be kept: {error!r}") from error
        self._kept |= news
        self._away = self._away and not news
        return True

    def _tell_away(self, error: KafkaError) -> None:
        if not self._away:
            _log.warning("review triggers wait for the broker: %r", error)
        self._away = True

    def _handed_before(self, place: TopicPartition) -> int:
        """Up to where something may have been handed out: by this member, or by one before it, which left the word
        beside its offset.
        """
        if place in self._handed:
            return self._handed[place]
        found = self._consumer.committed(place, metadata=True, timeout_ms=_PATIENCE_MS)
        said = "" if found is None else str(found.metadata or "")
        return int(said) if said.isdigit() else 0

    def _forget(self, places: Iterable[TopicPartition]) -> None:
        for place in list(places):
            self._next.pop(place, None)
            self._open.pop(place, None)
            self._handed.pop(place, None)
            self._kept.pop(place, None)

    def close(self) -> None:
        """Keep the position, leave the group. With the broker away what is done may come again, marked."""
        try:
            self._commit()
        finally:
            self._consumer.close(autocommit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # the library ships no types
    """Partitions come and go within a poll, when all that is done is committed already: what went is forgotten."""

    def __init__(self, subscriber: ReviewSubscriber) -> None:
        self._subscriber = subscriber

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._subscriber._forget(revoked)  # noqa: SLF001 (two halves of one thing)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """What was handed out of them before is asked for when something comes of them."""
