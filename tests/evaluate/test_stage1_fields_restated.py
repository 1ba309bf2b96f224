"""Late and restated data end in what sorted, corrected data would have said, whatever a rule is written with.

Windows of every shape, every aggregation, KPIs that are worked out, raw points, fields that make more rules of one.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from late_data import NEWEST, Told, in_order, told_late

from engine.model.finding import Finding
from engine.model.measurement import Measurement
from engine.model.time import HOUR, MINUTE, Micros, format_time, parse_own_time
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.own_rules import is_own
from engine.rules.resolved.condition import JoinedCondition
from engine.rules.source import read_text

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

BEGIN = parse_own_time("2026-01-03T00:00:00Z")  # a Saturday: the week begins on the third day
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
direction: higher_is_better
role: leading
unit: events
dimensions: [shop]
target: none
{how}
"""
_TIMES = "window: {every: 1h}\nlateness: 1h\ngrace: 8h"
AGGREGATIONS = (
    "sum", "count", "mean", "min", "max", "last", "share", "rate", "deviation", "distinct", "median", "p90"
)  # fmt: skip
DERIVED = {
    "per-count": "formula: of-sum / of-count\nwindow: {every: 1h}",
    "rest": "formula: of-sum - 2 * of-count\nwindow: {every: 1h}",
}
OF_SUM = {
    "inside": "condition: {threshold: {inside: [10, 20]}}",
    "recovers": "condition: {threshold: {above: 22, recover_at: 12}}\nfor: 1h\nkeep_firing_for: 1h",
    "in-a": "where: {shop: a}\ncondition: {threshold: {below: 14}}",
    "not-in-a": "where: {shop: {not: a}}\ncondition: {change: {up: 5, against: {median_of: 4, same: windows}}}",
    "same-hour": "condition: {change: {down: 10%, against: {median_of: 2, same: days}}}",
    "grave": "condition: {threshold: {above: 18}}\ncritical: {threshold: {above: 24}}",
    "hops": "window: {size: 3h, every: 1h}\ncondition: {threshold: {above: 55}}\nat_least: {m: 2, of: 3}",
    "days": "window: {every: day, zone: Europe/Berlin}\ncondition: {threshold: {above: 270}}",
    "to-date": "window: {every: day, zone: America/New_York, since: week}\ncondition: {threshold: {above: 500}}",
    "raw": "points: raw\ncondition: {threshold: {above: 9}}\nat_least: {m: 3, of: 5}\nwarm_up: 10",
    "raw-lasting": "points: raw\ncondition: {threshold: {outside: [2, 11]}}\nfor: 20m\nkeep_firing_for: 30m",
    "warm": "condition: {threshold: {below: 16}}\nwarm_up: 20",
}
OTHERS = {
    "burns": ("of-share", "condition: {burn_rate: {objective: 80%, factor: 2, long: 4h, short: 1h}}"),
    "per-count-low": ("per-count", "condition: {threshold: {below: 6}}\nfor: 1h"),
    "per-count-rose": ("per-count", "condition: {change: {up: 20%, against: {median_of: 3, same: windows}}}"),
    "rest-often": ("rest", "condition: {threshold: {above: 10}}\nat_least: {m: 2, of: 4}\nwarm_up: 4"),
}
CHANGED = "condition: {change: {up: 30%, down: 30%, against: {median_of: 3, same: windows}}}\nat_least: {m: 2, of: 3}"


def rules_of() -> dict[str, tuple[str, str]]:
    """KPI and text by id."""
    of_sum = {name: ("of-sum", body) for name, body in OF_SUM.items()}
    by_kind = {f"changed-{each}": (f"of-{each}", CHANGED) for each in AGGREGATIONS}
    return {**of_sum, **by_kind, **OTHERS}


def loaded() -> RuleSet:
    text = "kind: owner\nid: web\nname: Web\n---\nkind: objective\nid: growth\ntitle: Growth\nowner: web\n"
    text += "".join(_KPI.format(name=f"of-{how}", how=f"aggregation: {how}\n{_TIMES}") for how in AGGREGATIONS)
    text += "".join(_KPI.format(name=name, how=how) for name, how in DERIVED.items())
    text += "".join(
        f"---\nkind: rule\nid: {name}\ntitle: {name}\nkpi: {kpi}\n{body}\n" for name, (kpi, body) in rules_of().items()
    )
    found = load_read(read_text("all.yaml", text))
    assert found.rule_set is not None, [str(each) for each in found.problems if each.severity == "error"]
    return found.rule_set


RULES = loaded()
IN_ANY_ORDER = [rule for rule in RULES.rules if not is_own(rule)]


def measured(draw: random.Random, hours: int) -> list[Measurement]:
    """Up to three of each series an hour, in moods of some hours: whole numbers, so that no sum depends on its order,
    and no two of a series at one time, of which the one that is heard last is the `last`.
    """
    found = []
    for how in AGGREGATIONS:
        for shop in "ab":
            low = 0
            for hour in range(hours):
                low = draw.choice([0, 4]) if hour % 6 == 0 else low
                for minute in draw.sample(range(60), draw.choice([0, 1, 2, 3, 3])):
                    time = format_time(BEGIN + hour * HOUR + minute * MINUTE)
                    name = f"{how}-{shop}-{hour}-{minute}"
                    value = float(draw.choice([low, low + 2, low + 5, low + 8]))
                    found.append(Measurement(f"of-{how}", time, value, {"shop": shop}, name, revision=NEWEST))
    return sorted(found, key=lambda each: each.time)


def stands(told: list[Told], hours: int) -> dict[str, set[str]]:
    """By rule what has been said and not been taken back, when all is over."""
    until = BEGIN + (hours + 120) * HOUR
    standing: dict[str, Finding] = {}
    for output in replay(RULES, told, every=HOUR, partitions=2, begin=BEGIN, until=until).findings:
        if b'"type":"finding"' in (output.record.value or b""):
            finding = msgspec.json.decode(output.record.value or b"", type=Finding)
            standing.pop(finding.replaces or "", None)
            if finding.status != "withdrawn":
                standing[finding.id] = finding
    found: dict[str, set[str]] = {}
    for finding in standing.values():
        found.setdefault(finding.rule, set()).add(content_of(finding))
    return found


def content_of(finding: Finding) -> str:
    """What it says of when and how much; sums of fractions may differ in what is left of their rounding."""
    said: list[Any] = [finding.series, finding.transition, finding.event_time, finding.opened_event_time]
    episode = finding.episode
    worst, value = (None if each is None else round(each, 9) for each in (episode.worst, finding.value))
    return json.dumps([*said, value, episode.points, episode.first, episode.last, worst])


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(30, 90), st.integers(0, 10**9))
def test_any_order_and_any_corrections_end_in_what_sorted_corrected_data_say(hours: int, seed: int):
    measurements = measured(random.Random(seed), hours)
    late = told_late(measurements, random.Random(seed + 1), REACH)
    assert stands(late, hours) == stands(in_order(measurements), hours)


def test_every_rule_of_single_series_says_something_of_such_data():
    found = stands(in_order(measured(random.Random(5), 90)), 90)
    joined = {rule.id for rule in RULES.rules if isinstance(rule.condition, JoinedCondition)}
    assert set(found) == {rule.id for rule in RULES.rules if not is_own(rule)} - joined


@pytest.mark.parametrize("reach", [30 * HOUR])
def test_what_comes_later_than_it_may_ends_in_something_else(reach: Micros):
    measurements = measured(random.Random(5), 48)
    assert stands(told_late(measurements, random.Random(6), reach), 48) != stands(in_order(measurements), 48)
