"""What the log says of triggers: connects, asks, and lets go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.cli.explain_heard import Heard
from engine.model.topics import MEASUREMENTS
from engine.offline.explain.log_check import Question, ask_log, context_of
from engine.offline.explain.log_stages import first_activation
from engine.offline.plot.stretch import around, widened
from engine.runtime.context import StageContext
from engine.runtime.kafka_log import KafkaLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros
    from engine.offline.explain.case import Case
    from engine.offline.explain.given import Given
    from engine.offline.explain.log_check import Begin, MakeContext
    from engine.rules.ruleset import RuleSet
    from engine.runtime.settings import Settings


def hear_the_log(settings: Settings, told: Sequence[Given], since: Micros | None, plotted: Case | None) -> Heard:
    """BrokerError when there is no broker, LogError when its topics are not what is expected."""
    return asyncio.run(_hear(settings, told, since, plotted))


async def _hear(settings: Settings, told: Sequence[Given], since: Micros | None, plotted: Case | None) -> Heard:
    async with KafkaLog(",".join(settings.brokers), settings.prefix) as log:
        question = Question(log, make_context(settings), begin_of(log, settings, since), since=since is not None)
        verdicts = [await ask_log(question, each) for each in told]
        if plotted is None:
            return Heard(verdicts, None, {})
        context = await context_of(question)
        case = widened(plotted, context)
        return Heard(verdicts, case, await around(log, context, case))


def make_context(settings: Settings) -> MakeContext:
    """As the worker has it."""

    def make(rule_sets: dict[str, RuleSet], first: str, measurements: int, findings: int) -> StageContext:
        return StageContext(
            rule_sets=rule_sets,
            first_rule_set=first,
            measurement_partitions=measurements,
            finding_partitions=findings,
            domain=settings.domain,
            notify_within=settings.notify_within if settings.domain == "live" else None,
            future_max=settings.future_max,
            limits=settings.engine_limits,
            decoder=settings.decoder,
        )

    return make


def begin_of(log: KafkaLog, settings: Settings, since: Micros | None) -> Begin | None:
    """Where the worker began, by its settings; or where the user says."""
    start = settings.start_at if since is None else since
    if isinstance(start, int):
        return lambda partition: log.offset_at(MEASUREMENTS, partition, start)
    if start == "latest":
        return lambda partition: first_activation(log, partition)
    return None
