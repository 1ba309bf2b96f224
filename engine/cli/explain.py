"""`counterpoint explain`: a trigger recomputed, from its evidence and from the log."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console

from engine.brokers.reader import read_values
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, load
from engine.errors import WireError
from engine.model.topics import TRIGGERS, full_name
from engine.offline.explain.explanation import explain as explanation_of
from engine.offline.explain.given import Given, given, read_given
from engine.offline.explain.log_verdict import NOT_ASKED, LogVerdict
from engine.offline.explain.text import show_briefly, show_explanation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.offline.explain.explanation import Explanation
    from engine.runtime.settings import Settings

_WIDTH_WITHOUT_TERMINAL = 120
_STANDARD_INPUT = "-"


class Format(StrEnum):
    """How the result is written."""

    TEXT = "text"
    JSON = "json"


def explain(
    trigger: Annotated[
        str,
        typer.Argument(
            metavar="TRIGGER", help="An id, or the beginning of one; or a file of triggers, - for standard input."
        ),
    ],
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given_settings: SetOption = None,
    *,
    only: Annotated[
        str | None, typer.Option("--only", metavar="ID", help="Of a file with several, the one whose id begins so.")
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="For people, or a line of JSON a trigger.")] = Format.TEXT,
) -> None:
    """Recompute a trigger, step by step, and say whether its evidence is consistent."""
    settings = load(config, given_settings, brokers=brokers, prefix=prefix).settings
    found = _found(trigger, only, settings)
    told = [(explanation_of(each, settings.engine_limits), NOT_ASKED) for each in found]
    _print(told, output)
    if any(explanation.failures or log.verdict == "differs" for explanation, log in told):
        raise typer.Exit(1)


def _found(trigger: str, only: str | None, settings: Settings) -> list[Given]:
    """The triggers that are meant. BadParameter when there is none, or more than one begins so."""
    path = Path(trigger)
    try:
        if trigger == _STANDARD_INPUT:
            there = read_given(sys.stdin.buffer.read())
        elif path.is_file():
            there = read_given(path.read_bytes())
        else:
            return [_one(_in_topic(settings, trigger), trigger, "review-triggers")]
    except WireError as error:
        raise typer.BadParameter(error.detail, param_hint="TRIGGER") from error
    return there if only is None else [_one(there, only, trigger)]


def _in_topic(settings: Settings, beginning: str) -> list[Given]:
    values = read_values(",".join(settings.brokers), full_name(settings.prefix, TRIGGERS))
    return [given(msgspec.json.decode(value)) for value in values if b'"id":"' + beginning.encode() in value]


def _one(there: Iterable[Given], beginning: str, where: str) -> Given:
    by_id = {each.id: each for each in there if each.id.startswith(beginning)}
    if beginning in by_id:
        return by_id[beginning]
    if len(by_id) == 1:
        return by_id.popitem()[1]
    if not by_id:
        message = f"expected a file or the id of a trigger, found neither {beginning!r} here nor such an id in {where}"
        raise typer.BadParameter(message, param_hint="TRIGGER")
    listed = "\n".join(f"  {name}  {each.event['data'].get('explanation')}" for name, each in sorted(by_id.items()))
    raise typer.BadParameter(f"expected one id, found {len(by_id)} that begin so:\n{listed}", param_hint="TRIGGER")


def _print(told: list[tuple[Explanation, LogVerdict]], output: Format) -> None:
    if output is Format.JSON:
        for explanation, log in told:
            typer.echo(msgspec.json.encode({**msgspec.structs.asdict(explanation), "log": log}))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_WITHOUT_TERMINAL)
    if len(told) == 1:
        show_explanation(*told[0], console)
        return
    for explanation, log in told:
        show_briefly(explanation, log, console)
    sound = sum(not explanation.failures for explanation, _ in told)
    console.print(f"\n{len(told)} triggers, evidence of {sound} consistent")
