"""Values as YAML 1.2 writes them: quoted where plain text would be taken for something else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from engine.model.time import DAY, HOUR, MINUTE, SECOND, Micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "nan", "inf"}


def text(value: str) -> str:
    """As plain text where that is safe anywhere, else in quotes."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """Without a fraction where there is none, never with an exponent that YAML would take for text."""
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004 - what a double holds exactly
        return str(int(value))
    return repr(value)


def duration(micros: Micros) -> str:
    """In the largest unit that divides it."""
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if micros and micros % size == 0:
            return f"{micros // size}{unit}"
    return f"{micros // SECOND}s"


def flow(items: Mapping[str, str]) -> str:
    """A mapping in one line; its values are written already."""
    return "{" + ", ".join(f"{text(name)}: {value}" for name, value in items.items()) + "}"


def listed(items: Iterable[str]) -> str:
    """A list in one line."""
    return "[" + ", ".join(text(item) for item in items) + "]"
