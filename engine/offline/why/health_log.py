"""How rules fare, over the log: every partition of both stages, in this process; nothing is written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from engine.model.topics import FINDINGS, MEASUREMENTS
from engine.offline.explain.log_check import context_of
from engine.offline.explain.log_stages import batches
from engine.offline.why.health import Rounds, Tally
from engine.offline.why.until import Until
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.offline.explain.log_check import Question
    from engine.offline.why.health import Health
    from engine.rules.ruleset import RuleSet
    from engine.runtime.context import StageContext


async def health_of_log(question: Question, at: Micros | None, keep: int = 3) -> Health:
    """How every rule fares at `at` (None: the end of the log), with its last `keep` transitions and evaluations.

    Rules are those of the set that was active in the first partition. EngineError when the log cannot be read.
    """
    context, rounds = await context_of(question), Rounds(keep)
    firsts = [await _measured(question, context, rounds, each, at) for each in range(context.measurement_partitions)]
    rules = firsts[0].state.plan.rule_set
    tally = Tally(rules, rounds)
    for first in firsts:
        tally.first(first.state)
    for partition in range(context.finding_partitions):
        second = await _reviewed(question, context, rounds, rules, partition, at)
        tally.second(second)
        second.close()
    letters: Counter[str] = Counter()
    for first in firsts:
        letters.update({key[1]: count for key, count in first.counts.items() if key[0] == "dead_letter"})
    ends = [first.tick_time if context.domain == "live" else first.newest for first in firsts]
    end = max((each for each in ends if each is not None), default=0)
    return tally.health(end if at is None else at, dict(sorted(letters.items())))


async def _measured(
    question: Question, context: StageContext, rounds: Rounds, partition: int, at: Micros | None
) -> Stage1:
    first, until = Stage1(partition, context), Until(at, replay=context.domain == "replay")
    begin = 0 if question.begin is None else await question.begin(partition)
    start = max(begin, await question.log.start(MEASUREMENTS, partition))
    async for batch in batches(question.log, MEASUREMENTS, partition, start):
        for chunk in first.chunks(batch):
            part = until.had_come(chunk)
            list(rounds.take(first, part))  # what it says of findings is noted there
            if part is not chunk:
                return first
    return first


async def _reviewed(
    question: Question, context: StageContext, rounds: Rounds, rules: RuleSet, partition: int, at: Micros | None
) -> Stage2:
    second, until = Stage2(partition, context), Until(at, replay=context.domain == "replay")
    rounds.follow(second)
    async for batch in batches(question.log, FINDINGS, partition, await question.log.start(FINDINGS, partition)):
        for part in until.stretches(batch):
            rounds.hear(second.apply(part), rules)
    return second
