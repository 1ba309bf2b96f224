"""The delivery file that commands work with: `--delivery`, else the setting `delivery`, else `delivery.yaml`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import ConfigError

if TYPE_CHECKING:
    from engine.deliver.file import DeliveryFile
    from engine.rules.problems import Problem
    from engine.runtime.settings import Settings

DEFAULT_FILE = Path("delivery.yaml")

DeliveryOption = Annotated[
    Path | None,
    typer.Option("--delivery", metavar="FILE", help="The delivery file (else the setting, else delivery.yaml)."),
]


def delivery_path(settings: Settings) -> Path:
    """Where it is; ConfigError when nothing says so."""
    if settings.delivery is not None:
        return settings.delivery
    if DEFAULT_FILE.is_file():
        return DEFAULT_FILE
    raise ConfigError(
        [
            (
                "delivery: expected the path of a delivery file (--delivery, the setting `delivery`, or delivery.yaml "
                "here), found none; deploy/delivery/delivery.yaml is one to begin with"
            )
        ]
    )


def read_delivery(settings: Settings) -> tuple[DeliveryFile, tuple[Problem, ...]]:
    """What it says, with its warnings; ConfigError with every problem where one is an error."""
    from engine.deliver.file import load_file  # noqa: PLC0415 - the settings come first, apprise takes a second

    loaded = load_file(delivery_path(settings), os.environ)
    if loaded.file is None:
        raise ConfigError(loaded.problems)
    return loaded.file, loaded.problems
