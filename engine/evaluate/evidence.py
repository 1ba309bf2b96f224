"""The evidence of a finding: the point, what it was held against, and digests of each part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.evaluate.anomaly_evidence import anomaly_of
from engine.evaluate.control_evidence import control_of
from engine.evaluate.trend_evidence import trend_of
from engine.evaluate.window_parts import bounds_of, ids_of, number_of, parts_of, text_of
from engine.kernels.layout import CHANGE, FIRED, MISSING, RAW, TREND, UNSET
from engine.model.finding import BaselinePoint, Evidence, RawPoint, Silence, WindowPoint
from engine.model.identity import digest_of
from engine.model.time import format_time
from engine.rules.resolved.catalogue import how_of

if TYPE_CHECKING:
    from engine.kernels.layout import Tables
    from engine.rules.resolved.rule import Rule
    from engine.state.partition import PartitionState


def evidence_of(state: PartitionState, tables: Tables, rule: Rule, result: Any) -> Evidence:
    """What the verdict of a TRANSITION row rests on."""
    row = state.plan.rules[int(state.tables.instances[result["instance"]]["rule"])]
    if int(result["waiting"]) != UNSET and row["kind"] != MISSING:
        return _of_silence(state, rule, result)
    point = _point(state, tables, row, result)
    trend = trend_of(state, tables, row, result) if row["kind"] == TREND else None
    anomaly = anomaly_of(state, tables, row, result)
    control = control_of(state, tables, rule, row, result)
    baseline = _baseline(state, tables, row, result) if row["kind"] == CHANGE else ()
    statistic, limit, usual = (number_of(result[name]) for name in ("statistic", "limit", "baseline"))
    digests = {
        "condition": digest_of(rule.declared),
        "point": digest_of(point),
        "verdict": digest_of((statistic, limit, usual)),
    }
    if baseline:
        digests["baseline_points"] = digest_of(baseline)
    if trend is not None:
        digests["trend"] = digest_of(trend)
    if anomaly:
        digests["anomaly"] = digest_of(anomaly)
    if control:
        digests["control"] = digest_of(control)
    return Evidence(
        condition=rule.declared,
        point=point,
        rule_set=state.plan.rule_set.hash,
        statistic=statistic,
        limit=limit,
        baseline=usual,
        baseline_points=baseline,
        digests=digests,
        trend=trend,
        anomaly=anomaly,
        control=control,
    )


def _of_silence(state: PartitionState, rule: Rule, result: Any) -> Evidence:
    """What an alert rests on that ended because nothing came."""
    point = _silence(result)
    parts = {"condition": rule.declared, "point": point, "verdict": (None, None, None)}
    digests = {name: digest_of(part) for name, part in parts.items()}
    return Evidence(condition=rule.declared, point=point, rule_set=state.plan.rule_set.hash, digests=digests)


def _silence(result: Any) -> Silence:
    seen = int(result["seen"])
    return Silence(
        last_seen=None if seen == UNSET else format_time(seen),
        waited_since=format_time(int(result["waiting"])),
        tick_time=format_time(int(result["end"])),
    )


def _point(state: PartitionState, tables: Tables, row: Any, result: Any) -> RawPoint | WindowPoint | Silence:
    if row["kind"] == MISSING and result["transition"] == FIRED:
        return _silence(result)
    if row["kind"] == MISSING or state.plan.view_keys[int(row["view"])].kind == RAW:
        window = result["window"]
        identifier = text_of(window["first_id"], window["first_length"])
        return RawPoint(time=format_time(int(result["time"])), value=float(result["value"]), id=identifier)
    kpi = state.plan.views[int(row["view"])]["kpi"]
    looked_at = state.plan.rule_set.kpis[int(kpi)]
    return WindowPoint(
        window=bounds_of(result),
        value=float(result["value"]),
        aggregation=how_of(looked_at),
        parts=parts_of(tables, looked_at.aggregation, result["window"]),
        ids=ids_of(result["window"]),
    )


def _baseline(state: PartitionState, tables: Tables, row: Any, result: Any) -> tuple[BaselinePoint, ...]:
    first = int(result["evidence"])
    points = []
    for place in range(first, first + int(result["evidences"])):
        start = state.starts.told(int(row["view"]), int(tables.evidence_index[place]))
        points.append(BaselinePoint(start=start, value=float(tables.evidence_value[place])))
    return tuple(points)
