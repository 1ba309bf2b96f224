"""A trigger from the log: made again by the stages of a worker over the same records, and the bytes compared.

Stage 2 goes over the findings partition that the trigger came from, from its beginning to the record that caused it;
that tells which findings it rests on. Stage 1 goes over the measurements partitions that these came from.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine import SEMANTICS_VERSION
from engine.errors import WireError
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.offline.explain.given import given
from engine.offline.explain.leaves import Difference, differences
from engine.offline.explain.log_formula import with_inputs
from engine.offline.explain.log_stages import TOLD_IN, FindingsReplay, batches, said_by_stage_1
from engine.offline.explain.log_verdict import LogVerdict
from engine.review.trigger import command_key
from engine.runtime.rule_sets import first_rule_set, read_rule_sets
from engine.runtime.stage2 import Stage2
from engine.wire.partition import owner
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from engine.model.trigger import ReviewTrigger
    from engine.offline.explain.given import Given
    from engine.rules.ruleset import RuleSet
    from engine.runtime.context import StageContext
    from engine.runtime.ports import Log, Position

    Begin = Callable[[int], Awaitable[int]]
    MakeContext = Callable[[dict[str, RuleSet], str, int, int], StageContext]

DIFFERENCES_MAX = 20
"""Differences that are listed."""


class Question(NamedTuple):
    """`context` makes what the stages are told beside their log: of rule sets, the first, and both partition counts.

    `begin` finds the offset of a measurements partition to begin at, where that is not the very first record; `since`:
    the user asked for it, knowing that less than everything is read.
    """

    log: Log
    context: MakeContext
    begin: Begin | None = None
    since: bool = False


async def ask_log(question: Question, told: Given) -> LogVerdict:
    """Whether the log gives the same trigger. EngineError when it cannot be read."""
    return await _Inquiry(question, told, await context_of(question)).verdict()


async def context_of(question: Question) -> StageContext:
    """What the stages know beside their logs, with the rule sets that are stored now."""
    log = question.log
    counts = [await log.partitions(topic) for topic in (MEASUREMENTS, FINDINGS)]
    return question.context(await read_rule_sets(log), await first_rule_set(log), *counts)


class _Inquiry:
    """One trigger. `written` is what the topic has of it, where it has something."""

    def __init__(self, question: Question, told: Given, context: StageContext) -> None:
        self.question, self.log = question, question.log
        self.told, self.context = told, context
        self.written: bytes | None = None

    async def verdict(self) -> LogVerdict:
        trigger = await self._written_trigger() or self.told.trigger
        if trigger is None:
            return LogVerdict("differs", f"there is no trigger {self.told.id} in {TRIGGERS}, and this one is none")
        key = self._key(trigger)
        if key is None:
            return LogVerdict(
                "differs", f"no rule set {trigger.data.rule_set} with a rule {trigger.data.rule} is stored"
            )
        findings = FindingsReplay(
            trigger.id, key, Stage2(owner(key.encode(), self.context.finding_partitions), self.context)
        )
        lost = await self._lost(FINDINGS, findings.partition, 0)
        if lost is not None:
            return LogVerdict("gone", lost)
        made = await findings.trigger(self.log)
        if made is None:
            return LogVerdict("differs", f"stage 2 puts out no trigger {trigger.id} over the findings")
        found = self._compared(made) or await self._from_measurements(findings.rests_on())
        if found.verdict != "same bytes":
            return found
        rules = self.context.rule_sets[trigger.data.rule_set]
        return await with_inputs(self.log, self.context.measurement_partitions, trigger, rules, found)

    async def _written_trigger(self) -> ReviewTrigger | None:
        """By its id; where that was changed, by review and number."""
        data = self.told.event["data"]
        alike: tuple[bytes, ReviewTrigger] | None = None
        async for value, trigger in _triggers(self.log):
            if trigger.id == self.told.id:
                self.written = value
                return trigger
            if _named_alike(trigger, data):
                alike = value, trigger
        if alike is None:
            return None
        self.written = alike[0]
        return alike[1]

    def _key(self, trigger: ReviewTrigger) -> str | None:
        """The key of the findings that its review is made of, by the rule set that is stored."""
        data = trigger.data
        rules = self.context.rule_sets.get(data.rule_set)
        rule = None if rules is None else rules.rule_by_id.get(data.rule)
        if rule is None:
            return None
        return command_key(rule, data.scope)

    def _compared(self, made: bytes) -> LogVerdict | None:
        """None when what the topic has is the same bytes as what came out now, and so is the trigger that was given, up
        to the white space and the order of fields that a file may have been given.
        """
        if self.written is not None and self.written != made:
            detail = f"{TRIGGERS} has another than stage 2 puts out over the findings"
            return LogVerdict("differs", detail, _listed(msgspec.json.decode(self.written), made))
        found = _listed(self.told.event, made)
        return LogVerdict("differs", None, found) if found else None

    async def _from_measurements(self, rests_on: dict[int, dict[Position, bytes]]) -> LogVerdict:
        """Whether stage 1 says of the measurements what the trigger rests on."""
        count = 0
        for partition, wanted in sorted(rests_on.items()):
            begin = 0 if self.question.begin is None else await self.question.begin(partition)
            lost = await self._lost(MEASUREMENTS, partition, begin)
            if lost is not None:
                return LogVerdict("gone", f"{lost}; from the findings on: same bytes")
            last = max(position.offset for position in wanted)
            said = await said_by_stage_1(self.log, self.context, partition, begin, last)
            for position in sorted(wanted):
                if position.offset >= begin and said.get(position) != wanted[position]:
                    return self._another(position, wanted[position], said.get(position))
                count += position.offset >= begin
        part = "; what stood before --since was not read" if self.question.since else ""
        return LogVerdict("same bytes", f"made again with the {_records(count)} of stage 1 that it rests on{part}")

    def _another(self, position: Position, found: bytes, made: bytes | None) -> LogVerdict:
        detail = f"{FINDINGS} has another record than stage 1 says of {MEASUREMENTS}[{position.partition}]"
        detail += f" at offset {position.offset}"
        if position.semantics != SEMANTICS_VERSION:
            detail += f"; that was semantics version {position.semantics}, this is {SEMANTICS_VERSION}"
        if self.question.since:
            detail += "; what stood before --since was not read"
        return LogVerdict("differs", detail, () if made is None else _listed(msgspec.json.decode(found), made))

    async def _lost(self, topic: str, partition: int, begin: int) -> str | None:
        """What retention has taken of what must be read; only with `since` the rest will do."""
        start = await self.log.start(topic, partition)
        if start <= begin or self.question.since:
            return None
        return f"records before offset {start} of {topic}[{partition}] are gone by retention"


async def _triggers(log: Log) -> AsyncIterator[tuple[bytes, ReviewTrigger]]:
    """All that were written, those of rules in shadow mode included."""
    for topic in TOLD_IN:
        for partition in range(await log.partitions(topic)):
            async for batch in batches(log, topic, partition, await log.start(topic, partition)):
                for record in records(batch):
                    trigger = _trigger(record.value)
                    if trigger is not None:
                        yield record.value or b"", trigger


def _trigger(value: bytes | None) -> ReviewTrigger | None:
    try:
        return given(msgspec.json.decode(value or b"")).trigger
    except (msgspec.MsgspecError, UnicodeDecodeError, WireError):
        return None


def _records(count: int) -> str:
    return f"{count} record{'' if count == 1 else 's'}"


def _named_alike(trigger: ReviewTrigger, data: dict[str, object]) -> bool:
    return (trigger.data.review, trigger.data.ordinal) == (data.get("review"), data.get("ordinal"))


def _listed(found: object, made: bytes) -> tuple[Difference, ...]:
    return tuple(islice(differences(found, msgspec.json.decode(made)), DIFFERENCES_MAX))
