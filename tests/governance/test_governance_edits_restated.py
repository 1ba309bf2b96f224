"""What an edit is held against is what fires when it is made, however late and how often what came before was told."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pytest
from governed_world import BEGIN, VISITS, Driven, week, with_target
from governed_world import rules_of as governed_rules
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from late_data import NEWEST, Told, in_order, told_late

from engine.model.measurement import Measurement
from engine.model.records import Signal
from engine.model.time import HOUR, format_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

REACH = 8 * HOUR
"""How late anything comes: lateness and grace are nine hours."""

_RULE = "---\nkind: rule\nid: {id}\ntitle: {id}\nkpi: visits\n{body}\n"
WATCHED = {
    "few": "condition: {threshold: {below: 4}}",
    "many": "condition: {threshold: {above: 10}}\nat_least: {m: 2, of: 3}",
    "raw": "condition: {threshold: {above: 11}}\npoints: raw",
    "rose": "condition: {change: {up: 50%, against: {median_of: 3, same: windows}}}\nfor: 1h\nkeep_firing_for: 2h",
}
POSTS = "condition: {governance: {moved_goalposts: {}}}"
MEASURED = """\
aggregation: sum
window: {every: 1h}
lateness: 1h
grace: 8h
dimensions: [shop]
target: {value: 100, by: 2030-12-31}
"""


def rules_of(*edits: tuple[str, str]) -> RuleSet:
    text = VISITS + MEASURED
    for old, new in edits:
        text = text.replace(old, new)
    text += "".join(_RULE.format(id=name, body=body) for name, body in {**WATCHED, "posts": POSTS}.items())
    loaded = load_read(read_text("all.yaml", text))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems if each.severity == "error"]
    return loaded.rule_set


RULES = rules_of()
EDITED = {
    "posts": with_target(RULES, value=50.0),
    "version:visits": rules_of(("target:", "version: 2\ntarget:")),
}
"""An edit for each rule that looks at one."""
IN_ANY_ORDER = [rules.rule_by_id[name] for name, rules in EDITED.items()]


def measured(draw: random.Random, hours: int) -> list[Measurement]:
    return [
        Measurement("visits", format_time(BEGIN + hour * HOUR), float(draw.choice([1, 5, 7, 12])), {"shop": shop},
                    f"{shop}-{hour}", revision=NEWEST)
        for hour in range(hours)
        for shop in "abcdefgh"
    ]  # fmt: skip


def fires(told: list[Told], hours: int, rule: str) -> list[list[tuple[str, str]]]:
    """What fires when it is edited, by what is said of that."""
    at = BEGIN + hours * HOUR + REACH + 2 * HOUR
    outputs = replay(RULES, told, partitions=2, begin=BEGIN, until=at + HOUR, activated=[(at, EDITED[rule])]).outputs
    values = [each.record.value or b"" for each in outputs if each.topic == TRIGGERS]
    said = [msgspec.json.decode(value, type=ReviewTrigger) for value in values]
    opened = [each.data.evidence.found for each in said if each.data.rule == rule and ".opened." in each.type]
    return [sorted((each.rule, each.series) for each in found.firing) for found in opened]


@pytest.mark.parametrize("rule", EDITED)
@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(8, 30), st.integers(0, 10**9))
def test_an_edit_is_held_against_what_fires_by_sorted_corrected_data(rule: str, hours: int, seed: int):
    measurements = measured(random.Random(seed), hours)
    late = told_late(measurements, random.Random(seed + 1), REACH)
    assert fires(late, hours, rule) == fires(in_order(measurements), hours, rule)


@pytest.mark.parametrize("rule", EDITED)
def test_every_rule_is_among_what_fires(rule: str):
    found = [fires(in_order(measured(random.Random(seed), 30)), 30, rule) for seed in range(4)]
    assert {name for [firing] in found for name, _ in firing} == set(WATCHED)


def heard(transition: str, state: str, number: int, replaces: object = msgspec.UNSET) -> Signal:
    """Of week `number`; its finding is called by transition and week, one that replaces another by a stroke more."""
    name = f"{transition}-{number}" if replaces is msgspec.UNSET else f"{replaces}'"
    time = format_time(week(number))
    return Signal("told", "{}", "low", "visits{}", name, state, time, 0, transition, 0, replaces)  # type: ignore[arg-type]


BEGUN, ENDED = partial(heard, "firing", "firing"), partial(heard, "resolved", "inactive")
NEVER, GOES_ON = partial(heard, "firing", "inactive"), partial(heard, "resolved", "firing")


@pytest.mark.parametrize(
    ("barriers", "firing"),
    [
        ([[BEGUN(1)]], "firing-1"),
        ([[BEGUN(1)], [ENDED(2)]], None),
        ([[BEGUN(1), ENDED(2)]], None),
        ([[BEGUN(1), ENDED(2), BEGUN(3)]], "firing-3"),
        # The one that is on stays on, whatever came before it.
        ([[BEGUN(3)], [BEGUN(1), ENDED(2)]], "firing-3"),
        ([[BEGUN(1), ENDED(2)], [BEGUN(3)], [NEVER(1, "firing-1"), GOES_ON(2, "resolved-2")]], "firing-3"),
        ([[BEGUN(1)], [ENDED(2)], [BEGUN(4)], [ENDED(2, "resolved-2")]], "firing-4"),
        # It turns out to have begun earlier, to go on, or to be another.
        ([[BEGUN(3)], [NEVER(3, "firing-3"), BEGUN(2)]], "firing-2"),
        ([[BEGUN(1)], [ENDED(2)], [GOES_ON(2, "resolved-2")]], "resolved-2'"),
        ([[BEGUN(1)], [BEGUN(1, "firing-1")]], "firing-1'"),
        ([[BEGUN(1)], [ENDED(2), BEGUN(3)], [NEVER(3, "firing-3")]], None),
        # Of what had begun before the rule listened only the end is heard.
        ([[ENDED(2)]], None),
        ([[ENDED(2)], [BEGUN(3)]], "firing-3"),
        ([[ENDED(2)], [GOES_ON(2, "resolved-2")]], "resolved-2'"),
    ],
)
def test_a_series_fires_where_one_more_of_its_alerts_began_than_ended(barriers: list[list[Signal]], firing: str | None):
    driven = Driven(governed_rules("{moved_goalposts: {}}"))
    for number, signals in enumerate(barriers, 4):
        driven.week(number, {}, signals)
    assert [each.finding for each in driven.watch.firing.values()] == [firing] * (firing is not None)
