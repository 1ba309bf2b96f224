"""Windows that were restated after they had closed: what each was, what came of it, and whether that is mostly good.

A measurement that comes late changes a window too, and is none of that: stage 1 says which of both it was.
"""

from __future__ import annotations

from math import comb, copysign, fsum
from typing import TYPE_CHECKING, Final

import msgspec

from engine.correlate.judge import aggregate
from engine.model.governance import FavouredRestatements, RestatedTally, RestatedWindow
from engine.model.time import parse_own_time
from engine.rules.period_ends import is_near_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from engine.correlate.rings import Ring, RingWindow
    from engine.model.finding import BaselinePoint
    from engine.model.records import JoinRecord
    from engine.rules.resolved.catalogue import Aggregation, Direction
    from engine.rules.resolved.governance import RestatedInFavour
    from engine.rules.resolved.timing import ZoneTransition

ALIKE: Final = 1e-9
"""A change of less than this share of what there was is what adding and taking away leaves behind, and none."""

EVEN: Final = 0.5


class Noted(msgspec.Struct):
    """What restatements have made of a window: see `model.governance.RestatedWindow`."""

    before: float
    change: float
    times: int


def value_before(ring: Ring, record: JoinRecord, aggregation: Aggregation) -> float | None:
    """The value of the window that a record restates, as long as it is not put there; None where that is no
    restatement, or nothing is known of the series in that window.
    """
    window = ring.windows.get(record.window.index)
    if record.restated is not True or window is None or record.series not in window.shares:
        return None
    return _value(window, aggregation)


def note(noted: dict[int, Noted], ring: Ring, index: int, before: float, aggregation: Aggregation) -> None:
    """Note that a window that had the value `before` was restated."""
    value = _value(ring.windows[index], aggregation)
    if value is not None:
        known = noted.setdefault(index, Noted(before, 0.0, 0))
        known.change += value - before
        known.times += 1


def _value(window: RingWindow, aggregation: Aggregation) -> float | None:
    return aggregate([share.parts for share in window.shares.values()], aggregation, [window.bounds])


def restated_windows(noted: dict[int, Noted], ring: Ring, indices: Iterable[int]) -> tuple[RestatedWindow, ...]:
    """Those of the windows `indices` that are not what they would be without restatements; `near` is not looked at."""
    return tuple(
        RestatedWindow(ring.windows[index].bounds.start, each.before, each.change, each.times, near=False)
        for index in indices
        if (each := noted.get(index)) is not None and _is_changed(each)
    )


def _is_changed(noted: Noted) -> bool:
    return abs(noted.change) > ALIKE * max(abs(noted.before), abs(noted.before + noted.change))


def favoured(
    points: Sequence[BaselinePoint],
    restated: Iterable[RestatedWindow],
    direction: Direction,
    condition: RestatedInFavour,
    zone: Sequence[ZoneTransition],
) -> tuple[bool | None, FavouredRestatements]:
    """Whether the windows `points` (as they stand now) were restated in favour, and by what; None between yes and no:
    what was said stands. Periods end in local time of `zone`.
    """
    near = _nearness(condition, zone)
    windows = tuple(msgspec.structs.replace(each, near=near(each.start)) for each in restated)
    good = 1 if direction == "higher_is_better" else -1
    found = FavouredRestatements(
        windows=windows,
        all=_tally(points, windows, good),
        near=None
        if condition.period is None
        else _tally([each for each in points if near(each.start)], [each for each in windows if each.near], good),
        share=condition.in_favour,
        least=condition.changed,
        at_least=condition.at_least,
        limit=condition.limit,
    )
    return _verdict(found), found


def _nearness(condition: RestatedInFavour, zone: Sequence[ZoneTransition]) -> Callable[[str], bool]:
    def near(start: str) -> bool:
        period = condition.period
        return period is not None and is_near_end(parse_own_time(start), period, condition.near, zone)

    return near


def _tally(points: Sequence[BaselinePoint], windows: Sequence[RestatedWindow], good: int) -> RestatedTally:
    in_favour = sum(good * each.change > 0 for each in windows)
    net = fsum([each.change for each in windows])
    changes = {each.start: each.change for each in windows}
    without = fsum([abs(each.value - changes.get(each.start, 0.0)) for each in points])
    effect = good * net / without if without else copysign(1.0, good * net) if net else 0.0
    return RestatedTally(len(points), len(windows), in_favour, chance_of(in_favour, len(windows)), net, effect)


def chance_of(good: int, of: int) -> float:
    """The probability of at least `good` heads in `of` throws of a fair coin, exact but for the last division: the
    sign test, one-sided (Conover 1999, Practical Nonparametric Statistics, 3rd ed., section 3.4).
    """
    return sum(comb(of, each) for each in range(good, of + 1)) / (1 << of)


def _verdict(found: FavouredRestatements) -> bool | None:
    """It begins past all limits, and ends when half of one is no longer reached."""
    tallies = [found.all] if found.near is None else [found.all, found.near]
    if any(_is_past(each, found) for each in tallies):
        return True
    return None if any(_is_half_past(each, found) for each in tallies) else False


def _is_past(tally: RestatedTally, found: FavouredRestatements) -> bool:
    return (
        tally.changed >= found.least
        and tally.in_favour >= found.share * tally.changed
        and tally.chance <= found.limit
        and tally.effect >= found.at_least
    )


def _is_half_past(tally: RestatedTally, found: FavouredRestatements) -> bool:
    return (
        2 * tally.changed >= found.least
        and tally.in_favour >= (found.share + EVEN) / 2 * tally.changed
        and tally.effect >= found.at_least / 2
    )
