"""What the log has around a trigger: the same series for a longer stretch, by the engine's own windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.correlate import judge as arithmetic
from engine.correlate.align import aligned_of
from engine.errors import WireError
from engine.model.identity import series_key
from engine.model.outputs import KpiState
from engine.model.records import JoinRecord
from engine.model.time import MINUTE, Micros, parse_own_time
from engine.model.topics import FINDINGS, KPI_STATE, MEASUREMENTS
from engine.model.trigger import (
    ConflictEvidence,
    FindingName,
    GroupEvidence,
    OffTrackEvidence,
    ReconciliationEvidence,
)
from engine.offline.explain.log_stages import batches
from engine.offline.plot.compose import name_of
from engine.offline.plot.picture import Around, Mark, place_of
from engine.review.stretch import stretch_of
from engine.rules.compiler import compile_plan
from engine.rules.resolved.condition import MissingData
from engine.runtime.stage1 import Stage1
from engine.wire.partition import owner
from engine.wire.records import records
from engine.wire.reference import ReferenceDecoder

if TYPE_CHECKING:
    from engine.correlate.aligned import Aligned
    from engine.correlate.sides import AlignedSide
    from engine.offline.explain.case import Case
    from engine.rules.ruleset import RuleSet
    from engine.runtime.context import StageContext
    from engine.runtime.ports import Log

WINDOWS_BEFORE, WINDOWS_AFTER = 30, 10
"""At least so many windows are shown around what the trigger mentions."""
ROWS_MAX = 12
"""Series of a group that are looked up."""


def widened(case: Case, context: StageContext) -> Case:
    """With the time zones of the stored rule set: those of a trigger reach no further than what it mentions."""
    stored = context.rule_sets.get(case.data.rule_set)
    if stored is None:
        return case
    rules = msgspec.structs.replace(case.rules, zones=stored.zones)
    return case._replace(rules=rules, plan=compile_plan(rules))


async def around(log: Log, context: StageContext, case: Case) -> Around:
    """By the names that `compose` looks for; `case` is `widened`. EngineError when the log cannot be read."""
    data = case.data
    match data.evidence, data.moved_by:
        case ConflictEvidence() | ReconciliationEvidence() | OffTrackEvidence(), _:
            return await _of_sides(log, context, case)
        case GroupEvidence() as evidence, _ if isinstance(case.rule.condition, MissingData):
            series = [member.series for member in evidence.listed[:ROWS_MAX]]
            return {each: await _of_series(log, context, case, each) for each in series}
        case _, FindingName() as name:
            return {name.series: await _of_series(log, context, case, name.series)}
    return {}


def _shown(case: Case) -> tuple[Micros, Micros]:
    """The stretch that the trigger mentions, and as much again on either side."""
    since, until = stretch_of(case.data.event_time, case.data.evidence, case.data.episode)
    step = max(case.rule.window.step, MINUTE)
    return since - max(until - since, WINDOWS_BEFORE * step), until + max((until - since) // 2, WINDOWS_AFTER * step)


async def _of_series(log: Log, context: StageContext, case: Case, series: str) -> tuple[Mark, ...]:
    since, until = _shown(case)
    partition = owner(series.encode(), context.measurement_partitions)
    found = await (_raw if case.rule.points == "raw" else _windows)(log, context, case, series, partition)
    return tuple(Mark(time, value) for time, value in sorted(found.items()) if since <= time <= until)


async def _windows(log: Log, context: StageContext, case: Case, series: str, partition: int) -> dict[Micros, float]:
    """Stage 1 with the rule's windows published; a window that was restated counts as it was in the end."""
    published = _published(case)
    sets = dict.fromkeys(context.rule_sets, published)
    stage = Stage1(partition, msgspec.structs.replace(context, rule_sets=sets))
    found: dict[Micros, float] = {}
    async for batch in batches(log, MEASUREMENTS, partition, await log.start(MEASUREMENTS, partition)):
        for output in stage.apply(batch):
            if output.topic == KPI_STATE and output.record.key == series.encode():
                state = msgspec.json.decode(output.record.value or b"", type=KpiState)
                found[place_of(state.window, published.kpis[0].window)] = state.value
    stage.close()
    return found


def _published(case: Case) -> RuleSet:
    rule = case.rule
    kpi = case.rules.kpi_by_id[str(rule.kpi)]
    window = kpi.window if isinstance(rule.condition, MissingData) else rule.window
    shown = msgspec.structs.replace(kpi, window=window, lateness=rule.lateness, idle=rule.idle, publish=True)
    return msgspec.structs.replace(case.rules, kpis=(shown,), rules=())


async def _raw(log: Log, context: StageContext, case: Case, series: str, partition: int) -> dict[Micros, float]:
    """Each measurement of the series; of repeats the first."""

    def resolve(kpi: str, dimensions: dict[str, str], source: str | None) -> int:
        del source
        if series_key(kpi, dimensions) != series:
            raise WireError("not_shown", "another series")
        return 0

    del case
    decoder, found = ReferenceDecoder(context.limits), dict[Micros, float]()
    async for batch in batches(log, MEASUREMENTS, partition, await log.start(MEASUREMENTS, partition)):
        for chunk in decoder.decode(batch, resolve):
            for time, value in zip(chunk.columns.time.tolist(), chunk.columns.value.tolist(), strict=True):
                found.setdefault(time, value)
    return found


async def _of_sides(log: Log, context: StageContext, case: Case) -> Around:
    """Every side of a rule over aligned windows, from the shares that stand among the findings."""
    key = f"{case.data.rule}|{case.data.scope}".encode()
    shares: dict[tuple[str, int], dict[str, JoinRecord]] = {}
    partition = owner(key, context.finding_partitions)
    async for batch in batches(log, FINDINGS, partition, await log.start(FINDINGS, partition)):
        for record in records(batch):
            if record.key == key and b'"type":"join"' in (record.value or b""):
                share = msgspec.json.decode(record.value or b"", type=JoinRecord)
                held = shares.setdefault((share.kpi, share.window.index), {})
                if share.series not in held or held[share.series].revision < share.revision:
                    held[share.series] = share
    aligned, (since, until) = aligned_of(case.rule, case.rules), _shown(case)
    return {
        name_of(side): tuple(mark for mark in _values(aligned, side, shares) if since <= mark.time <= until)
        for side in aligned.aligned
    }


def _values(aligned: Aligned, side: AlignedSide, shares: dict[tuple[str, int], dict[str, Any]]) -> list[Mark]:
    """The merged value of each window that is there as a whole, where its first window begins."""
    indices = sorted(index for kpi, index in shares if kpi == side.first)
    found = []
    for index in indices:
        span = range(index - aligned.over + 1, index + 1)
        values: dict[str, float | None] = {}
        for kpi, aggregation in side.rolled.items():
            there = [share for each in span for share in shares.get((kpi, each), {}).values()]
            bounds = {share.window for share in there}
            parts = [share.parts for share in there]
            values[kpi] = arithmetic.aggregate(parts, aggregation, bounds) if there else None
        value = aligned.combined(side.values(values))
        if value is not None and span[0] >= indices[0]:
            first = next(each for each in span if (side.first, each) in shares)
            bounds = next(iter(shares[side.first, first].values())).window
            found.append(Mark(parse_own_time(bounds.start), value))
    return found
