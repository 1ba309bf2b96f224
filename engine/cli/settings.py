"""The options by which every command takes settings, and how they become `Settings`.

A command declares the ones it wants, each None by default (`config: ConfigOption = None`, `given: SetOption = None`,
`prefix: PrefixOption = None`), and calls `read_settings(config, given, prefix=prefix)`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import ConfigError
from engine.runtime.settings import Settings
from engine.runtime.settings_sources import FILE_VARIABLE, LoadedSettings, load_settings

DEFAULT_FILE = Path("counterpoint.yaml")
"""Read where it stands in the working directory and no other file is named."""

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file (else COUNTERPOINT_CONFIG, else counterpoint.yaml)."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting by its name, such as tick_interval=5s. Repeatable."),
]
BrokersOption = Annotated[
    str | None, typer.Option("--brokers", metavar="HOST:PORT[,...]", help="Bootstrap servers of the brokers.")
]
PrefixOption = Annotated[str | None, typer.Option("--prefix", help="What stands before the name of each own topic.")]
StartAtOption = Annotated[
    str | None, typer.Option("--start-at", help="Where a first start begins: earliest, latest, or an RFC 3339 time.")
]
RulesOption = Annotated[
    str | None, typer.Option("--rules", metavar="PATH[,...]", help="Rule files and folders, read together.")
]


def load(config: Path | None, given: list[str] | None, **flags: object) -> LoadedSettings:
    """Settings and their origins; `flags` by setting name, None where not given. ConfigError with every problem."""
    named: dict[str, object] = {}
    problems = []
    for item in given or []:
        name, equals, value = item.partition("=")
        if not equals:
            problems.append(f"flag --set: expected NAME=VALUE, found {item!r}")
        named[name.strip()] = value
    if problems:
        raise ConfigError(problems)
    named |= {name: value for name, value in flags.items() if value is not None}
    return load_settings(_file(config), os.environ, named)


def read_settings(config: Path | None, given: list[str] | None, **flags: object) -> Settings:
    """As `load`, without the origins."""
    return load(config, given, **flags).settings


def _file(config: Path | None) -> Path | None:
    if config is not None:
        return config
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
