"""`counterpoint explain`: a trigger recomputed, from its evidence and from the log."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console

from engine.brokers.reachable import wait_until_reachable
from engine.cli.explain_given import is_file, triggers_named
from engine.cli.explain_heard import unheard
from engine.cli.explain_plot import case_to_plot, plot_case
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, load
from engine.cli.since import parse_since
from engine.errors import BrokerError
from engine.offline.explain.explanation import explain as explanation_of
from engine.offline.explain.given import Given
from engine.offline.explain.log_verdict import NOT_ASKED, LogVerdict
from engine.offline.explain.text import show_briefly, show_explanation
from engine.runtime.settings_sources import DEFAULT

if TYPE_CHECKING:
    from engine.cli.explain_heard import Heard
    from engine.offline.explain.case import Case
    from engine.offline.explain.explanation import Explanation
    from engine.runtime.settings import Settings

_WIDTH_WITHOUT_TERMINAL = 120
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
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw it as well: FILE.png or FILE.svg.")
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
    found = triggers_named(trigger, only, settings)
    case = None if plot is None else case_to_plot(found, plot)
    if log is None and is_file(trigger):
        named = loaded.origins["brokers"] != DEFAULT and len(found) == 1
        heard = _hear_if_any(settings, found, begin, case) if named else unheard(NOT_ASKED, found, case)
    else:
        heard = unheard(NOT_ASKED, found, case) if log is False else _hear(settings, found, begin, case)
    if plot is not None and heard.case is not None:
        plot_case(heard.case, heard.around, plot)
    told = list(zip((explanation_of(each, settings.engine_limits) for each in found), heard.verdicts, strict=True))
    _print(told, output)
    if any(explanation.failures or verdict.verdict == "differs" for explanation, verdict in told):
        raise typer.Exit(1)


def _hear_if_any(settings: Settings, found: list[Given], since: int | None, case: Case | None) -> Heard:
    """A file can be explained where the brokers of the settings are out of reach; then the log is not asked."""
    try:
        wait_until_reachable(",".join(settings.brokers), _PATIENCE_SECONDS)
    except BrokerError:
        verdict = LogVerdict("not asked", f"no broker answers at {', '.join(settings.brokers)}")
        return unheard(verdict, found, case)
    return _hear(settings, found, since, case)


def _hear(settings: Settings, found: list[Given], since: int | None, case: Case | None) -> Heard:
    from engine.cli.explain_log import hear_the_log  # noqa: PLC0415 (without a log nothing of it is needed)

    with Console(stderr=True).status("replaying the log"):
        return hear_the_log(settings, found, since, case)


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
