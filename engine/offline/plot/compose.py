"""The picture of a trigger, composed of its evidence and of what the log has around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.align import aligned_of
from engine.correlate.conflict import Conflict
from engine.correlate.reconcile import Reconcile
from engine.model.finding import Evidence, RawPoint, WindowPoint
from engine.model.governance import FavouredRestatements, GovernanceEvidence
from engine.model.time import Micros, parse_own_time
from engine.model.trigger import (
    ConflictEvidence,
    FindingName,
    GroupEvidence,
    OffTrackEvidence,
    ReconciliationEvidence,
    TurnName,
)
from engine.offline.plot.control import control_panel
from engine.offline.plot.course import course_panel
from engine.offline.plot.picture import Around, Level, Mark, Moment, Panel, Picture, Row, place_of
from engine.review.numbers import number
from engine.review.spans import offset_at
from engine.rules.resolved.condition import Change, Composite, MissingData, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.correlate.conflict import Side
    from engine.correlate.sides import AlignedSide
    from engine.model.finding import Anomaly, TrendBreak
    from engine.model.governance import GovernedKpi
    from engine.model.trigger import AnyEvidence, SideEvidence
    from engine.offline.explain.case import Case


def picture_of(case: Case, around: Around | None = None) -> Picture | None:
    """None for a trigger without anything to be seen: a command moved the review, or a rule set took the rule away."""
    there, evidence = around or {}, case.data.evidence
    zone = case.rule.window.zone
    picture = Picture(
        sentence=case.data.explanation,
        zone=zone or "UTC",
        local=lambda time: time if zone is None else time + offset_at(time, zone, case.rules),
        moments=tuple(_moments(case)),
        firing=_firing(case),
    )
    if isinstance(evidence, GroupEvidence) and evidence.listed:
        title, label = _heads(case)
        return picture._replace(rows=tuple(_rows(case, evidence, there)), rows_title=title, rows_label=label)
    panels = tuple(_panels(case, evidence, there))
    return picture._replace(panels=panels) if panels else None


def _panels(case: Case, evidence: AnyEvidence | None, there: Around) -> Iterator[Panel]:
    match evidence:
        case Evidence(point=RawPoint() | WindowPoint() as point):
            yield _series(case, evidence, point, there)
        case ConflictEvidence():
            for judged, said in zip(Conflict(case.rule, case.rules).sides, evidence.sides, strict=True):
                yield _side(case, judged, said, there)
        case ReconciliationEvidence():
            yield from _reconciled(case, evidence, there)
        case GovernanceEvidence():
            for each in evidence.kpis:
                yield _governed(case, evidence, each, there)
        case OffTrackEvidence():
            [side] = aligned_of(case.rule, case.rules).aligned
            yield course_panel(case, evidence, there.get(name_of(side), ()))


def _heads(case: Case) -> tuple[str, str]:
    """Of the rows, and what a bar in them says."""
    condition = case.rule.condition
    if isinstance(condition, MissingData):
        return "Which series are silent", "silent"
    if isinstance(condition, Composite) and (condition.absent or condition.op == "sequence"):
        return "Which rules began", "since it began"
    return f"Which {'series' if case.rule.gathers_series else 'rules'} are firing", "firing"


def _moments(case: Case) -> Iterator[Moment]:
    data, moved_by = case.data, case.data.moved_by
    now = parse_own_time(data.event_time)
    if isinstance(data.evidence, Evidence) and data.evidence.trend is not None:
        yield Moment("onset", parse_own_time(data.evidence.trend.onset))
    if isinstance(data.evidence, Evidence) and data.evidence.anomaly:
        yield Moment("onset", parse_own_time(data.evidence.anomaly.began))
    if isinstance(data.evidence, Evidence) and data.evidence.control and data.evidence.control.onset is not None:
        yield Moment("onset", parse_own_time(data.evidence.control.onset))
    if isinstance(moved_by, FindingName):
        yield Moment("alarm", parse_own_time(moved_by.opened_event_time))
        if moved_by.transition == "resolved":
            yield Moment("over", now)
    elif isinstance(moved_by, TurnName):
        yield Moment("alarm", parse_own_time(moved_by.opened))
        if moved_by.turn == "ended":
            yield Moment("over", now)


def _firing(case: Case) -> tuple[Micros, Micros] | None:
    episode = case.data.episode
    if episode is None or episode.first == episode.last:
        return None
    first, last = parse_own_time(episode.first), parse_own_time(episode.last)
    if case.rule.points == "raw" or not isinstance(case.data.evidence, Evidence):
        return first, last
    # An episode names windows by their ends; here they stand where they begin.
    view = case.view_of(case.rule_row())
    return place_of(case.bounds(view, case.cell_at(view, first - 1)), case.rule.window), last


def _series(case: Case, evidence: Evidence, point: RawPoint | WindowPoint, around: Around) -> Panel:
    kpi = case.rules.kpi_by_id[str(case.rule.kpi)]
    if evidence.trend is not None:
        return _trend(case, evidence.trend, around)
    if evidence.anomaly:
        return _band(case, evidence.anomaly, around)
    if evidence.control:
        return control_panel(case, evidence, evidence.control, around)
    place = parse_own_time(point.time) if isinstance(point, RawPoint) else place_of(point.window, case.rule.window)
    moved_by = case.data.moved_by
    series = moved_by.series if isinstance(moved_by, FindingName) else kpi.id
    return Panel(
        title=f"{kpi.title} ({series})",
        unit=kpi.unit,
        judged=(Mark(place, point.value),),
        earlier=tuple(Mark(parse_own_time(each.start), each.value) for each in evidence.baseline_points),
        around=around.get(series, ()),
        levels=tuple(_levels(case, evidence)),
    )


def _trend(case: Case, trend: TrendBreak, around: Around) -> Panel:
    """The points of a break, what was usual of each, and for a level where it was before and is since the onset."""
    kpi = case.rules.kpi_by_id[str(case.rule.kpi)]
    series = case.data.moved_by.series if isinstance(case.data.moved_by, FindingName) else kpi.id
    points = [(parse_own_time(each.start), each) for each in trend.points]
    onset, last = parse_own_time(trend.onset), parse_own_time(case.data.event_time)
    levels: tuple[Level, ...] = ()
    if trend.shape == "level":
        first = min(onset, points[0][0])
        levels = (
            Level("before", f"before {number(trend.before)}", trend.before, first, onset),
            Level("after", f"after {number(trend.after)}", trend.after, onset, last),
        )
    return Panel(
        title=f"{kpi.title} ({series})",
        unit=kpi.unit,
        judged=tuple(Mark(time, each.value) for time, each in points),
        expected=tuple(Mark(time, each.usual) for time, each in points),
        around=around.get(series, ()),
        levels=levels,
    )


def _band(case: Case, anomaly: Anomaly, around: Around) -> Panel:
    """The windows of the score, what was usual of each, and the edges of the newest one's band."""
    kpi = case.rules.kpi_by_id[str(case.rule.kpi)]
    series = case.data.moved_by.series if isinstance(case.data.moved_by, FindingName) else kpi.id
    points = [(parse_own_time(each.start), each) for each in anomaly.points]
    newest = anomaly.points[-1]
    return Panel(
        title=f"{kpi.title} ({series})",
        unit=kpi.unit,
        judged=tuple(Mark(time, each.value) for time, each in points),
        expected=tuple(Mark(time, each.usual) for time, each in points),
        around=around.get(series, ()),
        levels=tuple(Level("limit", f"band {number(value)}", value) for value in (newest.low, newest.high)),
    )


def _governed(case: Case, evidence: GovernanceEvidence, governed: GovernedKpi, around: Around) -> Panel:
    kpi, target = case.rules.kpi_by_id[governed.kpi], governed.target
    levels = () if target is None else (Level("limit", f"target {number(target)}", target),)
    return Panel(
        title=kpi.title,
        unit=kpi.unit,
        judged=tuple(Mark(parse_own_time(point.start), point.value) for point in governed.points),
        expected=_without_restatements(evidence, governed),
        expected_name="without restatements",
        around=around.get(governed.kpi, ()),
        levels=levels,
    )


def _without_restatements(evidence: GovernanceEvidence, governed: GovernedKpi) -> tuple[Mark, ...]:
    """What the windows would be; nothing where the verdict is not about that."""
    if not isinstance(evidence.found, FavouredRestatements):
        return ()
    changes = {each.start: each.change for each in evidence.found.windows}
    return tuple(
        Mark(parse_own_time(point.start), point.value - changes.get(point.start, 0.0)) for point in governed.points
    )


def _levels(case: Case, evidence: Evidence) -> Iterator[Level]:
    condition, usual = case.rule.condition, evidence.baseline
    if isinstance(condition, Threshold):
        for value in (condition.low, condition.high):
            if value is not None:
                yield Level("limit", f"limit {number(value)}", value)
        if condition.recover_at is not None:
            yield Level("recover", f"recovers at {number(condition.recover_at)}", condition.recover_at)
    elif isinstance(condition, Change) and usual is not None:
        yield Level("usual", f"usual {number(usual)}", usual)
        for by in (condition.up, None if condition.down is None else -condition.down):
            if by is not None:
                value = usual + (abs(usual) * by if condition.relative else by)
                yield Level("limit", f"limit {number(value)}", value)


def _side(case: Case, side: Side, said: SideEvidence, around: Around) -> Panel:
    title = " per ".join(case.rules.kpi_by_id[kpi].title for kpi in side.kpis)
    lag = f", {side.lag} window{'' if side.lag == 1 else 's'} later" if side.lag else ""
    unit = " per ".join(case.rules.kpi_by_id[kpi].unit for kpi in side.kpis)
    judged: tuple[Mark, ...] = ()
    if said.value is not None and said.windows:
        judged = (Mark(parse_own_time(said.windows[0].start), said.value),)
    return Panel(
        title=f"{title}{lag}: {said.verdict}",
        unit=unit,
        judged=judged,
        earlier=tuple(Mark(parse_own_time(each.start), each.value) for each in said.baseline_points),
        around=around.get(name_of(side), ()),
        levels=tuple(_levels_of_side(side, said)),
    )


def _reconciled(case: Case, evidence: ReconciliationEvidence, around: Around) -> Iterator[Panel]:
    """What is reported with the band that the record allows it, and the record."""
    sides = ("reported", evidence.reported), ("record", evidence.record)
    for side, (name, said) in zip(Reconcile(case.rule, case.rules).aligned, sides, strict=True):
        judged: tuple[Mark, ...] = ()
        if said.value is not None and said.windows:
            judged = (Mark(parse_own_time(said.windows[0].start), said.value),)
        titles = ", ".join(case.rules.kpi_by_id[kpi].title for kpi in side.kpis)
        yield Panel(
            title=f"{titles}: {name}",
            unit=case.rules.kpi_by_id[side.kpi].unit,
            judged=judged,
            around=around.get(name_of(side), ()),
            levels=tuple(_allowed(evidence)) if name == "reported" else (),
        )


def _allowed(evidence: ReconciliationEvidence) -> Iterator[Level]:
    record = evidence.record.value
    if record is None:
        return
    yield Level("usual", f"record {number(record)}", record)
    margin = evidence.tolerance * abs(record) if evidence.relative else evidence.tolerance
    for value in (record - margin, record + margin):
        yield Level("limit", f"limit {number(value)}", value)


def name_of(side: AlignedSide) -> str:
    """What a side is called among `Around`."""
    return f"{side.number}: {side.kpi}"


def _levels_of_side(side: Side, said: SideEvidence) -> Iterator[Level]:
    if said.usual is not None:
        yield Level("usual", f"usual {number(said.usual)}", said.usual)
    if said.limit is None or (side.judge.level is None and said.usual is None):
        return
    usual = 0.0 if said.usual is None else said.usual
    value = said.limit if side.judge.level is not None else usual + said.limit * abs(usual)
    yield Level("limit", f"limit {number(value)}", value)


def _rows(case: Case, evidence: GroupEvidence, around: Around) -> Iterator[Row]:
    end = parse_own_time(case.data.event_time)
    for member in evidence.listed:
        since = parse_own_time(member.event_time)
        label = f"{member.rule}\n{member.series}"
        if member.silence is not None:
            label = member.series
            since = parse_own_time(member.silence.last_seen or member.silence.waited_since)
        measured = tuple(mark.time for mark in around.get(member.series, ()))
        yield Row(label, since, end, measured)
