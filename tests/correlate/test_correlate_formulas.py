"""KPIs with a formula: worked out window by window from what was measured, whatever came late, however often a worker
died, and judged as if somebody had measured them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from math import fsum
from typing import TYPE_CHECKING

import msgspec
import pytest
from loop_world import Loop

from engine.correlate.governance.goalposts import moved_between
from engine.model.finding import Finding
from engine.model.governance import MovedField
from engine.model.identity import series_key
from engine.model.measurement import Measurement
from engine.model.outputs import WorkedOut
from engine.model.time import HOUR, MINUTE, Micros, format_time, parse_own_time
from engine.model.topics import DEAD_LETTERS, FINDINGS, MEASUREMENTS, TRIGGERS
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.rules.versions import redefined

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output

BEGIN = parse_own_time("2026-03-02T00:00:00Z")
REACH = 8 * HOUR
LIMIT = 0.7
CATALOGUE = """\
kind: owner
id: web
name: Web
---
kind: objective
id: growth
title: Growth
owner: web
"""
KPI = """\
---
kind: kpi
id: {name}
title: {title}
owner: web
objective: growth
definition: {title} of a shop
decision: Act
direction: higher_is_better
role: lagging
unit: {name}
{how}
window: {{every: 1h}}
dimensions: [{dimensions}]
target: none
"""
LATE = "lateness: 1h\ngrace: 8h"
RULE = """\
---
kind: rule
id: low
title: Conversion is low
kpi: conversion
condition: {threshold: {below: 0.7}}
"""


PAID = """\
---
kind: rule
id: paid
title: Conversion is paid for
kpi: conversion
condition:
  counterpart_conflict:
    improves: {by: 10%, against: {median_of: 3, same: windows}, noise: 0}
    worsens: {by: 10%, against: {median_of: 3, same: windows}, noise: 0}
"""


def rules_of(formula: str = "orders / sessions", *, late: str = LATE, rule: str = RULE, scope: str = "shop") -> RuleSet:
    text = CATALOGUE
    text += KPI.format(name="orders", title="Orders", how=f"aggregation: sum\n{late}", dimensions="shop, door")
    text += KPI.format(name="sessions", title="Sessions", how=f"aggregation: count\n{late}", dimensions="shop, door")
    text += KPI.format(name="conversion", title="Conversion", how=f"formula: {formula}", dimensions=scope)
    loaded = load_read(read_text("all.yaml", text + rule))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems if each.severity == "error"]
    return loaded.rule_set


RULES = rules_of()
Told = tuple[Micros, Measurement]


def orders(hour: int, value: float, shop: str = "a", door: str = "x", *, sent: Micros | None = None, revision: int = 0):
    at = BEGIN + hour * HOUR + 30 * MINUTE
    told = Measurement(
        "orders", format_time(at), value, {"shop": shop, "door": door}, f"o{shop}{door}{hour}", revision=revision
    )
    return (at if sent is None else sent), told


def sessions(hour: int, count: int, shop: str = "a", door: str = "x") -> list[Told]:
    times = [BEGIN + hour * HOUR + minute * MINUTE for minute in range(count)]
    return [
        (at, Measurement("sessions", format_time(at), 1.0, {"shop": shop, "door": door}, f"s{shop}{door}{at}"))
        for at in times
    ]


def drawn(draw: random.Random, hours: int) -> list[Measurement]:
    """Whole orders of two doors of three shops, and their sessions; some hours lack something."""
    found = []
    for hour in range(hours):
        for shop in "abc":
            for door in "xy":
                many = draw.choice([0, 1, 2, 3, 4])
                found += [told for _, told in sessions(hour, many, shop, door)]
                if draw.random() < 0.8:
                    found.append(orders(hour, float(draw.randint(0, 4)), shop, door, revision=9)[1])
    return found


def told_late(measurements: list[Measurement], draw: random.Random) -> list[Told]:
    """Each as it was first said and as it was corrected, none of it later than `REACH`."""
    said: list[Told] = []
    for each in measurements:
        wrong = draw.sample(range(9), draw.choice([0, 0, 1, 2])) if each.kpi == "orders" else []
        for revision in (*wrong, each.revision):
            value = each.value if revision == each.revision else float(draw.randint(0, 9))
            late = draw.choice([0, 0, draw.randrange(REACH)])
            told = Measurement(each.kpi, each.time, value, each.dimensions, each.id, revision=revision)
            said.append((parse_own_time(each.time) + late, told))
    return sorted(said, key=lambda pair: pair[0])


def naive(measurements: list[Measurement]) -> dict[tuple[str, Micros], float]:
    """The slow obvious twin: for each shop and hour with both, the sum of orders by the number of sessions."""
    parts: dict[tuple[str, Micros], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in measurements:
        hour = parse_own_time(each.time) // HOUR * HOUR
        parts[each.dimensions["shop"], hour][each.kpi].append(each.value)
    return {place: fsum(by["orders"]) / len(by["sessions"]) for place, by in parts.items() if len(by) == 2}


def naive_alerts(values: dict[tuple[str, Micros], float]) -> set[tuple[str, str, str]]:
    """When conversion came to be low, and no longer was, shop by shop."""
    found, low = set(), dict.fromkeys("abc", False)
    for (shop, hour), value in sorted(values.items(), key=lambda each: each[0][1]):
        if (value < LIMIT) != low[shop]:
            low[shop] = value < LIMIT
            transition = "firing" if low[shop] else "resolved"
            found.add((series_key("conversion", {"shop": shop}), transition, format_time(hour + HOUR)))
    return found


def run(rules: RuleSet, told: list[Told], hours: int, draw: random.Random, shape: tuple[int, int], dies: float) -> Loop:
    loop = Loop(rules, *shape, draw, dies=dies)
    place = 0
    for number in range(hours + 40):
        time = BEGIN + number * HOUR
        while place < len(told) and told[place][0] <= time:
            each = told[place][1]
            loop.measure(each, series_key(each.kpi, each.dimensions))
            place += 1
        loop.tick(time)
        loop.work(all_of_it=False)
    loop.work()
    return loop


def worked_out(said: list[Output]) -> dict[tuple[str, Micros], float]:
    """The newest revision of every value that was worked out."""
    newest: dict[tuple[str, Micros], Measurement] = {}
    for output in said:
        if output.topic == MEASUREMENTS:
            told = msgspec.json.decode(output.record.value or b"", type=Measurement)
            place = told.dimensions["shop"], parse_own_time(told.time)
            if place not in newest or newest[place].revision <= told.revision:
                assert place not in newest or newest[place].revision < told.revision or newest[place] == told
                newest[place] = told
    return {place: told.value for place, told in newest.items()}


def alerts(said: list[Output]) -> set[tuple[str, str, str]]:
    """The findings that stand in the end."""
    findings: dict[str, Finding] = {}
    for output in said:
        if output.topic == FINDINGS and b'"type":"finding"' in (output.record.value or b""):
            found = msgspec.json.decode(output.record.value or b"", type=Finding)
            findings[found.id] = found
    replaced = {found.replaces for found in findings.values()}
    return {
        (found.series, found.transition, found.event_time)
        for found in findings.values()
        if found.status != "withdrawn" and found.id not in replaced
    }


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 2)])
@pytest.mark.parametrize("seed", range(4))
def test_values_and_alerts_are_those_of_all_that_was_measured(shape: tuple[int, int], seed: int):
    draw = random.Random(100 * seed)
    measurements = drawn(draw, 30)
    loop = run(RULES, told_late(measurements, draw), 30, draw, shape, dies=0.2 if seed % 2 else 0.0)
    expected = naive(measurements)
    assert worked_out(loop.said) == expected
    assert alerts(loop.said) == naive_alerts(expected)
    assert not [each for each in loop.said if each.topic == DEAD_LETTERS]
    loop.close()


def test_nothing_is_worked_out_where_a_part_did_not_come_or_is_divided_by():
    told = [*sessions(0, 3), *sessions(1, 3), orders(1, 6.0), orders(2, 6.0), *sessions(3, 2), orders(3, 1.0)]
    loop = run(rules_of("sessions / orders"), [*told, orders(4, 0.0), *sessions(4, 2)], 6, random.Random(1), (1, 1), 0)
    assert worked_out(loop.said) == {("a", BEGIN + HOUR): 0.5, ("a", BEGIN + 3 * HOUR): 2.0}
    loop.close()


def test_the_header_says_from_what_it_was_worked_out():
    told = [*sessions(0, 3), *sessions(0, 1, door="y"), orders(0, 6.0)]
    loop = run(RULES, told, 2, random.Random(1), (1, 1), 0)
    (output,) = [each for each in loop.said if each.topic == MEASUREMENTS]
    header = msgspec.json.decode(dict(output.record.headers)[WorkedOut.HEADER], type=WorkedOut)
    assert [(each.kpi, each.value, each.count, each.series) for each in header.inputs] == [
        ("orders", 6.0, 1, 1),
        ("sessions", 4.0, 4, 2),
    ]
    loop.close()


def test_who_sends_a_value_of_it_is_refused():
    at, told = orders(0, 6.0)
    sent = Measurement("conversion", told.time, 1.0, {"shop": "a"}, source="me")
    replayed = replay(RULES, [(at, sent), (at, told)])
    (letter,) = [each for each in replayed.outputs if each.topic == DEAD_LETTERS]
    assert b"derived_kpi" in (letter.record.value or b"")
    assert b"send those" in (letter.record.value or b"")


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_replay_knows_them_as_a_worker_does(partitions: int):
    draw = random.Random(5)
    measurements = drawn(draw, 30)
    told = told_late(measurements, draw)
    replayed = replay(RULES, told, partitions=partitions, begin=BEGIN, until=BEGIN + 70 * HOUR)
    said = [*replayed.findings, *replayed.outputs]
    assert worked_out(said) == naive(measurements)
    assert alerts(said) == naive_alerts(naive(measurements))


def test_it_is_told_before_the_next_window_has_come():
    """An hour is told at the second tick after its end: one for the parts to close, one for the barrier."""
    told = [*sessions(0, 4), orders(0, 4.0), *sessions(1, 4), orders(1, 1.0)]
    replayed = replay(rules_of(late=""), told, every=10 * MINUTE)
    opened = [msgspec.json.decode(each.record.value or b"") for each in replayed.outputs if each.topic == TRIGGERS]
    assert [(each["type"].split(".")[2], each["data"]["event_time"]) for each in opened] == [
        ("opened", format_time(BEGIN + 2 * HOUR))
    ]
    assert opened[0]["data"]["explanation"] == (
        "Conversion of {shop a} was 0.25 from 2026-03-02T01:00:00Z to 2026-03-02T02:00:00Z, below 0.7."
    )


def test_a_rule_that_merges_windows_merges_what_stands_in_the_formula_and_says_who_carries_it():
    """Door x sells three times as much to no more visitors; the mean of the two doors' ratios is never formed."""
    conversion = "formula: orders / sessions\ncounterparts: [{kpi: returns, minimum_effect: 10%}]"
    returns = KPI.format(name="returns", title="Returns", how="aggregation: sum", dimensions="shop, door")
    returns = returns.replace("higher_is_better", "lower_is_better")
    text = CATALOGUE + "".join(
        KPI.format(name=name, title=name.capitalize(), how=how, dimensions=dimensions)
        for name, how, dimensions in (
            ("orders", "aggregation: sum", "shop, door"),
            ("sessions", "aggregation: count", "shop, door"),
            ("conversion", conversion, "shop"),
        )
    )
    loaded = load_read(read_text("all.yaml", text + returns + PAID))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems]
    told: list[Told] = []
    for hour in range(6):
        told += [*sessions(hour, 4, door="x"), *sessions(hour, 12, door="y")]
        told += [orders(hour, 6.0 if hour == 4 else 2.0, door="x"), orders(hour, 6.0, door="y")]
        at = BEGIN + hour * HOUR
        amount = 30.0 if hour == 4 else 10.0
        told.append((at, Measurement("returns", format_time(at), amount, {"shop": "a", "door": "x"}, f"r{hour}")))
    replayed = replay(loaded.rule_set, sorted(told, key=lambda pair: pair[0]), every=10 * MINUTE)
    events = [msgspec.json.decode(each.record.value or b"") for each in replayed.outputs if each.topic == TRIGGERS]
    side = events[0]["data"]["evidence"]["sides"][0]
    assert (side["kpi"], side["value"], side["usual"], side["shares_count"]) == ("conversion", 12 / 16, 8 / 16, 4)
    (dimension,) = side["bottleneck"]["dimensions"]
    assert (dimension["dimension"], dimension["values"][0]["value"]) == ("door", "x")
    assert dimension["values"][0]["change"] == pytest.approx(4 / 16)
    for event in events:
        explained = explain(given(event))
        assert explained.failures == (), explained.failures


def test_another_formula_or_aggregation_in_it_starts_rules_anew_and_is_a_moved_goalpost():
    other = rules_of("orders / (sessions + 1)")
    assert other.rule_by_id["low"].fingerprint != RULES.rule_by_id["low"].fingerprint
    kpis = {rules.hash: rules.kpi_by_id["conversion"] for rules in (RULES, other)}
    assert moved_between(kpis[RULES.hash], kpis[other.hash]) == (
        MovedField("formula", "orders / sessions", "orders / (sessions + 1)"),
    )
    assert redefined(RULES, other) == {"conversion": ("formula",)}
    text = CATALOGUE + "".join(
        KPI.format(name=name, title=name, how=how, dimensions="shop")
        for name, how in (
            ("orders", "aggregation: count"),
            ("sessions", "aggregation: count"),
            ("conversion", "formula: orders / sessions"),
        )
    )
    plain = load_read(read_text("all.yaml", text.replace("aggregation: count", "aggregation: sum", 1) + RULE)).rule_set
    counted = load_read(read_text("all.yaml", text + RULE)).rule_set
    assert plain is not None
    assert counted is not None
    assert plain.rule_by_id["low"].fingerprint != counted.rule_by_id["low"].fingerprint
