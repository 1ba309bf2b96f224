"""What is kept of one governance rule: the windows of its KPIs, what is firing on it, and what was said."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.correlate.governance.restated import Noted, note, value_before
from engine.correlate.governance.spans import Said
from engine.correlate.judge import aggregate, more_of
from engine.correlate.rings import Ring, Share
from engine.model.finding import BaselinePoint
from engine.model.governance import FiringThen, MovedField
from engine.model.records import Ids, Parts
from engine.model.time import Micros, parse_own_time
from engine.rules.resolved.catalogue import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.model.records import JoinRecord
    from engine.rules.resolved.catalogue import Aggregation

MEMBERS: Final = 7
"""A series that sent something in the last so many windows is waited for. What is older is merged and final: a watch of
many windows holds one share of each, however many series there are.
"""

_MERGED = "*"


class Watch(msgspec.Struct):
    """The state of (rule, scope). `judged`: the newest window that was judged. `opened` names the alert that is on;
    `told` is what was last said of it, where that can change.

    Over windows: the `verdicts` that can still change (None: between yes and no), the window that began what was on
    before them (`carried`), and the alerts that were said. Of a target: what it was when last seen, since
    when (`since`, and whether an activation changed it then). Of goalposts: what is firing by `rule|series`; what the
    rule set took away at the barrier of time `taken_at`; what was moved. Of restatements: what they have made of
    windows, by index.
    """

    rule: str
    scope: str
    rings: dict[str, Ring] = {}
    judged: int | None = None
    opened: str | None = None
    told: str = ""
    wake: Micros | None = None
    target: Target | None = None
    since: str | None = None
    changed: bool = False
    firing: dict[str, FiringThen] = {}
    taken: dict[str, FiringThen] = {}
    taken_at: Micros | None = None
    moved: tuple[MovedField, ...] = ()
    restated: dict[int, Noted] = {}
    verdicts: dict[int, bool | None] = {}
    carried: int | None = None
    said: list[Said] = []


class Holding(NamedTuple):
    """How long a watch waits for a series (`idle`, of tick time); how many `windows` each of its rings holds, and how
    many of them can still be restated. `restated`: restatements are noted, by what the KPI makes of its measurements.
    """

    idle: Micros
    windows: int
    unsettled: int = MEMBERS
    restated: Aggregation | None = None


def take(watch: Watch, records: Iterable[JoinRecord], now: Micros, holding: Holding) -> int | None:
    """Put shares into the rings; the first window that may be judged from now on, or is not what it was any more.

    What is final was so before this barrier: it may bring more windows than are kept, those of one series first.
    """
    changed: list[int] = []
    floors = {kpi: floor_of(ring, holding.unsettled) for kpi, ring in watch.rings.items()}
    for record in records:
        index = record.window.index
        ring = watch.rings.get(record.kpi)
        if ring is None:
            ring = watch.rings[record.kpi] = Ring(record.kpi, index)
        if index >= floors.get(record.kpi, index):
            is_new = _put(watch, ring, record, now, holding.restated)
            if is_new and ring.windows[index].ready:
                changed.append(index)
    for ring in watch.rings.values():
        changed += ring.settle(now, holding.idle, MEMBERS)
    wakes = (ring.wake(holding.idle) for ring in watch.rings.values())
    watch.wake = min((at for at in wakes if at is not None), default=None)
    return min(changed, default=None)


def tidy(watch: Watch, holding: Holding) -> None:
    """Merge what is final by now, and let go of what nothing looks back at, once all of it was judged: not even from
    what still waits.
    """
    for ring in watch.rings.values():
        floor = floor_of(ring, holding.unsettled)
        _merge(ring, floor)
        kept = sorted(index for index in ring.windows if index <= floor + holding.unsettled)
        if len(kept) > holding.windows:
            ring.forget(kept[-holding.windows])
            watch.restated = {index: each for index, each in watch.restated.items() if index in ring.windows}


def _put(watch: Watch, ring: Ring, record: JoinRecord, now: Micros, aggregation: Aggregation | None) -> bool:
    """Keep a share, and note what it restates where that is asked for."""
    before = None if aggregation is None else value_before(ring, record, aggregation)
    if not ring.put(record, now):
        return False
    if aggregation is not None and before is not None:
        note(watch.restated, ring, record.window.index, before, aggregation)
    return True


def floor_of(ring: Ring, unsettled: int) -> int:
    """The first window that can still be restated: those before it are so far behind the newest that nothing does. Of
    a backlog it is the first that still waits for a series, however old.
    """
    return min([max(ring.windows) - unsettled, *ring.unready])


def aligned(watch: Watch, kpis: Iterable[str]) -> list[int]:
    """The windows that are complete of all these KPIs, ascending."""
    sets = [
        {index for index, window in watch.rings[kpi].windows.items() if window.ready} if kpi in watch.rings else set()
        for kpi in kpis
    ]
    return sorted(set.intersection(*sets)) if sets else []


def points(
    watch: Watch, kpi: str, aggregation: Aggregation, indices: Iterable[int]
) -> tuple[BaselinePoint, ...] | None:
    """The KPI's value in each of these windows; None where one has none."""
    windows = watch.rings[kpi].windows
    found = []
    for index in indices:
        parts = [share.parts for share in windows[index].shares.values()]
        value = aggregate(parts, aggregation, [windows[index].bounds])
        if value is None:
            return None
        found.append(BaselinePoint(windows[index].bounds.start, value))
    return tuple(found)


def _merge(ring: Ring, floor: int) -> None:
    """Make one share of those of each window that is final."""
    for index, window in ring.windows.items():
        if len(window.shares) > 1 and index < floor:
            parts = merged([share.parts for share in window.shares.values()])
            window.shares = {_MERGED: Share(0, parts, Ids(parts.count, "0", "", ""))}


def merged(parts: list[Parts]) -> Parts:
    """The parts of all of them together; of equal newest times the greatest value is the last."""
    filled = [each for each in parts if each.count] or parts
    last_time, last = max([(parse_own_time(each.last_time), each.last) for each in filled])
    together = Parts(
        count=sum([each.count for each in parts]),
        sum=fsum([each.sum for each in parts]),
        min=min([each.min for each in filled]),
        max=max([each.max for each in filled]),
        nonzero=sum([each.nonzero for each in parts]),
        last=last,
        last_time=next(each.last_time for each in filled if parse_own_time(each.last_time) == last_time),
    )
    more = more_of(filled)
    return msgspec.structs.replace(together, **more) if more else together
