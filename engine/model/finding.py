"""A finding: one transition of one rule on one series, with the evidence that anyone can recompute it from."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.model.records import Ids, Parts, WindowBounds

Transition = Literal["firing", "worsened", "resolved"]
Status = Literal["new", "amended", "withdrawn"]


class RawPoint(msgspec.Struct, frozen=True, tag_field="type", tag="raw"):
    """A single measurement as the rule saw it."""

    time: str
    value: float
    id: str


class WindowPoint(msgspec.Struct, frozen=True, tag_field="type", tag="window"):
    """A window as the rule saw it: `value` is the KPI's `aggregation` of `parts`; of a KPI with a formula that stands
    there, and the one value that was worked out is all that `parts` are of.
    """

    window: WindowBounds
    value: float
    aggregation: str
    parts: Parts
    ids: Ids


class Silence(msgspec.Struct, frozen=True, tag_field="type", tag="silence"):
    """Nothing came: since `last_seen` (event time of the last measurement; null when never) by tick `tick_time`. Of a
    rule that does not look for silence: what its alert ended by (`no_data: ok`).
    """

    last_seen: str | None
    waited_since: str
    tick_time: str


class BaselinePoint(msgspec.Struct, frozen=True):
    """One of the earlier values that the usual level was taken from; `start` is its window's."""

    start: str
    value: float


class TrendPoint(msgspec.Struct, frozen=True):
    """What a break was judged by: a window, or for a slope the mean of a stretch of windows that begins at `start`.

    `usual` is what was expected of it: level and season as learned before the break; for a slope the former trend.
    """

    start: str
    value: float
    usual: float


class TrendBreak(msgspec.Struct, frozen=True):
    """A lasting break of a series: raised at `alarm` (a window's end), begun at `onset` (the start of the first
    window after the change point).

    `state`: `broken` when it is raised; `returned` when the series is back at its former level, `usual` when the
    break has lasted and become the usual level. `before`, `after` and `size` (their difference) are in the KPI's
    unit, for a slope in the KPI's unit a day.

    The statistic of a level is a CUSUM over `points`, oldest first, from 0 on. With d = value - usual and r =
    d - memory * (d of the window before, where that is the point before; else 0), z = r / sigma, held within `clip` on
    either side, divided by `widening`, and negated for a break down. The sum becomes max(0, sum + z - slack, jump)
    with jump = min((z - slack / (1 - memory)) / (1 - memory), 0.9 * limit): a shift that begins at this point.
    The statistic of a slope is the Mann-Kendall Z of value - usual over `points`, divided by `widening`; `clip` and
    `slack` are 0. `widening` is by how much sums of scores scatter more than independent ones.
    What ended (`returned`, `usual`) has no statistic; its points show what it was ended by.
    """

    shape: Literal["level", "slope"]
    direction: Literal["up", "down"]
    state: Literal["broken", "returned", "usual"]
    onset: str
    alarm: str
    before: float
    after: float
    size: float
    sigma: float
    memory: float
    widening: float
    clip: float
    slack: float
    points: tuple[TrendPoint, ...]


class BandPoint(msgspec.Struct, frozen=True):
    """A window against its band, as it was before the window was learned: `usual`, and the edges `low` and `high` that
    one window in a hundred lies beyond on either side; `excess` is how far beyond the edge on its side those lie on
    average.
    """

    start: str
    value: float
    usual: float
    low: float
    high: float
    excess: float


class Anomaly(msgspec.Struct, frozen=True):
    """A series outside its usual band, from the window that starts at `began` on.

    `state`: `unusual` while it is; `returned` when it is back, `usual` when it is back in a band whose level has moved
    meanwhile, as it stayed away. `seasonal`: whether the season is in use. The statistic is the sum over `points`,
    oldest first, of 2 + (value - high) / excess / ln 10 for one above its band (below: low - value), and of 0 for one
    that is within it, or that the rule's direction or least size leave out. What ended has no statistic; its points are
    those that it ended with.
    """

    state: Literal["unusual", "returned", "usual"]
    began: str
    seasonal: bool
    points: tuple[BandPoint, ...]


class ControlPoint(msgspec.Struct, frozen=True):
    """A window of a control chart; `statistic` is what the chart made of it and of those before."""

    start: str
    value: float
    statistic: float


class ControlChart(msgspec.Struct, frozen=True):
    """A control chart: where its centre and limits are, and the points, oldest first, that it was judged by.

    `centre` and `sigma` are those of a window, learned from `learned` windows and then frozen (0: declared). `judged`
    counts the points since, this one included. `direction`: the side that it is about; null where a run rule has none.

    `shewhart`: the statistic of a point is (value - centre) / sigma; `rules` are the run rules that the last point
    completes, the first of them with the evidence's `limit` (in sigmas; null where it looks at no zone); `onset` is
    the first point of the longest of these runs, and `points` are its points. Where none holds (`onset` is null) they
    are as many as any rule that is asked for takes.
    `ewma`: statistic + lambda * (value - statistic) of the point before, from the centre on; there is no onset.
    `cusum`: max(0, sum + z - slack) of the point before, held at twice the limit, with z = (value - centre) / sigma,
    negated downwards, from the head start on; `onset` is the first point after the sum was last 0.
    Of these two at most 15 points are listed: the first of them has its statistic from before.
    """

    chart: Literal["shewhart", "ewma", "cusum"]
    rules: tuple[str, ...]
    direction: Literal["up", "down"] | None
    centre: float
    sigma: float
    learned: int
    judged: int
    onset: str | None
    points: tuple[ControlPoint, ...]


class Evidence(msgspec.Struct, frozen=True, tag_field="type", tag="series"):
    """Everything that a finding rests on.

    `statistic` is the number held against `limit`: the value itself for a threshold, the relative or absolute change
    for a change; for a trend break, an anomaly and a control chart as `TrendBreak`, `Anomaly` and `ControlChart` say
    (`anomaly` and `control` stand there of no other). `point` is null only where a rule set took the rule away.
    `digests` maps the name of each other part to its digest (`model.identity.digest_of`).
    """

    condition: dict[str, Any]
    point: RawPoint | WindowPoint | Silence | None
    rule_set: str
    statistic: float | None = None
    limit: float | None = None
    baseline: float | None = None
    baseline_points: tuple[BaselinePoint, ...] = ()
    digests: dict[str, str] = {}
    trend: TrendBreak | None = None
    anomaly: Anomaly | msgspec.UnsetType = msgspec.UNSET
    control: ControlChart | msgspec.UnsetType = msgspec.UNSET


class Episode(msgspec.Struct, frozen=True):
    """How long a rule has been firing: points that breached, the first and last of them, and the worst value.

    `told`: of a worsened one, the worst value that was told before (null otherwise).
    """

    points: int
    first: str
    last: str
    worst: float
    told: float | None = None


class Finding(msgspec.Struct, frozen=True, tag_field="type", tag="finding"):
    """One transition of `rule` on `series`.

    `worsened`: it fires on, and is worse by the rule's `renotify` step than what was told last.
    `event_time` is the point's time (a window's end), or the tick's for silence. An `amended` or `withdrawn` finding
    carries the `cause` and a higher `revision`; `replaces` is the id of the finding that it changes.
    `scope` is what a review of it is about: the series' key, or for silence the source.
    `tick`, `tick_time`: the last tick of the stage 1 partition before it; null before the first.
    `opened_event_time`: of the firing transition that this one belongs to.
    `storm`: of a rule with a `limit`, the scope of the storm that its alert may be part of; such a finding waits for
    the barrier, and its record has this as key.
    """

    id: str
    rule: str
    kpi: str
    series: str
    dimensions: dict[str, str]
    transition: Transition
    status: Status
    revision: int
    event_time: str
    opened_event_time: str
    scope: str
    value: float | None
    evidence: Evidence
    episode: Episode | None
    tick: int
    tick_time: str | None
    cause: str | None = None
    replaces: str | None = None
    storm: str | msgspec.UnsetType = msgspec.UNSET
