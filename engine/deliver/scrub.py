"""Sensitive dimension values in texts for people: each is replaced by a short keyed hash, wherever it stands.

The hash is the same for the same value as long as the key is, so that messages about the same customer can be told to
be; without the key nobody can try values until one fits.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from engine.model.bottleneck import Bottleneck
from engine.model.trigger import ConflictEvidence, OffTrackEvidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engine.model.trigger import AnyEvidence, ReconciledSide, ReviewTrigger, SideEvidence

SHORT = 3
"""A value of fewer characters is replaced only where it stands alone: `a` is also part of words."""


def hashed(value: str, key: bytes) -> str:
    """`~1f2e3d4c`."""
    return "~" + blake2b(value.encode(), key=key[:64], digest_size=4).hexdigest()


class Scrubber:
    """Hides `values` in texts."""

    def __init__(self, values: Iterable[str], key: bytes) -> None:
        written = {form: hashed(value, key) for value in values if value for form in _forms(value)}
        longest_first = sorted(written, key=lambda form: (-len(form), form))
        self._hidden = written
        self._pattern = re.compile("|".join(map(_pattern, longest_first))) if written else None

    def text(self, text: str) -> str:
        """The text without them."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: self._hidden[match[0]], text)


def scrubber_of(trigger: ReviewTrigger, key: bytes) -> Scrubber:
    """One that knows the sensitive values of a review: those of its scope and of every series in its evidence."""
    data = trigger.data
    if not data.sensitive:
        return Scrubber((), key)
    values = {value for name, value in data.dimensions.items() if name in data.sensitive}
    for series in _strings(msgspec.to_builtins(data)):
        values.update(value for name, value in _dimensions(series).items() if name in data.sensitive)
    for bottleneck in _bottlenecks(data.evidence):
        values.update(_named(bottleneck, data.sensitive))
    return Scrubber(values, key)


def _bottlenecks(evidence: AnyEvidence | None) -> Iterator[Bottleneck]:
    """What carries a change stands by dimension, and its series may not be among those that are listed."""
    sides: tuple[SideEvidence | ReconciledSide, ...] = ()
    if isinstance(evidence, ConflictEvidence):
        sides = evidence.sides
    elif isinstance(evidence, OffTrackEvidence):
        sides = (evidence.measured,)
    yield from (side.bottleneck for side in sides if isinstance(side.bottleneck, Bottleneck))


def _named(bottleneck: Bottleneck, sensitive: Iterable[str]) -> Iterator[str]:
    for dimension in bottleneck.dimensions:
        if dimension.dimension in sensitive:
            yield from (each.value for each in dimension.values if each.value is not None)


def _forms(value: str) -> set[str]:
    """A value as it is, and as it stands in a series key."""
    return {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}


def _pattern(form: str) -> str:
    text = re.escape(form)
    return text if len(form) >= SHORT else rf"(?<![^\W_]){text}(?![^\W_])"


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _dimensions(text: str) -> Mapping[str, str]:
    """The dimensions in a series key or scope; empty where it is none."""
    begin = text.find("{")
    if begin < 0:
        return {}
    try:
        found = msgspec.json.decode(text[begin:], type=dict[str, str])
    except msgspec.MsgspecError:
        return {}
    return found
