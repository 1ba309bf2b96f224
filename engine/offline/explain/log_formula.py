"""A value that was worked out, from the log: the record that it came with says from what, and the formula is worked out
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.finding import Evidence, WindowPoint
from engine.model.formula import formula_of
from engine.model.identity import series_key
from engine.model.measurement import Measurement
from engine.model.outputs import WorkedOut
from engine.model.topics import MEASUREMENTS
from engine.offline.explain.account import shown
from engine.offline.explain.log_stages import batches
from engine.offline.explain.log_verdict import LogVerdict
from engine.rules.resolved.catalogue import formula_in
from engine.wire.partition import owner
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.model.outputs import Input
    from engine.model.trigger import ReviewTrigger
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log


async def with_inputs(
    log: Log, partitions: int, trigger: ReviewTrigger, rules: RuleSet, good: LogVerdict
) -> LogVerdict:
    """A verdict that is `good`, with what the judged value was worked out from; of no value with a formula as it is."""
    evidence = trigger.data.evidence
    rule = rules.rule_by_id[trigger.data.rule]
    text = None if rule.kpi is None else formula_in(rules.kpi_by_id[rule.kpi])
    if text is None or not isinstance(evidence, Evidence) or not isinstance(evidence.point, WindowPoint):
        return good
    point = evidence.point
    inputs: tuple[Input, ...] = ()
    async for told, worked_out in _worked_out(log, partitions, trigger.data.scope):
        if told.time == point.window.start and told.value == point.value:
            inputs = worked_out.inputs
    if not inputs:
        return msgspec.structs.replace(good, detail=f"{good.detail}; the record of its value is gone by retention")
    value = formula_of(text).value({each.kpi: each.value for each in inputs})
    if value != point.value:
        return LogVerdict("differs", f"{text} of {_listed(inputs)} is {shown(value)}, and not {shown(point.value)}")
    return msgspec.structs.replace(good, detail=f"{good.detail}; {text} of {_listed(inputs)}")


async def _worked_out(log: Log, partitions: int, series: str) -> AsyncIterator[tuple[Measurement, WorkedOut]]:
    """The values of a series that were worked out, in order."""
    partition = owner(series.encode(), partitions)
    async for batch in batches(log, MEASUREMENTS, partition, await log.start(MEASUREMENTS, partition)):
        for record in records(batch):
            header = dict(record.headers).get(WorkedOut.HEADER)
            if header is not None:
                told = msgspec.json.decode(record.value or b"", type=Measurement)
                if series_key(told.kpi, told.dimensions) == series:
                    yield told, msgspec.json.decode(header, type=WorkedOut)


def _listed(inputs: tuple[Input, ...]) -> str:
    """`orders 6 (of 1 measurement), sessions 4 (of 4)`."""
    return ", ".join(f"{each.kpi} {shown(each.value)} (of {each.count} in {each.series} series)" for each in inputs)
