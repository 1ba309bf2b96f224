"""`counterpoint reviews silences`: what is silenced, by whom, why, and until when."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from engine.cli.reviews_log import FormatOption, TextFormat, as_json, read_silences
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.model.audit import Silence
from engine.model.time import Micros
from engine.notify.matchers import format_matcher
from engine.offline.duty.words import how_long
from engine.wire.times import parse_time


def reviews_silences(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    output: FormatOption = TextFormat.TEXT,
) -> None:
    """List the silences in force, the first to end first."""
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    now = time.time_ns() // 1_000
    silences = sorted(read_silences(settings).values(), key=lambda each: (parse_time(each.until), each.id))
    found = [each for each in silences if everything or _left(each, now) > 0]
    if output is TextFormat.JSON:
        typer.echo(as_json(found))
        return
    for each in found:
        typer.echo(f"{each.id}  {' '.join(map(format_matcher, each.matchers))}")
        typer.echo(f"          {_until(each, now)}, by {each.author}: {each.reason}")
    typer.echo(f"{len(found)} silence{'' if len(found) == 1 else 's'}", err=True)


def _left(silence: Silence, now: Micros) -> Micros:
    return 0 if silence.ended_by is not None else max(parse_time(silence.until) - now, 0)


def _until(silence: Silence, now: Micros) -> str:
    if silence.ended_by is not None:
        return f"ended by {silence.ended_by}"
    left = _left(silence, now)
    return f"until {silence.until} ({how_long(left)} left)" if left else f"over since {silence.until}"
