"""`counterpoint config`: every setting, its value and where that comes from."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from engine.cli.settings import (
    BrokersOption,
    ConfigOption,
    PrefixOption,
    RulesOption,
    SetOption,
    StartAtOption,
    load,
)
from engine.model.time import format_time
from engine.runtime.settings import Settings, format_duration, parse_duration
from engine.runtime.settings_sources import DEFAULT, masked, setting_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.runtime.settings_sources import LoadedSettings


class OutputFormat(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


def config(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    rules: RulesOption = None,
    start_at: StartAtOption = None,
    given: SetOption = None,
    output: Annotated[OutputFormat, typer.Option("--format", help="How to print.")] = OutputFormat.TEXT,
) -> None:
    """Show every setting and where its value comes from.

    Values come from the settings file, then from variables COUNTERPOINT_<NAME>, then from flags; the later one counts.
    Secrets are masked. Everything that is wrong with them is said at once.
    """
    loaded = load(config, given, brokers=brokers, prefix=prefix, rules=rules, start_at=start_at)
    if output is OutputFormat.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(_as_json(loaded)), indent=2).decode())
    else:
        typer.echo("\n".join(_as_lines(loaded)))


def _as_json(loaded: LoadedSettings) -> dict[str, dict[str, object]]:
    return {
        name: {"value": readable(loaded.settings, name), "origin": loaded.origins[name]} for name in setting_names()
    }


def _as_lines(loaded: LoadedSettings) -> Iterator[str]:
    rows = [(name, _as_text(readable(loaded.settings, name)), loaded.origins[name]) for name in setting_names()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, origin in rows:
        line = f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}"
        yield typer.style(line, dim=True) if origin == DEFAULT else line


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else "-" if value is None else str(value)


def readable(settings: Settings, name: str) -> object:
    """A setting as a user would write it: durations with their unit, times as RFC 3339; secrets masked."""
    value = masked(settings, name)
    if isinstance(value, tuple):
        return [str(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    if name == "start_at" and isinstance(value, int):
        return format_time(value)
    return format_duration(value) if isinstance(value, int) and _is_duration(name) else value


def _is_duration(name: str) -> bool:
    field = Settings.model_fields.get(name)
    return field is not None and any(getattr(item, "func", None) is parse_duration for item in field.metadata)
