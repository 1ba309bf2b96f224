"""A trigger together with the rule that it names, laid out as the engine lays it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.errors import WireError
from engine.kernels.windows import first_of, index_of, start_of
from engine.model.identity import series_key
from engine.model.records import WindowBounds
from engine.model.time import format_time, parse_own_time
from engine.offline.explain.account import BROKEN
from engine.review.spans import local_date
from engine.rules.compiler import compile_plan
from engine.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.model.trigger import Happening, ReviewTrigger, TriggerData
    from engine.rules.compiler import Plan
    from engine.rules.resolved.rule import Rule


class Case(NamedTuple):
    """`rules` is the trigger's excerpt of the rule set, `rule` the one that spoke, `plan` both as arrays."""

    trigger: ReviewTrigger
    rules: RuleSet
    rule: Rule
    plan: Plan

    @property
    def data(self) -> TriggerData:
        """What the trigger says."""
        return self.trigger.data

    @property
    def happening(self) -> Happening:
        """`opened`, `updated`, `resolved` or `withdrawn`."""
        happening: Happening = self.trigger.type.rpartition(".")[0].rpartition(".")[2]  # type: ignore[assignment]
        return happening  # whether it is one of these is checked with the names

    def rule_row(self) -> Any:
        """The rule's parameters as its kernel takes them."""
        [row] = [row for row, rule in enumerate(self.plan.rule_of) if rule.id == self.rule.id]
        return self.plan.rules[row]

    def view_of(self, row: Any) -> Any:
        """The view that a rule looks through."""
        return self.plan.views[int(row["view"])]

    def bounds(self, view: Any, index: int) -> WindowBounds:
        """The window of a view that ends with cell `index`."""
        self._start(view, index)  # that it is a day there
        first = int(first_of(view, self.plan.periods, index))
        return WindowBounds(format_time(self._start(view, first)), format_time(self._start(view, index + 1)), index)

    def join_view(self) -> Any:
        """The view of a conflict's windows: those of all its sides are cut alike."""
        rows = [row for row, joins in enumerate(self.plan.joins) if any(j.correlation == self.rule.id for j in joins)]
        return self.plan.views[rows[0]]

    def cell(self, view: Any, time: str) -> int:
        """The cell of a view that a time falls into."""
        return self.cell_at(view, micros(time))

    def cell_at(self, view: Any, time: Micros) -> int:
        """The same for microseconds."""
        return int(index_of(view, self.plan.calendars, time))

    def moment(self, time: str) -> str:
        """Where a window begins, as people name it: a calendar day by its date there, else to the minute in UTC."""
        zone = self.rule.window.zone
        return f"{time[:16]}Z" if zone is None else local_date(micros(time), zone, self.rules)

    def _start(self, view: Any, index: int) -> Micros:
        """Compiled code looks at no bounds: a trigger that was changed must not read past a calendar."""
        if view["calendar"] >= 0 and not 0 <= index < self.plan.calendars.shape[1]:
            raise ValueError(f"expected the number of a day from 1990 to 2060, found {index}")
        return int(start_of(view, self.plan.calendars, index))


def case_of(trigger: ReviewTrigger) -> Case:
    """WireError when the trigger carries no excerpt that its rule stands in."""
    data = trigger.data
    try:
        rules = msgspec.convert(data.excerpt, RuleSet)
        rule = rules.rule_by_id[data.rule]
        plan = compile_plan(rules)
    except BROKEN as error:
        raise WireError("bad_excerpt", f"expected an excerpt of the rule set with rule {data.rule}: {error}") from error
    return Case(trigger, rules, rule, plan)


def micros(time: str) -> Micros:
    """A time that this engine wrote; ValueError for another."""
    return parse_own_time(time)


def kpi_of(series: str) -> str | None:
    """The KPI of a series; None for what is no canonical key."""
    kpi, brace, dimensions = series.partition("{")
    try:
        told = msgspec.json.decode(brace + dimensions, type=dict[str, str])
    except msgspec.MsgspecError:
        return None
    return kpi if series_key(kpi, told) == series else None
