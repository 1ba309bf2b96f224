"""A message's items: one measurement, a JSON array of them, or NDJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.errors import WireError
from engine.wire.json_text import JsonObject, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

_array = msgspec.json.Decoder(list[msgspec.Raw])


def items_of(message: bytes) -> Sequence[object] | None:
    """The items of an array or NDJSON, each as its own bytes or as parsed by `json_text`; None for a single one.

    A message of several lines is NDJSON when it is no JSON value as a whole and at least one line is an object by
    itself; white lines do not count. WireError `empty` or `not_json` for what is neither.
    """
    stripped = message.strip(b" \t\r\n")
    if not stripped:
        raise WireError("empty", "the message has no value, or white space only")
    if stripped.startswith(b"["):
        return _array_items(stripped)
    if b"\n" in stripped and not _is_json(stripped):
        lines = [line for line in stripped.split(b"\n") if line.strip()]
        return lines if any(map(_is_object, lines)) else None
    return None


def tree_of(data: bytes) -> object:
    """One item parsed; WireError `not_utf8` or `not_json`."""
    try:
        return parse(data.decode())
    except UnicodeDecodeError as error:
        raise WireError("not_utf8", f"byte {error.start} is not UTF-8 ({error.reason})") from error


def _array_items(message: bytes) -> Sequence[object]:
    """Bytes of each item where the array is JSON; parsed where writers emitted NaN, so that only that item suffers."""
    items: Sequence[object]
    try:
        items = [bytes(item) for item in _array.decode(message)]
    except (msgspec.MsgspecError, RecursionError):
        tree = parse(message.decode(errors="surrogateescape"))
        if not isinstance(tree, list):
            raise WireError("not_json", "expected an array") from None
        items = tree
    if not items:
        raise WireError("empty", "the array has no items")
    return items


def _is_json(data: bytes) -> bool:
    try:
        tree_of(data)
    except WireError:
        return False
    return True


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(tree_of(line), JsonObject)
    except WireError:
        return False
