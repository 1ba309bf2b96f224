"""`counterpoint try-source`: what a source's mapping makes of its messages, before anything is copied."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.cli.settings import BrokersOption, ConfigOption, RulesOption, SetOption, read_settings
from engine.rules.loader import load_or_raise
from engine.rules.mapping import Mapped, Position, map_message

if TYPE_CHECKING:
    from engine.model.limits import Limits
    from engine.rules.resolved.source import Source
    from engine.rules.ruleset import RuleSet
    from engine.wire.columns import Rejected

_SHOWN_MAX = 600
_WIDTH_WITHOUT_TERMINAL = 140


class Foreign(NamedTuple):
    """A message of the source as it came."""

    position: Position
    value: bytes | None


def try_source(
    name: Annotated[str, typer.Argument(help="The source's id, as in its `kind: source` document.")],
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    rules: RulesOption = None,
    given: SetOption = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Messages from a file, one a line, instead of the topic."),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, max=1_000, help="How many messages.")] = 10,
) -> None:
    """Show messages of a source before and after its mapping: what each becomes, or why it is refused.

    The newest messages of the source's topic are read; nothing is written and nothing is committed.
    """
    settings = read_settings(config, given, brokers=brokers, rules=rules)
    rule_set = load_or_raise(settings.rules)
    source = _source(rule_set, name)
    messages = _from_file(file, source, count) if file else _from_topic(",".join(settings.brokers), source, count)
    if not messages:
        typer.echo(f"{file or source.topic} holds no messages yet.", err=True)
        return
    _show(source, rule_set, messages, settings.engine_limits)


def _source(rule_set: RuleSet, name: str) -> Source:
    names = [source.id for source in rule_set.sources]
    for source in rule_set.sources:
        if source.id == name:
            return source
    close = get_close_matches(name, names, 1)
    known = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
    raise typer.BadParameter(f"expected the id of a source, found {name}; {known}")


def _from_file(file: Path, source: Source, count: int) -> list[Foreign]:
    try:
        lines = [line for line in file.read_bytes().split(b"\n") if line.strip()][:count]
    except OSError as error:
        raise typer.BadParameter(f"--file: expected a file that can be read: {error}") from error
    return [Foreign(Position(source.topic, 0, offset), line) for offset, line in enumerate(lines)]


def _from_topic(bootstrap: str, source: Source, count: int) -> list[Foreign]:
    from engine.cli.newest_messages import newest_messages  # noqa: PLC0415 (with --file no Kafka client is needed)

    found = newest_messages(bootstrap, source.topic, count)
    return [Foreign(Position(source.topic, partition, record.offset), record.value) for partition, record in found]


def _show(source: Source, rule_set: RuleSet, messages: list[Foreign], limits: Limits) -> None:
    table = Table(title=f"{source.id}: {source.topic}", show_lines=True, title_justify="left")
    table.add_column("at", no_wrap=True)
    table.add_column("before", ratio=1, overflow="fold")
    table.add_column("after", ratio=1, overflow="fold")
    made = refused = passed_over = 0
    for message in messages:
        results = map_message(source, rule_set, message.value, message.position, limits)
        mapped = sum(isinstance(result, Mapped) for result in results)
        made, refused, passed_over = made + mapped, refused + len(results) - mapped, passed_over + (not results)
        place = f"{message.position.partition}:{message.position.offset}"
        table.add_row(place, _short(message.value or b"(no value)"), _after(results))
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)).print(table)
    typer.echo(
        f"{len(messages)} messages: {made} measurements, {refused} refused, {passed_over} passed over by the filters",
        err=True,
    )


def _after(results: list[Mapped | Rejected]) -> Text:
    if not results:
        return Text("passed over: no mapping's filter lets it through", style="dim")
    return Text("\n").join(_one(result) for result in results)


def _one(result: Mapped | Rejected) -> Text:
    if isinstance(result, Mapped):
        return Text(_short(result.value).plain, "green")
    item = "" if result.error.index is None else f"item {result.error.index}: "
    return Text(_short(f"{item}{result.error}".encode()).plain, "red")


def _short(value: bytes) -> Text:
    """Bytes as they can be shown: what is unreadable, or would move a terminal's cursor, is marked."""
    shown = value[:_SHOWN_MAX].decode(errors="replace")
    safe = "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in shown)
    return Text(safe + (" ..." if len(value) > _SHOWN_MAX else ""))
