"""A state under another rule set holds what both sets know, series by series, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from test_stage1_twin import RULES, START, kpi, rule

from engine.kernels.layout import FIRING, INSTANCE, LEDGER
from engine.model.identity import series_key
from engine.model.limits import Limits
from engine.model.records import Tick
from engine.model.time import HOUR, SECOND, format_time
from engine.rules.compiler import compile_plan
from engine.rules.resolved.condition import Change, MissingData, Threshold
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.state.migrate import Lost, migrated
from engine.state.pages import every_page, restored
from engine.state.partition import PartitionState
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.encode import encode_measurement
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from engine.rules.resolved.rule import Rule

K = msgspec.structs.replace(kpi("mean", 8 * SECOND), dimensions=("a",), series=({"a": "0"}, {"a": "9"}))
L = msgspec.structs.replace(kpi("p90", 0), id="l", dimensions=("a",))
OTHER_K = msgspec.structs.replace(K, series=({"a": "1"}, {"a": "5"}))
OF_L = [
    rule("l-above", Threshold("above", None, 4.0, None), kpi="l"),
    rule("l-raw", Threshold("above", None, 4.0, None), kpi="l", points="raw", lateness=20 * SECOND),
    rule("l-change", Change("windows", 2, 0.5, None, relative=True), kpi="l", where={"a": "1"}),
]
CHANGED = [
    msgspec.structs.replace(RULES[0], condition=Threshold("above", None, 7.0, None), fingerprint="above-2"),
    rule("missing", MissingData(60 * SECOND), fingerprint="missing-2"),
]
KEPT_OF_SERIES = ("newest", "waiting", "bound", "mark", "ids_before", "ids_since")
KEPT_OF_SLOT = ("provisional", "revision", "final", "closed", "newest")
KEPT_OF_INSTANCE = [name for name in INSTANCE.names or () if name not in ("rule", "slot", "history")]

events = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from("kl"), st.sampled_from("0123"), st.integers(-15, 12), st.sampled_from([0.0, 3.0, 9.0])
        ),
        st.tuples(st.just("tick"), st.just(""), st.integers(10, 50), st.just(0.0)),
    ),
    max_size=50,
)
rules = st.lists(st.sampled_from([*RULES, *OF_L]), max_size=8, unique_by=lambda each: each.id)
kpis = st.sampled_from([(K, L), (L, K), (K,), (L,)])


def set_of(kpis: Any, rules: list[Rule]) -> RuleSet:
    own = [each for each in rules if each.kpi in {kpi.id for kpi in kpis}]
    return RuleSet((), (), kpis, tuple(sorted(own, key=lambda each: each.id)), (), {})


def lived(rule_set: RuleSet, drawn: list[Any]) -> PartitionState:
    """A state that has seen what was drawn."""
    stage = Stage1(0, StageContext({rule_set.hash: rule_set}, rule_set.hash, 1, 1, future_max=HOUR))
    clock = tick = START
    records = []
    for number, (what, name, move, value) in enumerate(drawn):
        if what == "tick":
            tick += move * SECOND
            records.append(encode_control(Tick("replay", number, format_time(tick))))
        else:
            at = clock + move * SECOND
            clock = max(clock, at)
            records.append(Record(None, encode_measurement(what, at, value, {"a": name}, id=f"id-{number}")))
    if records:
        stage.apply(Batch("measurements", 0, 0, len(records) - 1, len(records), encode_batch(records, 0)))
    return stage.state


def seen(state: PartitionState) -> dict[str, Any]:
    """All that a state holds, by series, view and rule instead of by row."""
    return {series.key: (row_of(state, row), slots_of(state, row)) for row, series in enumerate(state.series)}


def row_of(state: PartitionState, row: int) -> list[Any]:
    ids = state.tables.ids[: int(state.tables.counters[LEDGER])]
    accepted = ids[ids["row"] == row][["hash", "time", "revision"]].tolist()
    return [*(state.tables.series[row][name].item() for name in KEPT_OF_SERIES), accepted]


def slots_of(state: PartitionState, row: int) -> dict[Any, Any]:
    found = {}
    for number in state.slots_of(row):
        slot = state.tables.slots[number]
        view = state.plan.views[slot["view_row"]]
        assert slot["series"] == row
        content = [
            [slot[name].item() for name in KEPT_OF_SLOT],
            cells_of(state, slot["cell"], view),
            state.tables.points[state.points_of(number)].tobytes(),
            based := number in state.with_base(slice(number, number + 1)),
        ]
        instances = range(state.instances_of(number).start, state.instances_of(number).stop)
        found[state.plan.view_keys[slot["view_row"]]] = (
            content,
            {print_of(state, each): instance_of(state, number, each, based) for each in instances},
        )
    return found


def cells_of(state: PartitionState, first: int, view: Any) -> tuple[str, bytes]:
    """The cells of a slot without where their sketches lie, and these."""
    cells = state.tables.cells[first : first + view["cells"]].copy()
    sketches = state.tables.sketches[cells["sketch"][: view["sketches"]]]
    cells["sketch"] = 0
    return repr(cells.tolist()), sketches.tobytes()  # a copy does not take what lies between fields


def print_of(state: PartitionState, number: int) -> str:
    return state.plan.rule_of[state.tables.instances[number]["rule"]].fingerprint


def instance_of(state: PartitionState, slot: int, number: int, based: bool) -> list[Any]:  # noqa: FBT001 (own test)
    instance, base = state.tables.instances[number], state.tables.base[number]
    assert instance["slot"] == slot
    width = int(state.plan.rules[instance["rule"]]["width"])
    told = {key[1:]: finding for key, finding in state.emitted.get(slot, {}).items() if key[0] == number}
    return [
        [instance[name].item() for name in KEPT_OF_INSTANCE],
        [base[name].item() for name in KEPT_OF_INSTANCE] if based else None,
        state.tables.history[instance["history"] : instance["history"] + width].tobytes(),
        told,
    ]


@settings(max_examples=150)
@given(kpis, rules, kpis, rules, st.booleans(), events)
def test_what_both_rule_sets_know_stays_and_the_rest_begins_anew(
    kpis: Any, rules: list[Rule], others: Any, other_rules: list[Rule], changed: Any, drawn: list[Any]
):
    if changed:
        others = tuple(OTHER_K if each is K else each for each in others)
        other_rules = [each for each in other_rules if each.id not in {"above", "missing"}] + CHANGED
    old, plan = lived(set_of(kpis, rules), drawn), compile_plan(set_of(others, other_rules))
    before, firing = seen(old), firing_of(old)
    new, lost = migrated(old, plan)
    after = seen(new)
    assert after == {key: merged(before[key], one) if key in before else one for key, one in seen(blank(new)).items()}
    stay = [series.key for series in old.series if old.plan.rule_set.kpis[series.kpi].id in plan.kpi_row]
    wanted = [series_key(each.id, dimensions) for each in others for dimensions in each.series]
    assert list(after) == [*stay, *(key for key in wanted if key not in stay)]
    kept = {(key, mark) for key, (_, slots) in after.items() for _, found in slots.values() for mark in found}
    assert lost == [each for each, name in firing if name not in kept]
    assert seen(restored(plan, 0, 1, Limits(), every_page(new))) == after


def firing_of(state: PartitionState) -> list[tuple[Lost, tuple[str, str]]]:
    found = []
    for number in range(state.arrays.used["instances"]):
        instance = state.tables.instances[number]
        if instance["phase"] >= FIRING:
            row = int(state.tables.slots[instance["slot"]]["series"])
            found.append((Lost(row, number), (state.series[row].key, print_of(state, number))))
    return found


def blank(state: PartitionState) -> PartitionState:
    """The same series under the same plan, before their first measurement."""
    made = PartitionState(state.plan, 0, 1, Limits())
    for series in state.series:
        made.resolve(state.plan.rule_set.kpis[series.kpi].id, series.dimensions, None)
    return made


def merged(old: Any, fresh: Any) -> Any:
    """What is known of a series of both sets: everything of the old one that the new one has a place for."""
    slots = {}
    for view, (content, instances) in fresh[1].items():
        known = old[1].get(view)
        if known is None:
            slots[view] = (content, instances)
        else:
            base = known[0][-1]
            begun = {mark: [one[0], one[0] if base else None, *one[2:]] for mark, one in instances.items()}
            slots[view] = (known[0], {mark: known[1].get(mark, one) for mark, one in begun.items()})
    return (old[0], slots)
