"""A rule test for the proposed rule: as usual, past the limit for two windows, as usual again.

What it expects follows from the numbers and the rule's definition; the engine is not asked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from engine.model.time import DAY, SECOND, Micros
from engine.propose.limit import rounded, steps_back
from engine.propose.written import duration, flow, number, text

if TYPE_CHECKING:
    from engine.propose.draft import Draft
    from engine.propose.limit import Limit

_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
"""No zone changes its clock in the five weeks from here, so that every day of a test has 24 hours."""
_SLOTS = (60, 120, 240, 360, 720, 1_440)
"""Into so many steps a window may be cut for what is counted; into seconds where that is not enough."""
_USUAL_COUNT = 20.0
_PAST = 2
_MORE = 1.25
"""A change this many times the limit is past it."""


class _Plan(NamedTuple):
    """Windows in a row: `lead` as usual, two past the limit, two as usual."""

    usual: float
    past: float
    lead: int


class _Written(NamedTuple):
    """A series of the test: the step, the values, and how many such series make one."""

    step: Micros
    values: str
    copies: int = 1


def rule_test_document(draft: Draft) -> str:
    """The test as YAML."""
    kpi, every = draft.kpis[0], draft.rhythm.every
    plan = _plan(draft)
    written = _counted(plan, every) if kpi.aggregation == "count" else _measured(plan, every)
    dimensions = _dimensions(draft)
    series = {"kpi": kpi.id, **({"dimensions": dimensions} if dimensions else {}), "values": written.values}
    begin, end = (plan.lead + 1) * every, (plan.lead + 1 + _PAST) * every
    lines = [
        "# Run by `counterpoint test`, without a broker. `20x3` is 20 three times, `_` a step without a measurement.",
        "kind: test",
        f"id: {draft.rule_id}",
        "title: As usual, past the limit, as usual again",
        f"start: {_start(draft)}",
        f"every: {duration(written.step)}",
        "measurements:",
        *[f"  - {flow(series)}"] * written.copies,
        "expect:",
        f"  - rule: {draft.rule_id}",
        *([f"    dimensions: {dimensions}"] if dimensions else []),
        f"    firing: [{{from: {duration(begin)}, to: {duration(end)}}}] # a window speaks when it ends",
        "    severity: warning",
    ]
    return "\n".join(lines) + "\n"


def _plan(draft: Draft) -> _Plan:
    limit = draft.limit
    if limit.usual is not None:
        lead = limit.usual.of * steps_back(limit.usual, draft.rhythm.every) + 1
        counted = draft.kpis[0].aggregation == "count"
        usual = _USUAL_COUNT if counted else rounded(abs(limit.level) or 100.0, up=True)
        up = limit.high is not None
        share = _MORE * (limit.high or 0.0) if up else -min(1.0, _MORE * (limit.low or 0.0))
        return _Plan(usual, rounded(usual * (1 + share), up=up), lead)
    usual = _as_usual(limit)
    if limit.high is not None:
        return _Plan(usual, rounded(limit.high + _beyond(usual, limit.high), up=True), _PAST)
    low = limit.low or 0.0
    return _Plan(usual, rounded(low - _beyond(usual, low), up=False), _PAST)


def _beyond(usual: float, limit: float) -> float:
    """How far past the limit is plainly past it."""
    return abs(usual - limit) / 2 or max(1.0, abs(limit))


def _as_usual(limit: Limit) -> float:
    """The usual level, on the good side of where the rule recovers."""
    level = float(f"{limit.level:.3g}")
    if limit.low is not None and limit.high is not None:
        return min(max(level, limit.low), limit.high)
    if limit.high is not None:
        return min(level, limit.high if limit.recover_at is None else limit.recover_at)
    return max(level, limit.low or 0.0, limit.recover_at or level)


def _measured(plan: _Plan, every: Micros) -> _Written:
    usual, past = number(plan.usual), number(plan.past)
    return _Written(every, f"{usual}x{plan.lead} {past}x{_PAST} {usual}x2")


def _counted(plan: _Plan, every: Micros) -> _Written:
    """As many ones a window; in several series at once where a window has not so many seconds."""
    up = plan.past > plan.usual
    most = ceil(max(plan.usual, plan.past))
    able = [each for each in _SLOTS if each >= most and every % (each * SECOND) == 0]
    slots = able[0] if able else every // SECOND
    copies = ceil(most / slots)
    usual = max(1, (floor if up else ceil)(plan.usual / copies))
    past = max(1, (ceil if up else floor)(plan.past / copies))
    one, other = _ones(usual, slots), _ones(past, slots)
    return _Written(every // slots, f"({one})x{plan.lead} ({other})x{_PAST} ({one})x2", copies)


def _ones(count: int, slots: int) -> str:
    return f"1x{count}" + (f" _x{slots - count}" if slots > count else "")


def _start(draft: Draft) -> str:
    if draft.rhythm.every != DAY:
        return "2026-01-05T00:00:00Z"
    return _MONDAY.replace(tzinfo=ZoneInfo(draft.answers.zone)).isoformat()


def _dimensions(draft: Draft) -> str:
    if not draft.choice.dimensions:
        return ""
    longest = max(draft.series, key=lambda key: len(draft.series[key]))
    return flow({name: text(value) for name, value in zip(draft.dimensions, longest, strict=True)})
