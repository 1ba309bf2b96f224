"""Conditions as they run: every default said, percentages as shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from engine.rules.bind_control import bind_control_chart
from engine.rules.bind_watched import bind_watched, others_named
from engine.rules.resolved.condition import (
    Anomaly,
    Change,
    Composite,
    ConflictSide,
    CounterpartConflict,
    Judge,
    MissingData,
    OffTrack,
    Reconciliation,
    Threshold,
    TrendBreak,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Counterpart, Kpi
    from engine.rules.resolved.condition import Condition
    from engine.rules.resolved.rule import Rule
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.composite import CompositeSpec
    from engine.rules.spec.conditions import (
        AnomalySpec,
        ChangeSpec,
        ConflictSpec,
        JudgeSpec,
        MissingDataSpec,
        ThresholdSpec,
        TrendBreakSpec,
    )
    from engine.rules.spec.off_track import OffTrackSpec
    from engine.rules.spec.reconciliation import ReconciliationSpec

NOISE_DEFAULT = 3.0
LEVEL_LIMITS = {"low": 14.0, "normal": 10.0, "high": 7.0}
SLOPE_LIMITS = {"low": 5.0, "normal": 4.0, "high": 3.0}
SCORE_LIMITS = {"low": 10.0, "normal": 7.0, "high": 5.0}


def members_of(spec: RuleSpec, kpis: Mapping[str, Kpi]) -> list[str]:
    """The KPIs that a rule on series looks at, its own first."""
    conflict, reconciliation = spec.condition.counterpart_conflict, spec.condition.reconciliation
    kpi = kpis[str(spec.kpi)]
    members = [kpi.id, *(_record_of(reconciliation, kpi, kpis) if reconciliation else ())]
    for counterpart in counterparts_of(conflict, kpi) if conflict else ():
        members.append(counterpart.kpi)
        if counterpart.per:
            members.append(counterpart.per)
    governance = spec.condition.governance
    members += [] if governance is None else others_named(governance, kpi, kpis)
    return list(dict.fromkeys(members))


def counterparts_of(conflict: ConflictSpec, kpi: Kpi) -> list[Counterpart]:
    """The counterparts of `kpi` that a conflict names, sorted by KPI; all of them unless it names some."""
    chosen = conflict.counterparts
    return [counterpart for counterpart in kpi.counterparts if chosen is None or counterpart.kpi in chosen]


def shared_dimensions(kpis: Iterable[Kpi]) -> tuple[str, ...]:
    """The dimensions that all of them have, sorted."""
    sets = [set(kpi.dimensions) for kpi in kpis]
    return tuple(sorted(set.intersection(*sets))) if sets else ()


def bind_condition(spec: RuleSpec, kpis: Mapping[str, Kpi], lateness: Micros) -> Condition:
    """The running form of the one condition of a rule on series; its references must all resolve."""
    condition = spec.condition
    for name, bind in _ALONE.items():
        declared = getattr(condition, name)
        if declared is not None:
            return bind(declared)
    kpi = kpis[str(spec.kpi)]
    if condition.counterpart_conflict:
        scope = shared_dimensions(kpis[id_] for id_ in members_of(spec, kpis))
        return _conflict(condition.counterpart_conflict, kpi, scope)
    if condition.reconciliation:
        scope = shared_dimensions(kpis[id_] for id_ in members_of(spec, kpis))
        return _reconciliation(condition.reconciliation, _record_of(condition.reconciliation, kpi, kpis), scope)
    if condition.governance:
        return bind_watched(condition.governance, kpi, kpis)
    if condition.off_track:
        return _off_track(condition.off_track, kpi)
    assert condition.missing_data is not None  # noqa: S101 - the shape has exactly one condition
    return _missing_data(condition.missing_data, kpi, lateness)


def bind_composite_condition(spec: CompositeSpec, kpis: Mapping[str, Kpi], rules: Mapping[str, Rule]) -> Composite:
    """The running form of a composite; without a scope of its own, that of the dimensions its KPIs share."""
    scope = spec.scope
    if scope is None:
        scope = list(shared_dimensions(kpis[str(rules[member].kpi)] for member in sorted(set(spec.rules))))
    return Composite(
        op=_op_of(spec),
        rules=tuple(spec.sequence or sorted(set(spec.positive))),
        scope=tuple(sorted(set(scope))),
        count=spec.at_least.count if spec.at_least else 0,
        without=tuple(sorted(spec.not_ or ())),
        absent=tuple(sorted(spec.absent or ())),
        within=spec.within or 0,
    )


def _op_of(spec: CompositeSpec) -> Literal["all", "any", "at_least", "sequence"]:
    if spec.sequence:
        return "sequence"
    if spec.at_least:
        return "at_least"
    return "all" if spec.all_ else "any"


def _threshold(spec: ThresholdSpec) -> Threshold:
    if spec.above is not None:
        return Threshold("above", None, spec.above, spec.recover_at)
    if spec.below is not None:
        return Threshold("below", spec.below, None, spec.recover_at)
    if spec.outside is not None:
        return Threshold("outside", spec.outside.low, spec.outside.high, None)
    assert spec.inside is not None  # noqa: S101 - the shape has exactly one limit
    return Threshold("inside", spec.inside.low, spec.inside.high, None)


def _change(spec: ChangeSpec) -> Change:
    up, down = spec.up, spec.down
    return Change(
        reference=spec.against.same,
        count=spec.against.median_of,
        up=up.value if up else None,
        down=down.value if down else None,
        relative=any(amount.relative for amount in (up, down) if amount),
    )


def _trend_break(spec: TrendBreakSpec) -> TrendBreak:
    least = spec.at_least
    return TrendBreak(
        level_limit=None if spec.of == "slope" else LEVEL_LIMITS[spec.sensitivity],
        slope_limit=None if spec.of == "level" else SLOPE_LIMITS[spec.sensitivity],
        direction=spec.direction,
        at_least=0.0 if least is None else least.value,
        relative=least is not None and least.relative,
        learn=spec.learn,
    )


def _anomaly(spec: AnomalySpec) -> Anomaly:
    least = spec.at_least
    return Anomaly(
        limit=SCORE_LIMITS[spec.sensitivity],
        direction=spec.direction,
        season=spec.season,
        at_least=0.0 if least is None else least.value,
        relative=least is not None and least.relative,
        learn=spec.learn,
    )


def _missing_data(spec: MissingDataSpec, kpi: Kpi, lateness: Micros) -> MissingData:
    return MissingData((spec.after or kpi.cadence or 0) + lateness)


def _conflict(spec: ConflictSpec, kpi: Kpi, scope: tuple[str, ...]) -> CounterpartConflict:
    sides = tuple(
        ConflictSide(side.kpi, side.per, side.lag, _judge(spec.worsens, side.minimum_effect))
        for side in counterparts_of(spec, kpi)
    )
    return CounterpartConflict(_judge(spec.improves, 0.0), sides, spec.over, scope)


def _record_of(spec: ReconciliationSpec, kpi: Kpi, kpis: Mapping[str, Kpi]) -> tuple[str, ...]:
    if spec.against is not None:
        return (spec.against,)
    return tuple(sorted(each.id for each in kpis.values() if each.rolls_up_to == kpi.id))


def _reconciliation(spec: ReconciliationSpec, record: tuple[str, ...], scope: tuple[str, ...]) -> Reconciliation:
    return Reconciliation(record, spec.tolerance.value, spec.tolerance.relative, spec.over, scope)


def _off_track(spec: OffTrackSpec, kpi: Kpi) -> OffTrack:
    target = kpi.target
    assert target is not None  # noqa: S101 - a check has looked
    return OffTrack(
        target=target.value,
        by=target.by,
        higher_is_better=kpi.direction == "higher_is_better",
        confidence=spec.confidence,
        learn=spec.learn,
        scope=tuple(sorted(set(spec.scope))),
    )


def _judge(spec: JudgeSpec, least: float) -> Judge:
    if spec.against is None:
        side: Literal["above", "below"] = "above" if spec.above is not None else "below"
        return Judge(by=0.0, reference="windows", count=0, noise=0.0, hold=False, level=spec.level, side=side)
    reference = spec.against.same
    return Judge(
        by=least if spec.by is None else spec.by,
        reference=reference,
        count=spec.against.median_of,
        noise=NOISE_DEFAULT if spec.noise is None else spec.noise,
        hold=reference == "windows" if spec.hold is None else spec.hold,
    )


_ALONE: Mapping[str, Callable[[Any], Condition]] = {
    "threshold": _threshold,
    "change": _change,
    "trend_break": _trend_break,
    "anomaly": _anomaly,
    "control_chart": bind_control_chart,
}
"""Conditions that are bound from what they say alone."""
