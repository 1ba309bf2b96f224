"""What else the engine writes for people and programs: dead letters, KPI state, from what a value was worked out."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from engine.model.records import Parts, WindowBounds


class DeadLetter(msgspec.Struct, frozen=True):
    """A rejected input. `bytes` is the message as it came, base64; `index` the item in an array or NDJSON.

    `reason` is a short stable code, `detail` a sentence for people, `path` the place in the message.
    """

    reason: str
    detail: str
    path: str
    topic: str
    partition: int
    offset: int
    index: int | None
    bytes: str


class KpiState(msgspec.Struct, frozen=True):
    """The newest closed window of one series of a KPI that is published (`publish: true` in the catalogue)."""

    kpi: str
    series: str
    dimensions: dict[str, str]
    window: WindowBounds
    revision: int
    value: float
    unit: str
    parts: Parts


class Input(msgspec.Struct, frozen=True):
    """A KPI of a formula in one window: its merged value, and how many measurements of how many series it is of."""

    kpi: str
    value: float
    count: int
    series: int


class WorkedOut(msgspec.Struct, frozen=True):
    """What the header of such a value's record says: the tick at which it was worked out, and from what."""

    HEADER: ClassVar[str] = "counterpoint-worked-out"

    at: str
    inputs: tuple[Input, ...]
