"""What a review rests on, in two or three lines for people. The event itself has all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.finding import Evidence, RawPoint, Silence, WindowPoint
from engine.model.governance import GovernanceEvidence
from engine.model.trigger import (
    CadenceEvidence,
    ConflictEvidence,
    GroupEvidence,
    OffTrackEvidence,
    PrecisionEvidence,
    ReconciliationEvidence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.trigger import ReconciledSide, SideEvidence, TriggerData

LINES_MAX = 3


def evidence_lines(data: TriggerData) -> list[str]:
    """At most three lines; none where the trigger carries no evidence."""
    evidence = data.evidence
    unit = "" if data.kpi is None else f" {data.kpi.unit}"
    match evidence:
        case Evidence():
            lines = list(_series(evidence, unit))
        case ConflictEvidence():
            lines = [_side(side) for side in evidence.sides]
        case ReconciliationEvidence():
            lines = list(_reconciliation(evidence))
        case OffTrackEvidence():
            lines = list(_course(evidence, unit))
        case GroupEvidence():
            shown = [f"{member.series} ({member.rule})" for member in evidence.listed[:LINES_MAX]]
            more = evidence.count - len(shown)
            lines = [f"{evidence.count} firing: {', '.join(shown)}" + (f" and {more} more" if more > 0 else "")]
        case GovernanceEvidence():
            lines = list(_governed(evidence))
        case CadenceEvidence():
            lines = [f"{evidence.kpi} was to be reviewed by {evidence.due}; the last answer is of {evidence.since}"]
        case PrecisionEvidence():
            lines = [_precision(evidence)]
        case None:
            lines = []
    return lines[:LINES_MAX]


def number(value: float) -> str:
    """Six digits at most: `1.5`, `212`, `0.0123`."""
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"  # noqa: PLR2004 - a million is written out


def _reconciliation(evidence: ReconciliationEvidence) -> Iterator[str]:
    yield _reconciled("reported", evidence.reported)
    yield _reconciled("record", evidence.record)
    if evidence.departure is not None:
        sizes = (evidence.departure, evidence.tolerance)
        size, most = (f"{each:+.2%}" if evidence.relative else number(each) for each in sizes)
        yield f"departs by {size}, tolerance {most.lstrip('+')}"


def _made_of(point: WindowPoint) -> str:
    """Of a KPI with a formula there is one value, which nobody measured."""
    worked_out = " " in point.aggregation
    return point.aggregation if worked_out else f"{point.aggregation} of {point.parts.count} measurements"


def _series(evidence: Evidence, unit: str) -> Iterator[str]:
    point = evidence.point
    if isinstance(point, WindowPoint):
        yield (f"{number(point.value)}{unit} from {point.window.start} to {point.window.end} ({_made_of(point)})")
    elif isinstance(point, RawPoint):
        yield f"{number(point.value)}{unit} at {point.time} (measurement {point.id})"
    elif isinstance(point, Silence):
        yield f"nothing came since {point.last_seen or 'the beginning'}"
    value = point.value if isinstance(point, RawPoint | WindowPoint) else None
    statistic = None if evidence.statistic == value else evidence.statistic
    held = [
        f"{name} {number(each)}"
        for name, each in (("statistic", statistic), ("limit", evidence.limit), ("usual", evidence.baseline))
        if each is not None
    ]
    if held:
        yield ", ".join(held)
    if evidence.trend is not None:
        trend = evidence.trend
        yield f"{trend.shape} broke {trend.direction} at {trend.onset}: {number(trend.before)} to {number(trend.after)}"
    if evidence.anomaly:
        newest = evidence.anomaly.points[-1]
        yield f"usual band {number(newest.low)} to {number(newest.high)}, left at {evidence.anomaly.began}"
    if evidence.control:
        chart = evidence.control
        told = ", ".join(chart.rules) or chart.chart
        yield f"{told}: centre {number(chart.centre)}, sigma {number(chart.sigma)}"


def _governed(evidence: GovernanceEvidence) -> Iterator[str]:
    """The newest value of each KPI that was looked at; what was found of them is in the sentence."""
    for governed in evidence.kpis:
        if governed.points:
            newest = governed.points[-1]
            target = "" if governed.target is None else f", target {number(governed.target)}"
            yield f"{governed.kpi}: {number(newest.value)} from {newest.start}{target}"


def _side(side: SideEvidence) -> str:
    value = "no value" if side.value is None else number(side.value)
    usual = "" if side.usual is None else f", usually {number(side.usual)}"
    effect = "" if side.effect is None or side.usual is None else f" ({side.effect:+.1%})"
    return f"{side.kpi} {side.verdict}: {value}{usual}{effect}"


def _reconciled(name: str, side: ReconciledSide) -> str:
    value = "no value" if side.value is None else number(side.value)
    return f"{name} ({', '.join(side.kpis)}): {value} of {side.count} measurements"


def _course(evidence: OffTrackEvidence, unit: str) -> Iterator[str]:
    measured = evidence.measured
    if measured.value is not None:
        yield f"{number(measured.value)}{unit} of {measured.count} measurements; {evidence.points_count} windows in all"
    if evidence.forecast is not None and evidence.low is not None and evidence.high is not None:
        between = f"{number(evidence.low)} to {number(evidence.high)} at {evidence.confidence:.3g}"
        yield f"forecast {number(evidence.forecast)} ({between}) by {evidence.by}, target {number(evidence.target)}"
    if evidence.drift is not None and evidence.needed is not None:
        yield f"drift {number(evidence.drift)} a window, {number(evidence.needed)} needed for {evidence.ahead} windows"


def _precision(evidence: PrecisionEvidence) -> str:
    verdicts = ", ".join(f"{count} {name}" for name, count in sorted(evidence.verdicts.items()))
    return (
        f"{verdicts}: {evidence.share:.0%} were real, at most {evidence.high:.0%} by a 95 % interval; "
        f"expected at least {evidence.limit:.0%}"
    )
