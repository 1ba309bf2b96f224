"""`counterpoint undelivered`: what could not be delivered, and having it tried again."""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.cli.who import WhoOption, whoever
from engine.model.time import format_time
from engine.notify.matchers import parse_matcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.deliver.parked import Parked
    from engine.model.audit import Matcher
    from engine.runtime.settings import Settings

SelectorArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SELECTOR]...", help="receiver=ops-chat, severity=critical, id=..., rule=~late.*: all must hold."
    ),
]


class OutputFormat(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


def undelivered_list(
    selectors: SelectorArgument = None,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    output: Annotated[OutputFormat, typer.Option("--format", help="How to print.")] = OutputFormat.TEXT,
) -> None:
    """List what a receiver refused, or what was given up, oldest first, and why.

    Sensitive values stand in none of it: the sentence is left out, the id leads to the review.
    """
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    found = asyncio.run(_find(settings, _matchers(selectors)))
    if output is OutputFormat.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode([_as_json(each) for each in found]), indent=2).decode())
        return
    for each in found:
        attempt = each.attempt
        typer.echo(
            f"{each.receiver}  {each.notification.id}  {_what(each)}  since {attempt.since}, "
            f"{attempt.attempts} {'attempt' if attempt.attempts == 1 else 'attempts'}: {attempt.error}"
        )
    typer.echo(f"{len(found)} undelivered", err=True)


def undelivered_replay(
    selectors: SelectorArgument = None,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    who: WhoOption = None,
) -> None:
    """Have what could not be delivered tried again, all of it or what meets every SELECTOR.

    The delivery worker takes it up within a second, or when it runs next. It comes after newer transitions of the same
    reviews, and is marked as redelivered.
    """
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    count = asyncio.run(_replay(settings, _matchers(selectors), whoever(who)))
    typer.echo(f"{count} asked for again")


def _matchers(selectors: Sequence[str] | None) -> list[Matcher]:
    return [parse_matcher(text) for text in selectors or ()]


async def _find(settings: Settings, matchers: Sequence[Matcher]) -> list[Parked]:
    from engine.deliver.parked import find_parked  # noqa: PLC0415 - settings and selectors are checked first
    from engine.runtime.kafka_log import KafkaLog  # noqa: PLC0415

    async with KafkaLog(",".join(settings.brokers), settings.prefix) as log:
        return await find_parked(log, matchers)


async def _replay(settings: Settings, matchers: Sequence[Matcher], who: str) -> int:
    from engine.deliver.parked import ask_again, find_parked  # noqa: PLC0415
    from engine.runtime.kafka_log import KafkaLog  # noqa: PLC0415

    async with KafkaLog(",".join(settings.brokers), settings.prefix) as log:
        found = await find_parked(log, matchers)
        if found:
            await ask_again(log, found, who, format_time(time.time_ns() // 1_000))
    return len(found)


def _what(parked: Parked) -> str:
    labels = parked.notification.labels
    kind = (
        parked.notification.kind
        if parked.notification.trigger is None
        else parked.notification.trigger.type.split(".")[2]
    )
    return f"{kind} {labels.get('rule', labels.get('owner', ''))}"


def _as_json(parked: Parked) -> dict[str, object]:
    attempt = parked.attempt
    return {
        "id": parked.notification.id,
        "receiver": parked.receiver,
        "what": _what(parked),
        "review": parked.notification.labels.get("review"),
        "since": attempt.since,
        "attempts": attempt.attempts,
        "error": attempt.error,
    }
