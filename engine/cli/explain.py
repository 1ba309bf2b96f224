"""`counterpoint explain`: a trigger recomputed, from its evidence and from the log."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console

from engine.brokers.reachable import wait_until_reachable
from engine.brokers.reader import read_values
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, load
from engine.cli.since import parse_since
from engine.errors import BrokerError, WireError
from engine.model.topics import TRIGGERS, full_name
from engine.offline.explain.explanation import explain as explanation_of
from engine.offline.explain.given import Given, given, read_given
from engine.offline.explain.log_verdict import NOT_ASKED, LogVerdict
from engine.offline.explain.text import show_briefly, show_explanation
from engine.runtime.settings_sources import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.offline.explain.explanation import Explanation
    from engine.runtime.settings import Settings

_WIDTH_WITHOUT_TERMINAL = 120
_STANDARD_INPUT = "-"
_PATIENCE_SECONDS = 2.0


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
    log: Annotated[
        bool | None,
        typer.Option(
            "--log/--no-log",
            help="Make it again from the log as well. Unless said: where TRIGGER is an id, or brokers are named.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME|DURATION",
            help="Begin with measurements that the broker took at or after it, not with the first.",
        ),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="For people, or a line of JSON a trigger.")] = Format.TEXT,
) -> None:
    """Recompute a trigger from its evidence, step by step with numbers, and say whether all of it is consistent.

    With a log, the measurements go through the stages of a worker again, in this process, and the bytes are compared.
    Nothing is written to the broker. Of several triggers in a file each gets a line; --only shows one in full.

    Exit status 0: consistent, and the log has the same bytes or was not asked, or no longer has them. 1: not
    consistent, or the log differs. 2: wrong usage, or no such trigger.
    """
    loaded = load(config, given_settings, brokers=brokers, prefix=prefix)
    settings, begin = loaded.settings, None if since is None else parse_since(since)
    found = _found(trigger, only, settings)
    unasked = NOT_ASKED
    if log is None and _is_file(trigger):
        log = loaded.origins["brokers"] != DEFAULT and len(found) == 1
        if log and not _answers(settings):
            log, unasked = False, LogVerdict("not asked", f"no broker answers at {', '.join(settings.brokers)}")
    verdicts = [unasked] * len(found) if log is False else _ask(settings, found, begin)
    told = list(zip((explanation_of(each, settings.engine_limits) for each in found), verdicts, strict=True))
    _print(told, output)
    if any(explanation.failures or log.verdict == "differs" for explanation, log in told):
        raise typer.Exit(1)


def _is_file(trigger: str) -> bool:
    return trigger == _STANDARD_INPUT or Path(trigger).is_file()


def _answers(settings: Settings) -> bool:
    """A file can be explained where the brokers of the settings are out of reach; then the log is not asked."""
    try:
        wait_until_reachable(",".join(settings.brokers), _PATIENCE_SECONDS)
    except BrokerError:
        return False
    return True


def _ask(settings: Settings, found: list[Given], since: int | None) -> list[LogVerdict]:
    from engine.cli.explain_log import verdicts_of_the_log  # noqa: PLC0415 (without a log nothing of it is needed)

    with Console(stderr=True).status("replaying the log"):
        return verdicts_of_the_log(settings, found, since)


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
