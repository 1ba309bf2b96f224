"""`counterpoint triggers`: the review triggers, as any subscriber sees them."""

from __future__ import annotations

import itertools
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.brokers.reader import read_values
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.cli.since import parse_since
from engine.errors import WireError
from engine.model.time import parse_own_time
from engine.model.topics import SHADOW_TRIGGERS, TRIGGERS, full_name
from engine.model.trigger import ReviewTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_STYLES = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
_WIDTH_WITHOUT_TERMINAL = 160


class OutputFormat(StrEnum):
    """How to print."""

    TABLE = "table"
    JSON = "json"


def triggers(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as further ones come, until Ctrl-C.")] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="What rules in shadow mode would have said, and nobody was told.")
    ] = False,
    count: Annotated[
        int | None,
        typer.Option("--count", "-c", min=1, help="The newest so many; with --follow, the first so many, waited for."),
    ] = None,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="A table, or a line of JSON each, exactly as it stands in Kafka.")
    ] = OutputFormat.TABLE,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME|DURATION", help="Only those at or after it: RFC 3339, or 24h."),
    ] = None,
) -> None:
    """Show the review triggers: what was opened, updated, resolved or withdrawn, whose it is, and why.

    Repeats of a trigger, which a restarted worker may write, are shown once. Without --follow they are sorted by time.
    """
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    topic = full_name(settings.prefix, SHADOW_TRIGGERS if shadow else TRIGGERS)
    values = read_values(",".join(settings.brokers), topic, follow=follow)
    found = _once(values, None if since is None else parse_since(since))
    if follow:
        found = itertools.islice(found, count)
    else:
        found = iter(
            sorted(found, key=lambda pair: (parse_own_time(pair[0].time), pair[0].subject, pair[0].id))[-(count or 0) :]
        )
    try:
        if output is OutputFormat.JSON:
            _print_json(found)
        elif follow:
            _follow_table(found)
        else:
            _print_table(found)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _once(values: Iterable[bytes], since: int | None) -> Iterator[tuple[ReviewTrigger, bytes]]:
    """Each trigger with its bytes, the first time that its id comes."""
    seen: set[str] = set()
    for value in values:
        try:
            trigger = msgspec.json.decode(value, type=ReviewTrigger)
        except msgspec.MsgspecError as error:
            raise WireError("bad_trigger", f"expected a review trigger, found {value[:80]!r}: {error}") from error
        if trigger.id in seen:
            continue
        seen.add(trigger.id)
        if since is None or parse_own_time(trigger.time) >= since:
            yield trigger, value


def _print_json(found: Iterable[tuple[ReviewTrigger, bytes]]) -> None:
    for _, value in found:
        sys.stdout.buffer.write(value + b"\n")
        sys.stdout.buffer.flush()


def _print_table(found: Iterable[tuple[ReviewTrigger, bytes]]) -> None:
    table = _table(header=True)
    for trigger, _ in found:
        table.add_row(*_cells(trigger))
    if table.row_count:
        _console().print(table)
    typer.echo(f"{table.row_count} trigger{'' if table.row_count == 1 else 's'}", err=True)


def _follow_table(found: Iterable[tuple[ReviewTrigger, bytes]]) -> None:
    console, header = _console(), True
    for trigger, _ in found:
        table = _table(header=header)
        table.add_row(*_cells(trigger))
        console.print(table)
        header = False


def _table(*, header: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_header=header, expand=True)
    table.add_column("time", width=20, no_wrap=True)
    table.add_column("what", width=9)
    table.add_column("severity", width=8)
    table.add_column("rule", ratio=2, overflow="fold")
    table.add_column("about", ratio=2, overflow="fold")
    table.add_column("owner", ratio=1, overflow="fold")
    table.add_column("due", width=20, no_wrap=True)
    table.add_column("why", ratio=4)
    return table


def _cells(trigger: ReviewTrigger) -> tuple[Text, ...]:
    data = trigger.data
    happening = trigger.type.split(".")[2]
    why = f"(historical) {data.explanation}" if data.historical else data.explanation
    owners = ", ".join((data.owner, *data.participants))
    texts = (trigger.time, happening, data.severity, data.rule, data.scope, owners, data.due or "-", why)
    return tuple(Text(text, style=_STYLES[data.severity] if text is data.severity else "") for text in texts)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)
