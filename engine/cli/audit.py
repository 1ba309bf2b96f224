"""`counterpoint audit show|list`: who asked what of the engine, and what was made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from engine.cli.reviews_log import FormatOption, TextFormat, as_json, console, indented, read_audit, read_triggers
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.cli.since import parse_since
from engine.model.audit import CommandEntry
from engine.model.time import parse_own_time
from engine.offline.duty.open_set import life_of
from engine.offline.duty.selectors import find_review
from engine.offline.duty.story import Line, line_of_entry, story_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLES = {"refused": "red", "accepted": "green"}


def audit_show(
    review: Annotated[str, typer.Argument(metavar="REVIEW", help="Its id, or the beginning of it.")],
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    output: FormatOption = TextFormat.TEXT,
) -> None:
    """Tell the whole story of a review in order of time: its transitions, what people asked and what was refused and
    why, the silences that matched it, and the rule sets that came into force meanwhile.
    """
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    triggers, entries = list(read_triggers(settings)), read_audit(settings)
    known = {trigger.data.review for trigger in triggers}
    known |= {entry.command.review for entry in entries if isinstance(entry, CommandEntry)}
    found = find_review(known, review)
    story = story_of(life_of(triggers, found), entries, found)
    if output is TextFormat.JSON:
        typer.echo(as_json({"review": found, "story": story}))
    else:
        typer.echo(f"Review {found}")
        _print(story)


def audit_list(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME|DURATION", help="Only what came at or after it: RFC 3339, or 7d."),
    ] = None,
    output: FormatOption = TextFormat.TEXT,
) -> None:
    """List the audit trail in order of time: commands and their answers, silences, rule sets."""
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    first = None if since is None else parse_since(since)
    entries = [entry for entry in read_audit(settings) if first is None or parse_own_time(entry.time) >= first]
    if output is TextFormat.JSON:
        typer.echo(as_json(entries))
    else:
        _print([line_of_entry(entry) for entry in entries])
        typer.echo(f"{len(entries)} entr{'y' if len(entries) == 1 else 'ies'}", err=True)


def _print(lines: Sequence[Line]) -> None:
    terminal = console()
    for line in lines:
        head = f"{line.time}  {line.what.replace('_', ' ')}"
        by = f" by {line.who}" if line.who else ""
        terminal.print(Text(head + by, style=_STYLES.get(line.outcome or "", "")), soft_wrap=True)
        indented(terminal, line.sentence, 4, "dim")
