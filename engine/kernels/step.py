"""One point through one instance, and what leaves when that changes something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.anomaly import anomaly
from engine.kernels.anomaly_evidence import cite_band
from engine.kernels.change import change, push, skip_to, usual
from engine.kernels.control_chart import control_chart
from engine.kernels.control_evidence import cite_chart
from engine.kernels.layout import (
    ANOMALY,
    CHANGE,
    CLOSED,
    CONTROL,
    DISABLED,
    EVALUATED,
    EVIDENCE,
    FIRED,
    JUDGED,
    NOT_KNOWN,
    NOTHING,
    RESOLVED,
    RESULTS,
    SILENT,
    SPOKEN,
    THRESHOLD,
    TRANSITION,
    TREND,
    UNSET,
    WARM_UP,
    WORSENED,
)
from engine.kernels.lifecycle import advance
from engine.kernels.often import is_often, is_warming_up
from engine.kernels.threshold import threshold
from engine.kernels.trend_break import trend_break
from engine.kernels.trend_evidence import cite_break
from engine.kernels.trend_halves import half_of, own_half
from engine.kernels.windows import aggregate, begin_of, clear, merge, start_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.kernels.layout import Tables


@jit
def judge(
    tables: Tables, instances: Any, number: int, rule: Any, index: int, value: float
) -> tuple[bool, bool, float, float, float, float]:
    """(known, breach, statistic, limit, baseline, excess) of a value; `index` is its window's (0 for raw points)."""
    if rule.kind == THRESHOLD:
        breach, limit, excess = threshold(rule, instances[number].phase, value)
        return True, breach, value, limit, np.nan, excess
    if rule.kind == CHANGE:
        return _judge_change(tables.history, tables.scratch, instances[number], rule, index, value)
    half = own_half(tables, instances, number, rule)
    if rule.kind == TREND:
        return trend_break(tables.history, half, rule, index, value, tables.scratch)
    if rule.kind == ANOMALY:
        return anomaly(tables.history, half, rule, index, value, tables.scratch)
    return control_chart(tables.history, half, rule, index, value, tables.scratch)


@jit_apart
def _judge_change(
    history: NDArray[np.float64], scratch: NDArray[np.float64], instance: Any, rule: Any, index: int, value: float
) -> tuple[bool, bool, float, float, float, float]:
    stay_apart()
    skip_to(instance, rule, history, index)
    known, baseline = usual(instance, rule, history, index, scratch)
    push(instance, rule, history, index, value)
    if not known:
        return False, False, np.nan, np.nan, np.nan, 0.0
    known, breach, statistic, limit, excess = change(rule, value, baseline)
    return known, breach, statistic, limit, baseline, excess


@jit_apart
def emit_transition(tables: Tables, instance: Any, number: int, transition: int, time: int) -> Any:
    """Begin a result for what instance `number` just did; the caller adds the point. Counts repeats at one event
    time; one that only got worse is counted with those that fired, whose episode it goes on with.
    """
    stay_apart()
    result = tables.results[tables.counters[RESULTS]]
    tables.counters[RESULTS] += 1
    result.code = TRANSITION
    result.slot = instance.slot
    result.instance = number
    result.transition = transition
    result.time = time
    result.told = np.nan
    if transition != RESOLVED:
        instance.fired_revision = instance.fired_revision + 1 if instance.fired_at == time else 0
        instance.fired_at = time
        if transition == FIRED:
            instance.opened_revision = instance.fired_revision
        result.revision = instance.fired_revision
    else:
        instance.resolved_revision = instance.resolved_revision + 1 if instance.resolved_at == time else 0
        instance.resolved_at = time
        result.revision = instance.resolved_revision
    result.opened = instance.opened
    result.points = instance.points
    result.first = instance.first
    result.last = instance.last
    result.worst = instance.worst
    result.evidence = tables.counters[EVIDENCE]
    result.evidences = 0
    result.waiting = UNSET
    result.value = result.statistic = result.limit = result.baseline = np.nan
    return result


@jit
def step(
    tables: Tables, instances: Any, number: int, index: int, time: int, value: float, column: int, emit: int
) -> int:
    """Take one point through row `number` of `instances`; returns the transition. With `emit` SPOKEN a result is
    begun for it; one before it, whatever came of the point, where the rule is traced.
    """
    instance = instances[number]
    if instance.phase == DISABLED:
        return NOTHING
    rule = tables.rules[instance.rule]
    known, breach, statistic, limit, baseline, excess = judge(tables, instances, number, rule, index, value)
    outcome = WARM_UP if is_warming_up(instance, rule) else JUDGED if known else NOT_KNOWN
    transition = NOTHING
    if outcome == JUDGED:
        if rule.of > 0:
            breach = is_often(instance, rule, breach)
        transition = advance(instance, rule, breach, time, value, excess)
    told = instance.told
    if transition == WORSENED:
        instance.told = instance.worst
    if rule.traced != 0 and emit == SPOKEN:
        _tell(tables.results, tables.counters, instance, number, outcome, time, value, statistic, limit, baseline)
    if transition == NOTHING or emit == SILENT:
        return transition
    result = emit_transition(tables, instance, number, transition, time)
    if transition == WORSENED:
        result.told = told
    result.column = column
    result.value = value
    result.statistic = statistic
    result.limit = limit
    result.baseline = baseline
    _cite(tables, instance, rule, result, index)
    return transition


@jit_apart
def _tell(
    results: NDArray[np.void],
    counters: NDArray[np.int64],
    instance: Any,
    number: int,
    outcome: int,
    time: int,
    value: float,
    statistic: float,
    limit: float,
    baseline: float,
) -> None:
    """What instance `number`, as it stands now, made of a point."""
    stay_apart()
    result = results[counters[RESULTS]]
    counters[RESULTS] += 1
    result.code = EVALUATED
    result.slot = instance.slot
    result.instance = number
    result.time = time
    result.value = value
    result.statistic = statistic
    result.limit = limit
    result.baseline = baseline
    result.phase = instance.phase
    result.outcome = outcome


@jit_apart
def _cite(tables: Tables, instance: Any, rule: Any, result: Any, index: int) -> None:
    """Write down what the verdict rests on, as the kind of rule has it."""
    stay_apart()
    if rule.kind == CHANGE:
        _cite_history(tables, instance, rule, result, index)
    elif rule.kind == TREND:
        cite_break(tables, half_of(instance, rule), rule, result, result.baseline)
    elif rule.kind == ANOMALY:
        cite_band(tables, half_of(instance, rule), result)
    elif rule.kind == CONTROL:
        cite_chart(tables, half_of(instance, rule), rule, result)
    if result.transition != FIRED and rule.kind in (TREND, ANOMALY):
        result.statistic = result.limit = np.nan


@jit
def _cite_history(tables: Tables, instance: Any, rule: Any, result: Any, index: int) -> None:
    """Copy the values behind the baseline, oldest first."""
    used = tables.counters[EVIDENCE]
    for place in range(rule.count):
        earlier = index - (rule.count - place) * rule.lag
        tables.evidence_index[used + place] = earlier
        tables.evidence_value[used + place] = tables.history[instance.history + earlier % rule.width]
    result.evidences = rule.count
    tables.counters[EVIDENCE] = used + rule.count


@jit
def step_window(tables: Tables, instances: Any, slot_number: int, window: Any, column: int, emit: int) -> None:
    """Take a closed window that is not empty through every rule of its slot; its time is its end."""
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    start = begin_of(tables, view, window.index)
    end = start_of(view, tables.calendars, window.index + 1)
    value = aggregate(window, view.aggregation)
    for place in range(view.rules):
        number = slot.instance + place
        if step(tables, instances, number, window.index, end, value, column, emit) != NOTHING and emit == SPOKEN:
            _bound(tables, view, window, start, end)


@jit_apart
def emit_closed(tables: Tables, slot_number: int, window: Any, column: int) -> None:
    """Publish a closed window itself: for joins and KPI state."""
    stay_apart()
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    result = tables.results[tables.counters[RESULTS]]
    tables.counters[RESULTS] += 1
    result.code = CLOSED
    result.column = column
    result.slot = slot_number
    result.instance = -1
    result.revision = slot.revision
    start = begin_of(tables, view, window.index)
    end = start_of(view, tables.calendars, window.index + 1)
    _bound(tables, view, window, start, end)
    result.time = end


@jit
def _bound(tables: Tables, view: Any, window: Any, start: int, end: int) -> None:
    """Put the window into the newest result."""
    place = tables.counters[RESULTS] - 1
    result = tables.results[place]
    result.index = window.index
    result.start = start
    result.end = end
    clear(result.window, window.index)
    merge(result.window, window)
    result.window.extra = window.extra
    if view.sketches > 0:
        result.window.sketch = place
        tables.result_sketches[place] = tables.result_sketches[len(tables.result_sketches) - 1]
