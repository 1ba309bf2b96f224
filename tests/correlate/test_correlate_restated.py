"""Late and restated data end in what sorted, corrected data would have said, also where rules join: both stages, as a
worker drives them.
"""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.model.measurement import Measurement
from engine.model.time import HOUR, Micros, format_time, parse_own_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger, TriggerData, TurnName
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

BEGIN = parse_own_time("2026-01-05T00:00:00Z")
REACH = 8 * HOUR
"""How late anything comes: lateness and grace are nine hours."""

_KPI = """\
---
kind: kpi
id: {name}
title: {name}
owner: web
objective: growth
definition: {name} of a shop
decision: Act
direction: {direction}
role: leading
unit: events
aggregation: {aggregation}
window: {{every: 1h}}
lateness: 1h
grace: 8h
dimensions: [shop, door]
target: {{value: 1, by: 2026-01-07}}
counterparts: {counterparts}
"""
_RULE = """\
---
kind: rule
id: {id}
title: {id}
{body}
review: {{reopen_within: 0s}}
"""
JOINED = {
    "conflict": "kpi: visits\ncondition: {counterpart_conflict: {improves: {above: 6}, worsens: {above: 6}}}",
    "relative": "kpi: visits\ncondition: {counterpart_conflict: {"
    "improves: {against: {median_of: 4, same: windows}, by: 20%}, "
    "worsens: {against: {median_of: 4, same: windows}, by: 20%}}}",
    "books": "kpi: visits\ncondition: {reconciliation: {against: booked, tolerance: 25%}}",
    "books-often": "kpi: visits\ncondition: {reconciliation: {against: booked, tolerance: 25%}}\n"
    "at_least: {m: 3, of: 4}\nwarm_up: 6\nkeep_firing_for: 1h",
    "conflict-often": "kpi: visits\ncondition: {counterpart_conflict: {improves: {above: 6}, worsens: {above: 6}}}\n"
    "at_least: {m: 2, of: 4}\nwarm_up: 3",
    "course": "kpi: tickets\ncondition: {off_track: {learn: 24, scope: [shop], confidence: 60%}}",
    "easy": "kpi: visits\ncondition: {governance: {always_green: {windows: 8, margin: 0.5}}}",
    "both": "condition: {composite: {all: [many-visits, many-tickets]}}",
    "either": "condition: {composite: {any: [many-tickets, few-visits]}}",
    "several": "condition: {composite: {at_least: {count: 2, of: [many-visits, many-tickets, few-visits]}}}",
    "unless": "condition: {composite: {any: [many-visits, many-tickets], not: [few-visits]}}",
    "after": "condition: {composite: {sequence: [few-visits, many-visits], within: 6h}}",
    "lacks": "condition: {composite: {all: [many-tickets], absent: [few-visits], within: 3h}}",
}
MEMBERS = {
    "many-visits": "kpi: visits\ncondition: {threshold: {above: 9}}",
    "many-tickets": "kpi: tickets\ncondition: {threshold: {above: 9}}",
    "few-visits": "kpi: visits\ncondition: {threshold: {below: 4}}",
}
SERIES = [
    (kpi, {"shop": shop, "door": door}) for kpi in ("visits", "tickets", "booked") for shop in "ab" for door in "xy"
]

Told = tuple[Micros, Measurement]


def rules_of() -> object:
    text = "kind: owner\nid: web\nname: Web\n---\nkind: objective\nid: growth\ntitle: Growth\nowner: web\n"
    for name, direction, counterparts in (
        ("visits", "higher_is_better", "[{kpi: tickets, minimum_effect: 10%}]"),
        ("tickets", "lower_is_better", "[]"),
        ("booked", "higher_is_better", "[]"),
    ):
        text += _KPI.format(name=name, direction=direction, aggregation="sum", counterparts=counterparts)
    text += "".join(_RULE.format(id=name, body=body) for name, body in {**JOINED, **MEMBERS}.items())
    loaded = load_read(read_text("all.yaml", text))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems if each.severity == "error"]
    return loaded.rule_set


RULES = rules_of()


def measured(draw: random.Random, hours: int) -> list[Measurement]:
    """One of each series an hour, some hours missing: whole numbers, so that no sum depends on its order."""
    return [
        Measurement(kpi, format_time(BEGIN + hour * HOUR), float(draw.choice([1, 2, 5, 7, 12])), dimensions,
                    f"{kpi}{number}-{hour}", revision=9)
        for hour in range(hours)
        for number, (kpi, dimensions) in enumerate(SERIES)
        if draw.random() < 0.95
    ]  # fmt: skip


def in_order(measurements: list[Measurement]) -> list[Told]:
    return [(parse_own_time(each.time), each) for each in measurements]


def told_late(measurements: list[Measurement], draw: random.Random, reach: Micros = REACH) -> list[Told]:
    """Each as it was first said and as it was corrected, in an order in which nothing comes later than `reach`."""
    said: list[Told] = []
    for each in measurements:
        wrong = draw.sample(range(9), draw.choice([0, 0, 0, 1, 2]))
        for revision in (*wrong, 9):
            value = each.value if revision == 9 else float(draw.randint(0, 15))
            late = draw.choice([0, 0, draw.randrange(reach)])
            told = Measurement(each.kpi, each.time, value, each.dimensions, each.id, revision=revision)
            said.append((parse_own_time(each.time) + late, told))
    return sorted(said, key=lambda pair: pair[0])


def stands(told: list[Told], hours: int) -> dict[tuple[str, str], set[tuple[str, str | None]]]:
    """Where each rule fired from when to when, when all is over: by the newest word on each alert, for one whose
    beginning moves stays the alert that it was.
    """
    replayed = replay(RULES, told, every=HOUR, partitions=2, begin=BEGIN, until=BEGIN + (hours + 60) * HOUR)
    alerts: dict[tuple[str, str, str], tuple[str, str | None]] = {}
    for output in replayed.outputs:
        if output.topic == TRIGGERS:
            data = msgspec.json.decode(output.record.value or b"", type=ReviewTrigger).data
            if data.rule in JOINED and isinstance(data.moved_by, TurnName):
                note(alerts, data, data.moved_by)
    found: dict[tuple[str, str], set[tuple[str, str | None]]] = {}
    for (rule, scope, _), alert in alerts.items():
        found.setdefault((rule, scope), set()).add(alert)
    return found


def note(alerts: dict[tuple[str, str, str], tuple[str, str | None]], data: TriggerData, turn: TurnName) -> None:
    place = (data.rule, data.scope, turn.opened)
    if turn.turn == "withdrawn":
        alerts.pop(place, None)
        return
    known = alerts.get(place, (turn.opened, None))
    first = known[0] if data.episode is None else data.episode.first
    # What changed of an alert that is over is told by the window that it began with, or the one that ended it.
    began = first if data.episode is None else format_time(parse_own_time(first) + HOUR)
    end = data.event_time if data.event_time != began else known[1]
    alerts[place] = (first, end if data.alert == "over" else None)


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(24, 60), st.integers(0, 10**9))
def test_any_order_and_any_corrections_end_in_what_sorted_corrected_data_say(hours: int, seed: int):
    measurements = measured(random.Random(seed), hours)
    assert stands(told_late(measurements, random.Random(seed + 1)), hours) == stands(in_order(measurements), hours)


def test_every_rule_says_something_of_such_data():
    found = stands(in_order(measured(random.Random(5), 60)), 60)
    assert {rule for rule, _ in found} == set(JOINED)


@pytest.mark.parametrize("reach", [30 * HOUR])
def test_what_comes_later_than_it_may_ends_in_something_else(reach: Micros):
    measurements = measured(random.Random(5), 48)
    assert stands(told_late(measurements, random.Random(6), reach), 48) != stands(in_order(measurements), 48)
