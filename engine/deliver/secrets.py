"""References to secrets: `${NAME}` is a variable of the environment, `file:PATH` what a file holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FILE = "file:"


class NoSecretError(Exception):
    """A reference that leads nowhere; says which, and never what it led to."""


def is_reference(text: str) -> bool:
    """Whether the whole of it is one reference."""
    return text.startswith(_FILE) or _VARIABLE.fullmatch(text) is not None


def resolve(text: str, environment: Mapping[str, str], folder: Path) -> str:
    """The text with what its references stand for; files are meant from `folder`. NoSecretError names what it lacks."""
    if text.startswith(_FILE):
        path = folder / text.removeprefix(_FILE)
        try:
            found = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NoSecretError(f"the file {path} cannot be read") from error
        if not found:
            raise NoSecretError(f"the file {path} is empty")
        return found
    for name in _VARIABLE.findall(text):
        if not environment.get(name):
            raise NoSecretError(f"the environment has no variable {name}")
    return _VARIABLE.sub(lambda match: environment[match[1]], text)
