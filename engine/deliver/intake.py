"""What comes in: silences and triggers pass the gate step by step, and become notifications for receivers.

A step is written to the log as a whole before anything of it is sent. The gate itself is written now and then; after a
restart the steps since then are made again from what they had read, and what comes out of them is known already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import structlog

from engine.deliver.records import GateDump, Note, Request, Step
from engine.errors import EngineError
from engine.model.audit import Silence
from engine.model.topics import AUDIT, SILENCES, TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from engine.deliver.desk import Desk
    from engine.deliver.ledger import Entry
    from engine.deliver.rule_sets import KnownRuleSets
    from engine.model.time import Micros
    from engine.notify.gate import Gate
    from engine.notify.notification import Notification, Outcome
    from engine.runtime.ports import Log
    from engine.telemetry.delivery_metrics import DeliveryMetrics
    from engine.wire.batch import LogRecord

_log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Triggers of a partition in a step."""
BACKLOG_MAX = 20_000
"""Notifications that some receiver has not settled; above that nothing is read until there are fewer."""
DUMP_STEPS = 200
DUMP_TRIGGERS = 5_000
PAGE_BYTES = 500_000

_triggers = msgspec.json.Decoder(ReviewTrigger)
_silences = msgspec.json.Decoder(Silence)


class Taken(NamedTuple):
    """What a step reads, and where it stands afterwards."""

    silences: list[Silence]
    triggers: list[tuple[int, int, ReviewTrigger]]
    positions: dict[int, int]
    silences_at: int


class Intake:
    """`route` names the receivers of a notification."""

    def __init__(
        self,
        log: Log,
        desk: Desk,
        gate: Gate,
        rule_sets: KnownRuleSets,
        route: Callable[[Notification], tuple[str, ...]],
        metrics: DeliveryMetrics,
    ) -> None:
        self.gate = gate
        self._log = log
        self._desk = desk
        self._rule_sets = rule_sets
        self._route = route
        self._metrics = metrics
        self._taken_since_dump = 0

    @property
    def _step(self) -> Step:
        step = self._desk.ledger.step
        if step is None:
            raise RuntimeError("the first step is written when the worker starts")
        return step

    async def advance(self, now: Micros) -> tuple[bool, list[Entry]]:
        """One step at the time `now`: whether anything was read, and the notifications that came of it."""
        step = self._step
        full = max(self._desk.ledger.open.values(), default=0) >= BACKLOG_MAX
        taken = await self._read(step, None, triggers=not full)
        places = {trigger.id: (partition, offset) for partition, offset, trigger in taken.triggers}
        outcomes = await self._pass(taken, now)
        notifications = [each for outcome in outcomes for each in outcome.notifications]
        moved = (taken.positions, taken.silences_at) != (step.positions, step.silences)
        if not moved and not notifications and not any(outcome.entries for outcome in outcomes):
            return False, []
        self._count(outcomes)
        await self._tell_audit(outcomes)
        notes = list(self._notes(notifications, step.next_note, places))
        following = Step(step.number + 1, now, taken.positions, taken.silences_at, step.next_note + len(notes))
        entries = await self._desk.take_step(following, notes)
        self._taken_since_dump += len(taken.triggers)
        if len(self._desk.ledger.steps) > DUMP_STEPS or self._taken_since_dump > DUMP_TRIGGERS:
            await self.dump()
        return moved, entries

    async def recover(self) -> None:
        """Make again the steps since the gate was written: `gate` is the one that was."""
        ledger = self._desk.ledger
        begun = 0 if ledger.dump is None else ledger.dump.step
        for number in sorted(number for number in ledger.steps if number > begun):
            before = ledger.steps.get(number - 1)
            if before is not None:
                await self._pass(
                    await self._read(before, ledger.steps[number], triggers=True), ledger.steps[number].now
                )

    async def dump(self) -> None:
        """Write the gate as it is after the newest step, and forget the steps before it."""
        ledger, step = self._desk.ledger, self._step
        generation = 0 if ledger.dump is None else ledger.dump.generation + 1
        data = self.gate.dump()
        pages = [data[at : at + PAGE_BYTES] for at in range(0, len(data), PAGE_BYTES)]
        key = self._desk.key
        for number, page in enumerate(pages):
            await self._desk.write([Record(key("page", generation, number), page)])
        written = GateDump(step.number, generation, len(pages))
        gone = [key("page", *place) for place in ledger.pages if place[0] != generation]
        gone += [key("step", number) for number in ledger.steps if number != step.number]
        await self._desk.write(
            [Record(key("gate"), msgspec.json.encode(written)), *(Record(name, None) for name in gone)]
        )
        self._taken_since_dump = 0

    async def take_requests(self) -> list[Entry]:
        """What somebody wants to be tried again becomes notifications anew."""
        requests, self._desk.journal.requests = self._desk.journal.requests, []
        entries: list[Entry] = []
        for record in requests:
            asked = list(self._asked(record))
            notes = []
            step = self._step
            for number, (entry, receiver) in enumerate(asked, step.next_note):
                note = await self._desk.note(entry)
                notes.append(msgspec.structs.replace(note, number=number, receivers=(receiver,), again=True))
            following = msgspec.structs.replace(step, number=step.number + 1, next_note=step.next_note + len(notes))
            entries += await self._desk.ask_again(following, notes, asked)
            await self._desk.write([Record(record.key, None)])
        return entries

    def _asked(self, record: LogRecord) -> Iterable[tuple[Entry, str]]:
        try:
            request = msgspec.json.decode(record.value or b"", type=Request)
        except msgspec.MsgspecError as error:
            _log.error("request is not readable", offset=record.offset, error=str(error))
            return
        for number, receiver in dict.fromkeys(request.targets):
            entry = self._desk.ledger.entries.get(number)
            attempt = None if entry is None else entry.attempts.get(receiver)
            if entry is not None and attempt is not None and attempt.phase == "parked":
                yield entry, receiver

    async def _pass(self, taken: Taken, now: Micros) -> list[Outcome]:
        await self._rule_sets.learn(trigger.data.rule_set for _, _, trigger in taken.triggers)
        outcomes = []
        for silence in taken.silences:
            try:
                outcomes.append(self.gate.silence(silence))
            except EngineError as error:
                _log.error("silence is not usable", silence=silence.id, error=str(error))
        outcomes.append(self.gate.tick(now))
        outcomes.extend(self.gate.take(trigger) for _, _, trigger in taken.triggers)
        return outcomes

    async def _read(self, step: Step, until: Step | None, *, triggers: bool) -> Taken:
        """What stands after `step`, as much as a step takes, or up to the step `until`. Silences come first."""
        taken = Taken([], [], dict(step.positions), step.silences)
        at = max(step.silences, await self._log.start(SILENCES, 0))
        async for record, following in self._part(SILENCES, 0, at, None if until is None else until.silences):
            at = following
            if record is not None and (silence := self._silence(record)) is not None:
                taken.silences.append(silence)
        for partition, offset in step.positions.items() if triggers else ():
            end = offset + AT_ONCE if until is None else until.positions.get(partition, offset)
            async for record, following in self._part(TRIGGERS, partition, offset, end):
                taken.positions[partition] = following
                if record is not None and (trigger := self._trigger(partition, record)) is not None:
                    taken.triggers.append((partition, record.offset, trigger))
        return taken._replace(silences_at=at)

    async def _part(
        self, topic: str, partition: int, offset: int, end: int | None
    ) -> AsyncIterator[tuple[LogRecord | None, int]]:
        """Records up to `end` with where reading goes on after each; None for offsets that have no record."""
        while end is None or offset < end:
            count = AT_ONCE if end is None else min(AT_ONCE, end - offset)
            batch = await self._log.read(topic, partition, offset, records_max=count)
            if batch is None:
                return
            limit = batch.next_offset if end is None else min(batch.next_offset, end)
            for record in records(batch):
                if record.offset < limit:
                    yield record, record.offset + 1
            yield None, limit
            offset = limit

    def _silence(self, record: LogRecord) -> Silence | None:
        try:
            return None if record.value is None else _silences.decode(record.value)
        except msgspec.MsgspecError as error:
            _log.error("silence is not readable", offset=record.offset, error=str(error))
            return None

    def _trigger(self, partition: int, record: LogRecord) -> ReviewTrigger | None:
        try:
            return _triggers.decode(record.value or b"")
        except msgspec.MsgspecError as error:
            self._metrics.triggers_unreadable.inc()
            _log.error("trigger is not readable", partition=partition, offset=record.offset, error=str(error))
            return None

    def _notes(
        self, notifications: list[Notification], first: int, places: dict[str, tuple[int, int]]
    ) -> Iterable[Note]:
        for notification in notifications:
            if receivers := self._route(notification):
                partition, offset = places.get(notification.id, (None, None))
                line = notification.id if notification.trigger is None else notification.trigger.data.review
                yield Note(first, receivers, line, notification, partition, offset)
                first += 1

    def _count(self, outcomes: list[Outcome]) -> None:
        for held in (held for outcome in outcomes for held in outcome.held):
            self._metrics.notifications_held.labels(held.why).inc()

    async def _tell_audit(self, outcomes: list[Outcome]) -> None:
        entries = [entry for outcome in outcomes for entry in outcome.entries]
        if entries:
            written = [Record(entry.id.encode(), msgspec.json.encode(entry)) for entry in entries]
            await self._log.append([Output(AUDIT, 0, record) for record in written])
