"""Silence ends alerts as the slow twin has it, whatever comes in whatever order, however it is cut and restored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_silence import NaiveEnding
from test_stage1_twin import (
    AGGREGATIONS,
    HOPPING,
    RULES,
    START,
    context,
    encode,
    found,
    kpi,
    lay_out,
    order,
    rule,
    run,
)

from engine.model.time import SECOND
from engine.rules.resolved.condition import Change, MissingData, Threshold

if TYPE_CHECKING:
    from naive_stage1 import Said

ENDING = [
    msgspec.structs.replace(each, id=f"{each.id}-ok", ends_after=max(each.idle, 55 * SECOND))
    for each in RULES
    if not isinstance(each.condition, MissingData)
] + [
    rule("lasts", Threshold("above", None, 2.0, None), for_=20 * SECOND, keep_firing_for=90 * SECOND, grace=90 * SECOND,
         ends_after=40 * SECOND),
    rule("hops", Threshold("below", 4.0, None, None), window=HOPPING, lateness=25 * SECOND, at_least=(2, 3),
         ends_after=45 * SECOND),
    rule("rises", Change("windows", 2, 0.1, None, relative=True), grace=60 * SECOND, ends_after=40 * SECOND),
    rule("raw-soon", Threshold("above", None, 2.0, None), points="raw", lateness=30 * SECOND, ends_after=20 * SECOND),
    rule("raw-now", Threshold("above", None, 2.0, None), points="raw", for_=5 * SECOND, ends_after=20 * SECOND),
]  # fmt: skip
IN_ANY_ORDER = ENDING
events = st.lists(
    st.one_of(
        st.tuples(st.just("measure"), st.integers(-25, 12), st.sampled_from([0.0, 1.5, 3.0, 5.25, 8.0])),
        st.tuples(st.just("restated"), st.integers(0, 9), st.sampled_from([0.0, 3.0, 8.0])),
        st.tuples(st.just("tick"), st.integers(1, 60), st.just(0.0)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(events, st.sampled_from(AGGREGATIONS), st.sampled_from([0, 8]))
def test_stage_1_says_what_the_slow_twin_says(drawn: list[Any], aggregation: str, lateness: int):
    agree_with_the_twin(drawn, aggregation, lateness)


def agree_with_the_twin(drawn: list[Any], aggregation: str, lateness: int) -> list[Said]:
    records = lay_out(drawn)
    spoken = found(run(encode(records), context(aggregation, lateness * SECOND, ENDING), cut=7))
    slow = NaiveEnding(kpi(aggregation, lateness * SECOND), ENDING)
    for offset, (kind, identifier, time, value, revision) in enumerate(records):
        expected = slow.tick(time) if kind == "tick" else slow.measure(identifier, time, value, revision)
        assert order(spoken.get(offset, [])) == order(expected), (offset, kind, time)
    return [said for _, each in sorted(spoken.items()) for said in each]


@settings(max_examples=60, deadline=None)
@given(events, st.sampled_from(["mean", "deviation", "p90", "distinct"]))
def test_how_the_log_is_cut_and_when_the_worker_died_changes_no_byte(drawn: list[Any], aggregation: str):
    records = encode(lay_out(drawn))
    around = context(aggregation, 8 * SECOND, ENDING)
    whole = run(records, around, cut=10_000)
    assert run(records, around, cut=1) == whole
    assert run(records, around, cut=5, restore=True) == whole


@settings(max_examples=60, deadline=None)
@given(events)
def test_no_two_different_findings_share_an_id_and_none_is_before_the_last(drawn: list[Any]):
    said = run(encode(lay_out(drawn)), context("mean", 8 * SECOND, ENDING), cut=50)
    values: dict[str, bytes] = {}
    for record in said:
        value = json.loads(record.value)
        if value["type"] == "finding":
            assert values.setdefault(value["id"], record.value) == record.value


@settings(max_examples=60, deadline=None)
@given(events)
def test_what_is_new_of_a_rule_is_told_in_the_order_of_event_time(drawn: list[Any]):
    newest: dict[str, int] = {}
    for said in agree_with_the_twin(drawn, "mean", 0):
        if said.status == "new" and said.rule == "raw-now":
            assert said.time >= newest.get(said.rule, said.time)
            newest[said.rule] = said.time


def of_rule(name: str, drawn: list[Any]) -> list[tuple[str, str, int]]:
    said = agree_with_the_twin(drawn, "mean", 0)
    return [(each.transition, each.status, (each.time - START) // SECOND) for each in said if each.rule == name]


FIRES = [("measure", 1, 8.0), ("measure", 10, 8.0), ("measure", 10, 8.0), ("measure", 10, 8.0)]
SILENT = [("tick", 31, 0.0), ("tick", 40, 0.0)]


def test_an_alert_ends_with_the_last_window_that_was_measured_and_begins_anew():
    # Windows that end at 10 to 40 s; twenty seconds after the first one it fires. Nothing comes from 31 s to 71 s.
    fired = [("firing", "new", 30), ("resolved", "new", 40)]
    assert of_rule("lasts", [*FIRES, *SILENT]) == fired
    again = [("measure", 20, 8.0), ("measure", 10, 8.0), ("measure", 10, 8.0), ("measure", 10, 8.0)]
    assert of_rule("lasts", [*FIRES, *SILENT, *again]) == [*fired, ("firing", "new", 80)]


def test_a_run_that_has_not_lasted_is_over_too():
    again = [("measure", 20, 8.0), ("measure", 10, 8.0), ("measure", 10, 1.0)]
    assert of_rule("lasts", [*FIRES[:2], *SILENT, *again]) == []


def test_one_that_was_recovering_ends_where_it_is():
    assert of_rule("lasts", [*FIRES, ("measure", 10, 1.0), *SILENT]) == [("firing", "new", 30), ("resolved", "new", 50)]


def test_what_comes_late_or_is_restated_after_silence_changes_nothing_of_before():
    late = [("measure", -21, 0.0), ("restated", 2, 0.0)]
    before = [("firing", "new", 30), ("resolved", "new", 40)]
    assert of_rule("lasts", [*FIRES, *SILENT, *late]) == before
    withdrawn = of_rule("lasts", [*FIRES, *SILENT[:1], *late])
    assert ("firing", "withdrawn", 30) in withdrawn
