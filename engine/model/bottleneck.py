"""Which values of a dimension carry the change of a KPI that was rolled up over them: a part of the evidence."""

from __future__ import annotations

from typing import Literal

import msgspec

Mostly = Literal["rate", "mix", "both"]


class ValueChange(msgspec.Struct, frozen=True):
    """What one `value` of a dimension (null: series that do not have it) adds to the change of the whole.

    `now` and `before` are its own: an amount, or of a ratio its own ratio (null where it has none). Of a ratio `change`
    is `rate` (its ratio changed) and `mix` (its weight changed) together, and the weights are its shares of the whole;
    all four are absent elsewhere.
    """

    value: str | None
    now: float | None
    before: float | None
    change: float
    rate: float | msgspec.UnsetType = msgspec.UNSET
    mix: float | msgspec.UnsetType = msgspec.UNSET
    weight_now: float | msgspec.UnsetType = msgspec.UNSET
    weight_before: float | msgspec.UnsetType = msgspec.UNSET


class DimensionChange(msgspec.Struct, frozen=True):
    """The change of the whole by the values of one `dimension`, what is most out of step first: at most 5 of
    `values_count`, and `rest` is what those that are left out carry together.

    Of a ratio `rate` and `mix` are the sums over all values; `mostly` is the one that has at least two thirds of the
    change, else `both`. They are absent where the values add up.
    """

    dimension: str
    values: tuple[ValueChange, ...]
    values_count: int
    rest: float
    rate: float | msgspec.UnsetType = msgspec.UNSET
    mix: float | msgspec.UnsetType = msgspec.UNSET
    mostly: Mostly | msgspec.UnsetType = msgspec.UNSET


class Named(msgspec.Struct, frozen=True):
    """What carries the change, where something does: a `value` of `dimension` (by itself, or by its own `rate`), or a
    change of `mix` over the values of it, of which `value` is the first. Where nothing does, a value of many that is
    far out of step with the others (`apart`). `change` is what it carries.
    """

    dimension: str
    value: str | None
    what: Literal["value", "rate", "mix", "apart"]
    change: float


class Bottleneck(msgspec.Struct, frozen=True):
    """The change of a rolled-up KPI against the mean of its baseline windows, dimension by dimension.

    `before` is the mean over the `windows_before` (merged) windows of the baseline, of a ratio that of the sums over
    them, and `now` that over the `windows_now` that were judged; `change` is their difference. The changes of all
    values of each dimension add up to it. `named` is null where no value and no mix carries
    enough of it, and none of many values is far out of step.
    """

    now: float
    before: float
    change: float
    windows_now: int
    windows_before: int
    named: Named | None
    dimensions: tuple[DimensionChange, ...]
