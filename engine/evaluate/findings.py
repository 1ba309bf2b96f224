"""Rows of results become findings, join records, signals and KPI state: the only objects that stage 1 makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.evaluate.evidence import evidence_of
from engine.evaluate.window_parts import bounds_of, ids_of, number_of, parts_of
from engine.kernels.layout import (
    AGGREGATIONS,
    CELL,
    FIRED,
    RESOLVED,
    RESULT,
    WORSENED,
)
from engine.kernels.windows import aggregate
from engine.model.aggregation import kind_of
from engine.model.finding import (
    Episode,
    Finding,
    Status,
    Transition,
)
from engine.model.identity import finding_id, scope_key
from engine.model.outputs import KpiState
from engine.model.records import JoinRecord, Signal
from engine.model.time import format_time, parse_own_time
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
        value=number_of(result["value"]),
        evidence=evidence_of(state, tables, rule, result),
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


def _scope(join: Join, dimensions: dict[str, str]) -> str:
    return scope_key({name: dimensions[name] for name in join.scope if name in dimensions})


def _episode(result: Any) -> Episode:
    return Episode(
        points=int(result["points"]),
        first=format_time(int(result["first"])),
        last=format_time(int(result["last"])),
        worst=float(result["worst"]),
        told=number_of(result["told"]),
    )
