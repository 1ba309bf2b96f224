"""The log as it answers why a rule did not fire, and how all of them fare: connects, asks, and lets go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from engine.cli.explain_log import begin_of, make_context
from engine.errors import WireError
from engine.offline.explain.log_check import Question
from engine.offline.why.health_log import health_of_log
from engine.offline.why.log import ask_log
from engine.runtime.kafka_log import KafkaLog

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.offline.why.gates import Answer
    from engine.offline.why.health import Health
    from engine.runtime.settings import Settings


def answer_of_log(settings: Settings, rule: str, series: str, at: Micros | None) -> Answer:
    """BrokerError when there is no broker, LogError when its topics are not what is expected."""
    answer, gone = asyncio.run(_ask(settings, rule, series, at))
    for told in gone:
        typer.echo(f"warning: {told}: what was learned from them is missing", err=True)
    return answer


async def _ask(settings: Settings, rule: str, series: str, at: Micros | None) -> tuple[Answer, list[str]]:
    async with KafkaLog(",".join(settings.brokers), settings.prefix) as log:
        question = Question(log, make_context(settings), begin_of(log, settings, None))
        try:
            return await ask_log(question, rule, series, at)
        except WireError as error:
            raise typer.BadParameter(error.detail, param_hint="SERIES") from error


def rules_of_log(settings: Settings, at: Micros | None, last: int) -> Health:
    """How every rule fares, as `answer_of_log`."""
    return asyncio.run(_go_round(settings, at, last))


async def _go_round(settings: Settings, at: Micros | None, last: int) -> Health:
    async with KafkaLog(",".join(settings.brokers), settings.prefix) as log:
        return await health_of_log(Question(log, make_context(settings), begin_of(log, settings, None)), at, last)
