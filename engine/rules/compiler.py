"""The rule set as arrays: which views each KPI has, which rules look through them, and who joins what they show.

Pure: the same set gives the same plan, row for row.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.kernels import layout
from engine.kernels.layout import RAW, SILENCE, WINDOWS
from engine.model.aggregation import kind_of, quantile_of
from engine.model.time import HOUR, Micros
from engine.rules.calendar import LONGEST, PERIODS, day_starts, period_firsts
from engine.rules.lay_rule import lay_rule
from engine.rules.resolved.catalogue import derived_rule_id, formula_in
from engine.rules.resolved.condition import (
    Cadence,
    Composite,
    MissingData,
    OverWindows,
    Precision,
)
from engine.rules.resolved.governance import (
    GovernanceCondition,
    MovedGoalposts,
    RestatedInFavour,
)
from engine.rules.sides import sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.selector import Where
    from engine.rules.resolved.source import Source
    from engine.rules.resolved.timing import Window
    from engine.rules.ruleset import RuleSet

_MORE = ("deviation", "quantile", "distinct")
_SKETCHED = ("quantile", "distinct")
SHORTEST_DAY: Micros = 23 * HOUR


class ViewKey(NamedTuple):
    """What tells one view of a KPI from another; state moves to a new plan by it."""

    kind: int
    window: Window | None
    lateness: Micros
    grace: Micros
    idle: Micros
    sketch: str = ""
    """The aggregation, where cells keep more for it than the parts that all have."""
    silent: Micros = 0
    """After so much silence what was judged is final, and alerts end; 0: never."""


class Join(NamedTuple):
    """Closed windows of a view go to `correlation` as shares of side `kpi`, at the scope of these dimensions.

    `where`: only those of series that the rule looks at. `restated`: a rule that must know which windows were restated.
    """

    correlation: str
    scope: tuple[str, ...]
    where: Where
    restated: bool = False


class Plan(NamedTuple):
    """`kpis`, `views`, `rules`, `calendars` are the tables of `kernels.layout`; the rest says what their rows are.

    `rule_of`: the declared rule of each row of `rules`. `joins`: by view row. `signals`: by rule id, the composites
    that wait for it and their scope. `published`: view rows whose closed windows are KPI state. `clocks`: sources
    whose marks age series, in the order of `kpis.clock`. `reserve`, `evidence_reserve`: what one measurement may emit
    at most. `derived`: by KPI row, whether its values are worked out from other KPIs.
    """

    rule_set: RuleSet
    kpi_row: dict[str, int]
    kpis: NDArray[np.void]
    views: NDArray[np.void]
    rules: NDArray[np.void]
    calendars: NDArray[np.int64]
    periods: NDArray[np.int64]
    view_keys: tuple[ViewKey, ...]
    rule_of: tuple[Rule, ...]
    joins: tuple[tuple[Join, ...], ...]
    published: frozenset[int]
    signals: dict[str, tuple[Join, ...]]
    clocks: tuple[str, ...]
    reserve: int
    evidence_reserve: int
    derived: NDArray[np.bool_]


class _View:
    """A view while its KPI is being compiled."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.joins: list[Join] = []


_PLANS_KEPT = 8
_plans: dict[str, Plan] = {}


def compile_plan(rule_set: RuleSet) -> Plan:
    """Lay the rule set out; a plan is never changed afterwards, and the last few are kept."""
    plan = _plans.get(rule_set.hash)
    if plan is None:
        plan = _compile(rule_set)
        while len(_plans) >= _PLANS_KEPT:
            del _plans[next(iter(_plans))]
        _plans[rule_set.hash] = plan
    return plan


def _compile(rule_set: RuleSet) -> Plan:
    zones = sorted(rule_set.zones)
    calendars = _calendars(rule_set, zones)
    clocks = tuple(source.id for source in rule_set.sources)
    kpis = np.zeros(len(rule_set.kpis), layout.KPI)
    keys: list[ViewKey] = []
    views: list[tuple[int, _View]] = []
    published: set[int] = set()
    for row, kpi in enumerate(rule_set.kpis):
        own = _views_of(rule_set, kpi)
        kpis[row] = (len(views), len(own), _clock(kpi, rule_set.sources))
        if kpi.publish:
            published.add(len(views))
        keys.extend(own)
        views.extend((row, view) for view in own.values())
    rules = [rule for _, view in views for rule in view.rules]
    view_table, rule_table = _tables(rule_set, keys, views, zones, published)
    return Plan(
        rule_set=rule_set,
        kpi_row={kpi.id: row for row, kpi in enumerate(rule_set.kpis)},
        kpis=kpis,
        views=view_table,
        rules=rule_table,
        calendars=calendars,
        periods=_periods(),
        view_keys=tuple(keys),
        rule_of=tuple(rules),
        joins=tuple(tuple(view.joins) for _, view in views),
        published=frozenset(published),
        signals=_signals(rule_set),
        clocks=clocks,
        reserve=_reserve(kpis, view_table),
        evidence_reserve=_reserve(kpis, view_table) * max([int(row["count"]) for row in rule_table], default=0),
        derived=np.array([formula_in(kpi) is not None for kpi in rule_set.kpis], bool),
    )


def _calendars(rule_set: RuleSet, zones: list[str]) -> NDArray[np.int64]:
    starts = [day_starts(rule_set.zones[zone]) for zone in zones]
    shortest = min((len(start) for start in starts), default=1)
    table = np.zeros((max(len(zones), 1), shortest), np.int64)
    for row, start in enumerate(starts):
        table[row] = start[:shortest]
    return table


@cache
def _periods() -> NDArray[np.int64]:
    return np.array([period_firsts(period) for period in PERIODS], np.int64)


def _clock(kpi: Kpi, sources: tuple[Source, ...]) -> int:
    """The first mapped source that the KPI names; where it names none, the first that maps something to it."""
    names = [source.id for source in sources]
    named = [names.index(source) for source in kpi.sources if source in names]
    mapped = [row for row, source in enumerate(sources) if any(one.kpi.const == kpi.id for one in source.mappings)]
    return next(iter(named if kpi.sources else mapped), -1)


def _views_of(rule_set: RuleSet, kpi: Kpi) -> dict[ViewKey, _View]:
    """The KPI's own windows first, then what its rules and the joins it takes part in ask for."""
    kind = kind_of(kpi.aggregation)
    sketch = kind if kind in _MORE else ""
    views = {_windows(kpi, kpi.window, kpi, sketch): _View()}
    for derived in rule_set.derived_from(kpi.id):
        view = views.setdefault(_windows(kpi, derived.window, kpi, sketch), _View())
        view.joins.append(Join(derived_rule_id(derived.id), derived.dimensions, {}))
    for rule in rule_set.rules:
        if rule.mode == "off":
            continue
        if isinstance(rule.condition, OverWindows | GovernanceCondition):
            if kpi.id in _joined(rule, rule_set):
                waits = rule if kpi.id == rule.kpi else kpi
                view = views.setdefault(_windows(kpi, rule.window, waits, sketch), _View())
                scope = () if isinstance(rule.condition, GovernanceCondition) else rule.condition.scope
                told = isinstance(rule.condition, RestatedInFavour)
                view.joins.append(Join(rule.id, scope, rule.where, restated=told))
        elif rule.kpi == kpi.id and not isinstance(rule.condition, Composite | Cadence | Precision):
            views.setdefault(_key(kpi, rule, sketch), _View()).rules.append(rule)
    return views


def _joined(rule: Rule, rule_set: RuleSet) -> tuple[str, ...]:
    """The KPIs whose shares a rule merges: for one with a formula those in it, but where whole KPIs are watched."""
    if isinstance(rule.condition, GovernanceCondition):
        return sides(rule)
    return rule_set.measured(sides(rule))


def _windows(kpi: Kpi, window: Window, waits: Kpi | Rule, sketch: str) -> ViewKey:
    """The view that cuts a KPI by `window`. A value that was worked out is all that its window will hold."""
    if formula_in(kpi) is not None:
        return ViewKey(WINDOWS, window, 0, waits.grace, 0, sketch)
    return ViewKey(WINDOWS, window, waits.lateness, waits.grace, waits.idle, sketch)


def _key(kpi: Kpi, rule: Rule, sketch: str) -> ViewKey:
    if isinstance(rule.condition, MissingData):
        return ViewKey(SILENCE, None, 0, 0, 0)
    silent = rule.ends_after or 0
    if rule.points == "raw":
        return ViewKey(RAW, None, rule.lateness + rule.grace, 0, 0, silent=silent)
    return _windows(kpi, rule.window, rule, sketch)._replace(silent=silent)


def _tables(
    rule_set: RuleSet, keys: list[ViewKey], views: list[tuple[int, _View]], zones: list[str], published: set[int]
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    view_table = np.zeros(len(views), layout.VIEW)
    rule_rows: list[NDArray[np.void]] = []
    for row, (key, (kpi, view)) in enumerate(zip(keys, views, strict=True)):
        entry = view_table[row]
        entry["kpi"], entry["kind"] = kpi, key.kind
        entry["lateness"], entry["grace"], entry["idle"] = key.lateness, key.grace, key.idle
        entry["silent"] = key.silent
        entry["rule"], entry["rules"] = len(rule_rows), len(view.rules)
        entry["publish"] = bool(view.joins) or row in published
        entry["calendar"] = entry["period"] = -1
        entry["step"], entry["span"], entry["cells"] = 1, 1, 0
        if key.window is not None:
            _lay_window(entry, key.window, key.lateness + key.grace, zones)
        named = rule_set.kpis[kpi].aggregation
        entry["aggregation"] = layout.AGGREGATIONS.index(kind_of(named))
        entry["quantile"] = quantile_of(named) or 0
        entry["sketches"] = entry["cells"] if key.sketch in _SKETCHED else 0
        rule_rows.extend(lay_rule(rule, row, int(entry["cells"])) for rule in view.rules)
    rule_table = np.zeros(len(rule_rows), layout.RULE)
    for row, rule_row in enumerate(rule_rows):
        rule_table[row] = rule_row
    return view_table, rule_table


def _lay_window(entry: NDArray[np.void], window: Window, kept: Micros, zones: list[str]) -> None:
    """A ring holds every cell from the oldest window that can still change, `kept` ago, to the newest one begun.

    Windows close before a measurement is counted: the newest cell takes the place of one that nothing needs any more.
    """
    shortest = window.step if window.zone is None else SHORTEST_DAY
    entry["calendar"] = -1 if window.zone is None else zones.index(window.zone)
    entry["step"] = window.step
    entry["span"] = window.size // window.step
    if window.since is not None:
        entry["period"], entry["span"] = PERIODS.index(window.since), LONGEST[window.since]
    entry["cells"] = -(-kept // shortest) + entry["span"]


def _signals(rule_set: RuleSet) -> dict[str, tuple[Join, ...]]:
    waiting: dict[str, list[Join]] = {}
    for rule in rule_set.rules:
        if isinstance(rule.condition, Composite) and rule.mode != "off":
            join = Join(rule.id, rule.condition.scope, {})
            for member in rule.condition.members:
                waiting.setdefault(member, []).append(join)
        if isinstance(rule.condition, MovedGoalposts) and rule.mode != "off":
            for member in rule.condition.rules:
                waiting.setdefault(member, []).append(Join(rule.id, (), {}))
    return {member: tuple(joins) for member, joins in waiting.items()}


def traced(plan: Plan) -> Plan:
    """The plan with every rule traced: each point that is judged is a result, beside what it brings about."""
    rules = plan.rules.copy()
    rules["traced"] = 1
    return plan._replace(rules=rules, reserve=_reserve(plan.kpis, plan.views, results=2))


def _reserve(kpis: NDArray[np.void], views: NDArray[np.void], results: int = 1) -> int:
    """Results that one measurement can bring about at most: every open window of every view through every rule, which
    makes so many `results` of it.
    """
    most = 0
    for kpi in kpis:
        own = views[kpi["view"] : kpi["view"] + kpi["views"]]
        most = max(most, sum((int(view["cells"]) + 1) * (results * int(view["rules"]) + 2) for view in own))
    return most + 2
