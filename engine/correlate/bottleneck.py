"""The bottleneck of a side: what of its change the values of each dimension carry that it was rolled up over.

Made only where evidence is made, from the shares in the rings: the windows judged against those of the baseline.
"""

from __future__ import annotations

from math import fsum, isfinite
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.correlate.contributions import NOTHING, Amount, added, by_amount, by_ratio, named
from engine.model.bottleneck import Bottleneck

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.correlate.aligned import Aligned
    from engine.correlate.sides import AlignedSide
    from engine.correlate.track import Track
    from engine.model.bottleneck import DimensionChange
    from engine.model.limits import Limits
    from engine.model.records import Parts
    from engine.rules.resolved.catalogue import Aggregation

_OF_COUNT = ("mean", "share")


class Whole(NamedTuple):
    """What a side came to in so many windows: the amounts of its KPI by series, and of the KPI that it is `per`.

    `ratio`: whether they are of something, be it another KPI or their own number.
    """

    series: Mapping[str, Amount]
    per: Mapping[str, Amount] | None
    ratio: bool
    windows: int

    @property
    def total(self) -> Amount:
        """All of it, over all windows."""
        own = added(self.series.values())
        return own if self.per is None else Amount(own.value, added(self.per.values()).value)

    @property
    def value(self) -> float | None:
        """The value of the side, a window on average; None for the ratio of something to nothing."""
        total = self.total
        if not self.ratio:
            return total.value / self.windows
        return total.value / total.of if total.of else None


def adds_up(rolled: Mapping[str, Aggregation]) -> bool:
    """Whether a side of these KPIs can be told apart by value: no smallest, greatest or newest value can, nor can what
    there are none for.
    """
    how = list(rolled.values())
    if not how:
        return False
    if len(how) == 1:
        return how[0] in ("sum", "count", *_OF_COUNT)
    return all(each in ("sum", "count") for each in how)


def bottleneck_of(
    aligned: Aligned, track: Track, side: AlignedSide, now: Sequence[int], before: Sequence[int], limits: Limits
) -> Bottleneck | msgspec.UnsetType:
    """What changed in a side from its windows `before` to those of `now`; nothing where it was not rolled up, does not
    add up, or the windows are no longer there.
    """
    if not before or not adds_up(side.told_apart) or not _kept(aligned, track, before):
        return msgspec.UNSET
    try:
        wholes = [_whole(aligned, track, side, indices) for indices in (now, before)]
        found = compared(wholes[0], wholes[1], limits.bottleneck_values_max)
    except OverflowError:
        return msgspec.UNSET
    return msgspec.UNSET if found is None else found


def _kept(aligned: Aligned, track: Track, indices: Sequence[int]) -> bool:
    """Whether all that was merged into these windows is still in the rings."""
    return track.floor is None or min(indices) - aligned.over + 1 >= track.floor - aligned.reach


def _whole(aligned: Aligned, track: Track, side: AlignedSide, indices: Sequence[int]) -> Whole:
    shares: dict[str, dict[str, list[Parts]]] = {}
    for kpi in side.rolled:
        ring, of = track.rings.get(kpi), shares.setdefault(kpi, {})
        for window in (window for at in indices for window in (ring.spans(at, aligned.over) if ring else ())):
            for series, share in window.shares.items():
                of.setdefault(series, []).append(share.parts)
    return whole_of(shares, side.rolled, len(indices))


def whole_of(
    shares: Mapping[str, Mapping[str, Sequence[Parts]]], rolled: Mapping[str, Aggregation], windows: int
) -> Whole:
    """What the shares of each KPI's series come to."""
    amounts = [
        {series: _amount(parts, how) for series, parts in shares.get(kpi, {}).items()} for kpi, how in rolled.items()
    ]
    ratio = len(amounts) > 1 or next(iter(rolled.values())) in _OF_COUNT
    return Whole(amounts[0], amounts[1] if len(amounts) > 1 else None, ratio, windows)


def _amount(shares: Sequence[Parts], aggregation: Aggregation) -> Amount:
    count = float(sum(parts.count for parts in shares))
    if aggregation == "count":
        return Amount(count)
    if aggregation == "share":
        return Amount(float(sum(parts.nonzero for parts in shares)), count)
    return Amount(fsum([parts.sum for parts in shares]), count if aggregation == "mean" else 0.0)


def compared(now: Whole, before: Whole, listed_max: int) -> Bottleneck | None:
    """Dimension by dimension; None where no dimension has several values, or the change is no number."""
    here, there = now.value, before.value
    if here is None or there is None or not isfinite(here - there):
        return None
    values = Values((now, before))
    found = tuple(_by_dimension(name, now, before, values, listed_max) for name in values.rolled_over())
    if not found or not _are_finite(found):
        return None
    return Bottleneck(
        now=here,
        before=there,
        change=here - there,
        windows_now=now.windows,
        windows_before=before.windows,
        named=named(here, there, found),
        dimensions=found,
    )


class Values:
    """The dimensions of all series that two wholes are made of."""

    def __init__(self, wholes: Sequence[Whole]) -> None:
        self._own = {series: _dimensions(series) for whole in wholes for series in whole.series}
        self._per = {series: _dimensions(series) for whole in wholes for series in whole.per or ()}

    def rolled_over(self) -> list[str]:
        """Those that have several values, by name; not having it counts as one."""
        names = sorted({name for told in self._own.values() for name in told})
        return [name for name in names if len({told.get(name) for told in self._own.values()}) > 1]

    def in_per(self, name: str) -> bool:
        """Whether what they are divided by has it too."""
        return any(name in told for told in self._per.values())

    def grouped(self, whole: Whole, name: str, *, split: bool) -> dict[str | None, Amount]:
        """The amounts by value of a dimension; `split`: what they are divided by as well."""
        own = _by_value(whole.series, self._own, name)
        if whole.per is None or not split:
            return own
        per = _by_value(whole.per, self._per, name)
        return {value: Amount(own.get(value, NOTHING).value, per.get(value, NOTHING).value) for value in {*own, *per}}


def _dimensions(series: str) -> dict[str, str]:
    return msgspec.json.decode(series[series.index("{") :], type=dict[str, str])


def _by_value(amounts: Mapping[str, Amount], told: Mapping[str, dict[str, str]], name: str) -> dict[str | None, Amount]:
    found: dict[str | None, list[Amount]] = {}
    for series, amount in amounts.items():
        found.setdefault(told[series].get(name), []).append(amount)
    return {value: added(each) for value, each in found.items()}


def _by_dimension(name: str, now: Whole, before: Whole, values: Values, listed_max: int) -> DimensionChange:
    """A ratio per a KPI that does not have the dimension is that of each value to all of it, and these add up."""
    split = now.ratio and (now.per is None or values.in_per(name))
    pairs = values.grouped(now, name, split=split), values.grouped(before, name, split=split)
    if split:
        return by_ratio(name, pairs, (now.total, before.total), listed_max)
    of = [whole.total.of if whole.ratio else whole.windows for whole in (now, before)]
    here, there = ({value: each.value / by for value, each in pair.items()} for pair, by in zip(pairs, of, strict=True))
    return by_amount(name, (here, there), (now.value or 0.0, before.value or 0.0), listed_max)


def _are_finite(dimensions: Iterable[DimensionChange]) -> bool:
    return all(
        isfinite(each)
        for dimension in dimensions
        for each in (dimension.rest, *(value.change for value in dimension.values))
    )
