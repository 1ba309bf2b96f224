"""The log as what the question is put to: the stages of a worker over it, in this process; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.evaluate.findings import scope_of
from engine.model.audit import Silence
from engine.model.identity import scope_key
from engine.model.time import parse_own_time
from engine.model.topics import FINDINGS, MEASUREMENTS, SILENCES, TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.offline.explain.log_check import context_of
from engine.offline.explain.log_stages import batches
from engine.offline.why.ask import ask
from engine.offline.why.named import series_of
from engine.offline.why.of_join import scope_of_rule
from engine.offline.why.standing import Standing
from engine.offline.why.until import Until
from engine.offline.why.watch import Watch
from engine.review.trigger import command_key
from engine.rules.resolved.condition import JoinedCondition
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.partition import owner
from engine.wire.records import records

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.offline.explain.log_check import Question
    from engine.offline.why.gates import Answer
    from engine.offline.why.named import Named
    from engine.rules.ruleset import RuleSet
    from engine.runtime.context import StageContext
    from engine.runtime.ports import Log


async def ask_log(question: Question, rule: str, text: str, at: Micros | None) -> tuple[Answer, list[str]]:
    """Why `rule` did not fire on the series that `text` names, at `at` (None: the end of the log).

    Also what of the log is gone by retention, in sentences. WireError when `text` is no series, EngineError when the
    log cannot be read.
    """
    context = await context_of(question)
    series = series_of(text, rule, _knowing(rule, context))
    inquiry = _Inquiry(question, context, rule, series, at)
    await inquiry.measure()
    standing = await inquiry.review()
    try:
        end = standing.now if context.domain == "live" else standing.newest
        return ask(standing, rule, series, (end or 0) if at is None else at), inquiry.gone
    finally:
        standing.close()


def _knowing(rule: str, context: StageContext) -> RuleSet:
    """A stored rule set that has the rule; else the first."""
    sets = [rules for rules in context.rule_sets.values() if rule in {each.id for each in rules.rules}]
    return sets[-1] if sets else context.rule_sets[context.first_rule_set]


class _Inquiry:
    """One question. `gone` names what retention has taken."""

    def __init__(self, question: Question, context: StageContext, rule: str, series: Named, at: Micros | None) -> None:
        self.question, self.context, self.rule, self.series, self.at = question, context, rule, series, at
        self.log: Log = question.log
        self.gone: list[str] = []
        self._until = Until(at, replay=context.domain == "replay")
        self.first = Stage1(owner(series.key.encode(), context.measurement_partitions), context)
        self.watch = Watch(rule, series.key)

    async def measure(self) -> None:
        """Stage 1 over the partition of the series, up to the first tick past the time; in a replay, whose clock moves
        with the data, up to the first measurement past it.
        """
        partition = self.first.state.partition
        begin = 0 if self.question.begin is None else await self.question.begin(partition)
        begin = await self._start(MEASUREMENTS, partition, begin)
        async for batch in batches(self.log, MEASUREMENTS, partition, begin):
            for chunk in self.first.chunks(batch):
                part = self._until.had_come(chunk)
                # What it says is heard of in the findings.
                list(self.watch.take(self.first, part))
                if part is not chunk:
                    return

    async def review(self) -> Standing:
        """Stage 2 over the partition that has the review; triggers and silences as delivery workers read them."""
        partition = owner(self._key().encode(), self.context.finding_partitions)
        second = Stage2(partition, self.context)
        standing = Standing(self.context, self.first, second, self.watch, await _silences(self.log))
        begin = await self._start(FINDINGS, partition, 0)
        async for batch in batches(self.log, FINDINGS, partition, begin):
            for part in self._until.stretches(batch):
                second.apply(part)
        standing.tell(await self._triggers())
        return standing

    def _key(self) -> str:
        """The key of what stands in findings about the rule and its scope there."""
        rule = self.first.state.plan.rule_set.rule_by_id.get(self.rule)
        if rule is None:
            return self.series.key
        if isinstance(rule.condition, JoinedCondition):
            kept = {name: value for name, value in self.series.dimensions.items() if name in scope_of_rule(rule)}
            return command_key(rule, scope_key(kept))
        return command_key(rule, scope_of(self.first.state, rule, self.series.key, self.series.dimensions))

    async def _triggers(self) -> list[ReviewTrigger]:
        """Those of all partitions up to the time, in order of it."""
        found = []
        for partition in range(await self.log.partitions(TRIGGERS)):
            async for batch in batches(self.log, TRIGGERS, partition, await self.log.start(TRIGGERS, partition)):
                found += [msgspec.json.decode(each.value or b"", type=ReviewTrigger) for each in records(batch)]
        known = {trigger.id: trigger for trigger in found if not self._until.is_past(trigger.time)}
        return sorted(known.values(), key=lambda each: (parse_own_time(each.time), each.data.review, each.data.ordinal))

    async def _start(self, topic: str, partition: int, begin: int) -> int:
        start = await self.log.start(topic, partition)
        if start > begin:
            self.gone.append(f"records before offset {start} of {topic}[{partition}] are gone by retention")
        return max(start, begin)


async def _silences(log: Log) -> list[Silence]:
    found: dict[str, Silence] = {}
    async for batch in batches(log, SILENCES, 0, await log.start(SILENCES, 0)):
        for record in records(batch):
            if record.value is not None:
                silence = msgspec.json.decode(record.value, type=Silence)
                found[silence.id] = silence
    return list(found.values())
