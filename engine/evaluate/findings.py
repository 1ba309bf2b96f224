"""Rows of results become findings, join records, signals and KPI state: the only objects that stage 1 makes."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

import msgspec

from engine.evaluate.anomaly_evidence import anomaly_of
from engine.evaluate.control_evidence import control_of
from engine.evaluate.trend_evidence import trend_of
from engine.kernels.layout import (
    AGGREGATIONS,
    CELL,
    CHANGE,
    FIRED,
    MISSING,
    RAW,
    RESOLVED,
    RESULT,
    TREND,
    UNSET,
    WORSENED,
)
from engine.kernels.windows import aggregate
from engine.model.aggregation import kind_of
from engine.model.finding import (
    BaselinePoint,
    Episode,
    Evidence,
    Finding,
    RawPoint,
    Silence,
    Status,
    Transition,
    WindowPoint,
)
from engine.model.identity import digest_of, finding_id, scope_key
from engine.model.outputs import KpiState
from engine.model.records import Ids, JoinRecord, Parts, Signal, WindowBounds
from engine.model.sketch import Buckets
from engine.model.time import format_time, parse_own_time
from engine.rules.resolved.catalogue import how_of
from engine.rules.resolved.selector import selects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from engine.kernels.layout import Tables
    from engine.rules.compiler import Join
    from engine.rules.resolved.rule import Rule
    from engine.state.partition import PartitionState


_TRANSITIONS: dict[int, Transition] = {FIRED: "firing", RESOLVED: "resolved", WORSENED: "worsened"}


def finding_of(state: PartitionState, tables: Tables, result: Any) -> Finding:
    """The finding of a TRANSITION row of `tables.results`, as new."""
    result = _plain(result)
    rule = state.plan.rule_of[int(state.tables.instances[result["instance"]]["rule"])]
    series = state.series[int(state.tables.slots[result["slot"]]["series"])]
    event_time = int(result["time"])
    transition = _TRANSITIONS[int(result["transition"])]
    revision = int(result["revision"])
    return Finding(
        id=finding_id(rule.id, series.key, event_time, transition, revision),
        rule=rule.id,
        kpi=str(rule.kpi),
        series=series.key,
        dimensions=series.dimensions,
        transition=transition,
        status="new",
        revision=revision,
        event_time=format_time(event_time),
        opened_event_time=format_time(int(result["opened"])),
        scope=scope_of(state, rule, series.key, series.dimensions),
        value=_number(result["value"]),
        evidence=_evidence(state, tables, rule, result),
        episode=_episode(result),
        tick=-1 if state.tick_number is None else state.tick_number,
        tick_time=None if state.tick_time is None else format_time(state.tick_time),
        storm=rule.storm or msgspec.UNSET,
    )


def _plain(result: Any) -> dict[str, Any]:
    """A row of results with numbers of Python's: each field that is read of a row is an object of NumPy's first."""
    fields = dict(zip(RESULT.names or (), result.item(), strict=True))
    fields["window"] = dict(zip(CELL.names or (), fields["window"], strict=True))
    return fields


def scope_of(state: PartitionState, rule: Rule, key: str, dimensions: dict[str, str]) -> str:
    """What a review of this rule is about: the series, for silence its source, or what the rule groups by."""
    if rule.group_by is not None:
        return f"{rule.id}|{scope_key({name: dimensions[name] for name in rule.group_by if name in dimensions})}"
    if rule.kpi is None or rule.condition.__struct_config__.tag != "missing_data":
        return key
    sources = state.plan.rule_set.kpi_by_id[rule.kpi].sources
    return f"{rule.id}|source:{sources[0] if sources else '-'}"


def same_content(one: Finding, other: Finding) -> bool:
    """Whether two findings say the same; when, and under which set the rule stood, does not matter."""
    return _content(one) == _content(other)


def _content(finding: Finding) -> Finding:
    evidence = msgspec.structs.replace(finding.evidence, rule_set="")
    return msgspec.structs.replace(
        finding, id="", revision=0, tick=0, tick_time=None, status="new", cause=None, replaces=None, evidence=evidence
    )


def renumbered(finding: Finding, revision: int, status: Status, cause: str, replaces: str | None) -> Finding:
    """The same verdict as a revision of `replaces` (None: nothing was said before)."""
    event_time = parse_own_time(finding.event_time)
    return msgspec.structs.replace(
        finding,
        id=finding_id(finding.rule, finding.series, event_time, finding.transition, revision),
        revision=revision,
        status=status,
        cause=cause,
        replaces=replaces,
    )


def signals_of(state: PartitionState, finding: Finding) -> Iterator[Signal]:
    """What composites that wait for the finding's rule are told: whether it fires, not how badly."""
    if finding.transition == "worsened":
        return
    active = (finding.transition == "firing") != (finding.status == "withdrawn")
    for join in state.plan.signals.get(finding.rule, ()):
        yield Signal(
            correlation=join.correlation,
            scope=_scope(join, finding.dimensions),
            rule=finding.rule,
            series=finding.series,
            finding=finding.id,
            state="firing" if active else "inactive",
            event_time=finding.event_time,
            tick=finding.tick,
            transition=finding.transition,
            revision=finding.revision,
            replaces=finding.replaces or msgspec.UNSET,
        )


def published_of(state: PartitionState, result: Any, *, restated: bool = False) -> Iterator[JoinRecord | KpiState]:
    """Join records and KPI state of a CLOSED row; `restated`: what a measurement that was said again has changed."""
    slot = state.tables.slots[result["slot"]]
    view = int(slot["view_row"])
    series = state.series[int(slot["series"])]
    kpi = state.plan.rule_set.kpis[series.kpi]
    window, parts = bounds_of(result), parts_of(state.tables, kpi.aggregation, result["window"])
    for join in state.plan.joins[view]:
        if not selects(join.where, series.dimensions):
            continue
        yield JoinRecord(
            correlation=join.correlation,
            scope=_scope(join, series.dimensions),
            kpi=kpi.id,
            series=series.key,
            window=window,
            revision=int(result["revision"]),
            parts=parts,
            ids=ids_of(result["window"]),
            tick=-1 if state.tick_number is None else state.tick_number,
            restated=(restated and join.restated) or msgspec.UNSET,
        )
    if view in state.plan.published:
        yield KpiState(
            kpi=kpi.id,
            series=series.key,
            dimensions=series.dimensions,
            window=window,
            revision=int(result["revision"]),
            value=float(aggregate(result["window"], AGGREGATIONS.index(kind_of(kpi.aggregation)))),
            unit=kpi.unit,
            parts=parts,
        )


def bounds_of(result: Any) -> WindowBounds:
    """The bounds of a result's window."""
    start, end = int(result["start"]), int(result["end"])
    return WindowBounds(start=format_time(start), end=format_time(end), index=int(result["index"]))


def parts_of(tables: Tables, aggregation: str, window: Any) -> Parts:
    """The mergeable parts of a result's window, with those that only its aggregation needs."""
    parts = Parts(
        count=int(window["count"]),
        sum=float(window["sum"]),
        min=float(window["min"]),
        max=float(window["max"]),
        nonzero=int(window["nonzero"]),
        last=float(window["last"]),
        last_time=format_time(int(window["last_time"])),
    )
    more = _more_of(tables, kind_of(aggregation), window)
    return msgspec.structs.replace(parts, **more) if more else parts


def _more_of(tables: Tables, kind: str, window: Any) -> dict[str, Any]:
    if kind == "deviation":
        return {"squares": float(window["extra"])}
    if kind not in ("quantile", "distinct"):
        return {}
    sketch = tables.result_sketches[int(window["sketch"])]
    keys = sketch["key"][: sketch["used"]].tolist()
    if kind == "distinct":
        return {"smallest": tuple(f"{key:016x}" for key in keys)}
    return {"buckets": Buckets(int(sketch["level"]), tuple(keys), tuple(sketch["count"][: sketch["used"]].tolist()))}


def ids_of(window: Any) -> Ids:
    """Which measurements a cell holds."""
    return Ids(
        count=int(window["count"]),
        hash_sum=str(int(window["hash_sum"])),
        first=_text(window["first_id"], window["first_length"]),
        last=_text(window["last_id"], window["last_length"]),
    )


def _scope(join: Join, dimensions: dict[str, str]) -> str:
    return scope_key({name: dimensions[name] for name in join.scope if name in dimensions})


def _text(data: Any, length: Any) -> str:
    """An id as kept; a character cut in two at the 23rd byte is replaced."""
    return bytes(data[: int(length)]).decode(errors="replace")


def _number(value: Any) -> float | None:
    number = float(value)
    return None if isnan(number) else number


def _episode(result: Any) -> Episode:
    return Episode(
        points=int(result["points"]),
        first=format_time(int(result["first"])),
        last=format_time(int(result["last"])),
        worst=float(result["worst"]),
        told=_number(result["told"]),
    )


def _evidence(state: PartitionState, tables: Tables, rule: Rule, result: Any) -> Evidence:
    row = state.plan.rules[int(state.tables.instances[result["instance"]]["rule"])]
    if int(result["waiting"]) != UNSET and row["kind"] != MISSING:
        return _of_silence(state, rule, result)
    point = _point(state, tables, row, result)
    trend = trend_of(state, tables, row, result) if row["kind"] == TREND else None
    anomaly = anomaly_of(state, tables, row, result)
    control = control_of(state, tables, rule, row, result)
    baseline = _baseline(state, tables, row, result) if row["kind"] == CHANGE else ()
    statistic, limit, usual = (_number(result[name]) for name in ("statistic", "limit", "baseline"))
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
        identifier = _text(window["first_id"], window["first_length"])
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
