"""JSON as people write it wrongly: parsed so that what is wrong can be named.

Beyond JSON it reads NaN and Infinity (many writers emit them), as `NotFinite`, and remembers names that stand twice.
"""

from __future__ import annotations

import json

from engine.errors import WireError

_DIGITS_MAX = 400
"""Every integer of more digits is past the largest double; Python refuses to read very long ones."""


class JsonObject(dict[str, object]):
    """A JSON object; `duplicate` is a name that stands in it twice."""

    duplicate: str | None = None


class NotFinite:
    """NaN, Infinity or -Infinity, as it was written."""

    def __init__(self, written: str) -> None:
        self.written = written


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    found = JsonObject(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        found.duplicate = next(name for name in names if names.count(name) > 1)
    return found


def _integer(text: str) -> int | float:
    return int(text) if len(text) < _DIGITS_MAX else float(text)


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=NotFinite)


def parse(text: str) -> object:
    """The value that `text` holds; objects are JsonObject. WireError `not_json`."""
    if text.startswith("\ufeff"):
        raise WireError("not_json", "the message begins with a byte order mark: write UTF-8 without one")
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise WireError("not_json", f"{error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise WireError("not_json", "nested too deep to be read") from error
