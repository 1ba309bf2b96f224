"""Foreign topics, and how their messages become measurements."""

from __future__ import annotations

from typing import Literal

import msgspec


class FieldRule(msgspec.Struct, frozen=True):
    """Where a value comes from in a foreign message: a `path` into it (`a.b[0].c`), or a constant."""

    path: str | None = None
    const: str | float | int | None = None


class FilterRule(msgspec.Struct, frozen=True):
    """Which messages count: `path` equals one of `values`, or merely exists (`values` empty). `negate` turns it
    round.
    """

    path: str
    values: tuple[str | float | bool | None, ...]
    negate: bool = False


class Mapping(msgspec.Struct, frozen=True):
    """How one foreign message becomes one measurement. `id` null: derived from the record's position."""

    kpi: FieldRule
    value: FieldRule
    time: FieldRule
    time_unit: Literal["rfc3339", "s", "ms", "us", "ns", "local"]
    time_zone: str | None
    dimensions: dict[str, FieldRule]
    id: tuple[FieldRule, ...]
    filter: tuple[FilterRule, ...]
    provenance: Literal["automated", "self_reported"]


class Source(msgspec.Struct, frozen=True):
    """A foreign topic, and what is taken from it."""

    id: str
    topic: str
    mappings: tuple[Mapping, ...]
