"""Triggers as they are given: NDJSON as `counterpoint triggers --format json` writes it, or one JSON document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.errors import WireError
from engine.model.trigger import ReviewTrigger
from engine.offline.explain.account import Check
from engine.offline.explain.leaves import ABSENT, differences, join

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT = re.compile(r"at `\$\.?([^`]*)`$")
"""Where msgspec says that a value does not fit."""
_MISSING = re.compile(r"missing required field `([^`]*)`")


class Given(NamedTuple):
    """An event as decoded JSON, and the trigger that it is: None when it has not that shape (`misfits` says where)."""

    event: dict[str, Any]
    trigger: ReviewTrigger | None
    misfits: tuple[Check, ...]

    @property
    def id(self) -> str:
        """The trigger's id, as it says itself."""
        return str(self.event.get("id", ""))


def read_given(data: bytes) -> list[Given]:
    """Every trigger in `data`. WireError when something there is no review trigger at all."""
    found = [given(document) for document in _documents(data)]
    if not found:
        raise WireError("empty", "expected a review trigger, found nothing")
    return found


def _documents(data: bytes) -> Iterator[Any]:
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        for line in data.splitlines():
            if line.strip():
                yield _decoded(line)
        return
    yield from whole if isinstance(whole, list) else [whole]


def _decoded(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError("not_json", f"expected review triggers as JSON, found {line[:80]!r}: {error}") from error


def given(document: Any) -> Given:
    """One event; WireError unless it is at least an object with `data`."""
    if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
        raise WireError("no_trigger", f"expected a review trigger with its data, found {document!r:.80}")
    try:
        trigger = msgspec.convert(document, ReviewTrigger, strict=True)
    except msgspec.ValidationError as error:
        return Given(document, None, (_misfit(error),))
    written = msgspec.json.decode(msgspec.json.encode(trigger))
    misfits = tuple(
        Check(each.path, each.one, each.other, holds=False, why=_presence(each.one))
        for each in differences(document, written)
        if ABSENT in (each.one, each.other)
    )
    return Given(document, trigger, misfits)


def _presence(found: Any) -> str:
    return "a trigger has this field" if found == ABSENT else "a trigger has no such field"


def _misfit(error: msgspec.ValidationError) -> Check:
    text, place = str(error), _AT.search(str(error))
    path, missing = place[1] if place else "", _MISSING.search(text)
    return Check(join(path, missing[1]) if missing else path, None, None, holds=False, why=text.partition(" - at")[0])
