"""The rows of new series are what a slow and obvious twin writes, whatever comes in which order."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from test_stage1_twin import RULES, kpi, rule

from engine.kernels.layout import DISABLED, SILENCE, UNSET
from engine.model.limits import Limits
from engine.model.time import SECOND
from engine.rules.compiler import Plan, compile_plan
from engine.rules.resolved.condition import MissingData, Threshold
from engine.rules.resolved.selector import Selector, selects
from engine.rules.ruleset import RuleSet
from engine.state.partition import RANGES, PartitionState

DECLARED = ({"a": "0"}, {"a": "1", "b": "x"}, {"a": "7"})
KPIS = (
    msgspec.structs.replace(kpi("mean", 0), dimensions=("a", "b"), series=DECLARED),
    msgspec.structs.replace(kpi("p90", 20 * SECOND), id="l", dimensions=("a",)),
    msgspec.structs.replace(kpi("sum", 0), id="m"),
)
MORE = (
    rule("eu", Threshold("above", None, 1.0, None), where={"b": "x"}),
    rule("eu-silent", MissingData(60 * SECOND), where={"b": "x"}),
    rule("of-l", Threshold("above", None, 1.0, None), kpi="l", where={"a": "1"}),
    rule("not-eu", Threshold("above", None, 1.0, None), where={"b": Selector(values=("x",), negate=True)}),
    rule("few", Threshold("above", None, 1.0, None), where={"a": Selector(pattern="[12]")}),
    rule("l-silent", MissingData(60 * SECOND), kpi="l"),
    rule("m-silent", MissingData(60 * SECOND), kpi="m"),
)
PLAN = compile_plan(RuleSet((), (), KPIS, tuple(sorted([*RULES, *MORE], key=lambda r: r.id)), (), {}))

OF_TABLE: dict[str, Any] = {"cells": ["index", "sketch"], "sketches": "used"}
"""What is looked at of rows that hold more."""

some = st.fixed_dictionaries({"a": st.sampled_from("0123")}, optional={"b": st.sampled_from("xy")})
asked = st.one_of(
    st.tuples(st.just("k"), some),
    st.tuples(st.just("l"), st.fixed_dictionaries({"a": st.sampled_from("0123")})),
    st.tuples(st.just("m"), st.just({})),
)


class Twin:
    """Appends each series row by row, in lists."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows: dict[str, list[Any]] = {name: [] for name in RANGES}

    def append(self, kpi_row: int, dimensions: dict[str, str], *, declared: bool) -> None:
        kpi, row = self.plan.kpis[kpi_row], len(self.rows["series"])
        self.rows["series"].append((kpi_row, len(self.rows["slots"]), UNSET, UNSET, UNSET, UNSET, 0, 0))
        for view_row in range(kpi["view"], kpi["view"] + kpi["views"]):
            view, slot = self.plan.views[view_row], len(self.rows["slots"])
            first_cell, first_instance = len(self.rows["cells"]), len(self.rows["instances"])
            self.rows["slots"].append((row, view_row, first_cell, first_instance, *[0] * 6, UNSET, UNSET, UNSET))
            for _ in range(view["cells"]):
                self.rows["cells"].append((UNSET, len(self.rows["sketches"])))
                self.rows["sketches"] += [0] * (kpi_row == self.plan.kpi_row["l"])
            for rule_row in range(view["rule"], view["rule"] + view["rules"]):
                concerned = selects(self.plan.rule_of[rule_row].where, dimensions) and (
                    declared or view["kind"] != SILENCE
                )
                self.append_instance(rule_row, slot, 0 if concerned else DISABLED)

    def append_instance(self, rule_row: int, slot: int, phase: int) -> None:
        rule_, history = self.plan.rules[rule_row], len(self.rows["history"])
        self.rows["history"] += [np.nan] * rule_["width"]
        fresh = (rule_row, slot, phase, history, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, UNSET, UNSET, 0, 0, 0, 0, 0, UNSET)
        self.rows["instances"].append(fresh)


@given(st.lists(st.lists(asked, max_size=12), max_size=4))
def test_new_series_are_laid_out_as_the_twin_does(batches: list[list[tuple[str, dict[str, str]]]]):
    state, twin = PartitionState(PLAN, 0, 1, Limits()), Twin(PLAN)
    known = [("k", dims) for dims in DECLARED] + [("m", {})]
    for kpi_id, dims in known:
        twin.append(PLAN.kpi_row[kpi_id], dims, declared=True)
    for batch in batches:
        for kpi_id, dims in batch:
            row = state.resolve(kpi_id, dims, None)
            if (kpi_id, dims) not in known:
                known.append((kpi_id, dims))
                twin.append(PLAN.kpi_row[kpi_id], dims, declared=False)
            assert known[row] == (kpi_id, dims)
        for name, rows in twin.rows.items():
            table = getattr(state.tables, name)[: state.arrays.used[name]]
            found = table[OF_TABLE[name]] if name in OF_TABLE else table
            assert repr(found.tolist()) == repr([*map(plain, rows)]), name
    assert not state.tables.base.view(np.uint8).any()


def plain(row: Any) -> Any:
    """A row as NumPy's own numbers print it."""
    return (
        tuple(value.item() if isinstance(value, np.generic) else value for value in row)
        if isinstance(row, tuple)
        else row
    )
