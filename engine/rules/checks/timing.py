"""Windows fit what rules do with them: days divide into windows, sides that are joined are cut alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY
from engine.rules.bind_kpi import window_of
from engine.rules.lay_anomaly import SLOT
from engine.rules.season import season_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.resolved.timing import Window
    from engine.rules.source import Path_
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.conditions import AgainstSpec


def check_timing(declarations: Declarations) -> Iterator[Problem]:
    """Rules whose window is known."""
    for rule in declarations.rules.values():
        window = rule_window(rule, declarations)
        if window is None or not rule.has("condition"):
            continue
        for path, against in _references(rule.spec):
            if against.same != "windows" and not _divides_day(window):
                yield _not_a_part_of_a_day(rule, path, against)
        for name in ("counterpart_conflict", "reconciliation", "off_track"):
            if getattr(rule.spec.condition, name) and window.overlaps:
                yield _overlapping(rule, name)
        for name in ("change", "trend_break", "anomaly", "control_chart") if window.since else ():
            if getattr(rule.spec.condition, name):
                yield _running_total(rule, name)
        yield from _season(rule, window)


def rule_window(rule: Declared[RuleSpec], declarations: Declarations) -> Window | None:
    """The window that a rule sees: its own, or its KPI's; null where that cannot be told."""
    if not rule.has("window", "kpi"):
        return None
    if rule.spec.window is not None:
        return window_of(rule.spec.window)
    return kpi_window(rule.spec.kpi, declarations)


def kpi_window(id_: str | None, declarations: Declarations) -> Window | None:
    """The window of a KPI; null where that cannot be told."""
    kpi = declarations.kpis.get(id_) if id_ is not None else None
    return window_of(kpi.spec.window) if kpi and kpi.has("window") else None


def _season(rule: Declared[RuleSpec], window: Window) -> Iterator[Problem]:
    """A declared season must be several windows long, in whole windows."""
    anomaly = rule.spec.condition.anomaly
    if anomaly is None or anomaly.season in (None, "none") or season_of(window, SLOT, anomaly.season)[0] > 1:
        return
    yield rule.problem(
        ("condition", "anomaly", "season"),
        "season",
        expected=f"windows of which several make a {anomaly.season}",
        found="others",
        mend="leave `season` out, or take windows like `15m`, `1h` or (for a week) `day`",
    )


def _references(spec: RuleSpec) -> Iterator[tuple[Path_, AgainstSpec]]:
    condition = spec.condition
    if condition.change:
        yield ("condition", "change", "against", "same"), condition.change.against
    conflict = condition.counterpart_conflict
    for name, judge in (("improves", conflict.improves), ("worsens", conflict.worsens)) if conflict else ():
        if judge.against:
            yield ("condition", "counterpart_conflict", name, "against", "same"), judge.against


def _divides_day(window: Window) -> bool:
    return window.zone is not None or DAY % window.step == 0


def _not_a_part_of_a_day(rule: Declared[RuleSpec], path: Path_, against: AgainstSpec) -> Problem:
    return rule.problem(
        path,
        "uneven-days",
        expected=f"windows that divide a day, as `same: {against.same}` needs them",
        found="windows that do not",
        mend="take windows like `15m`, `6h` or `day`, or `same: windows`",
    )


def _running_total(rule: Declared[RuleSpec], condition: str) -> Problem:
    return rule.problem(
        ("condition", condition),
        "running-total",
        expected="windows of one length, which can have a usual level",
        found="windows that grow from the first day of a period on",
        mend="give the rule a `window` without `since`, or use `threshold`",
    )


def _overlapping(rule: Declared[RuleSpec], condition: str) -> Problem:
    return rule.problem(
        ("condition", condition),
        "overlapping-windows",
        expected="windows that do not overlap",
        found="others, which would count measurements twice when merged",
        mend="give the rule a `window` without `size` or `since`, and merge with `over`",
    )
