"""One series of events a condition: a worker's stages, a backtest and a rule test say the same of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from engine.model.identity import scope_key
from engine.model.measurement import Measurement
from engine.model.time import HOUR, Micros, format_time, parse_own_time
from engine.model.topics import TRIGGERS
from engine.offline.backtest.files import Reading
from engine.offline.backtest.run import run
from engine.offline.backtest.summary import summary_of
from engine.offline.episodes import episodes
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.replay import replay
from engine.offline.rule_tests import run_test
from engine.rules.loader import load_read
from engine.rules.rule_tests import Expectation, Firing, Measured, RuleTest
from engine.rules.source import read_text
from engine.rules.spec.conditions import ConditionSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.rules.ruleset import RuleSet

BEGIN = parse_own_time("2026-01-05T00:00:00Z")
CATALOGUE = """\
kind: owner
id: web
name: Web
---
kind: objective
id: growth
title: Growth
owner: web
---
kind: kpi
id: visits
title: Visits
owner: web
objective: growth
definition: Visits of a shop
decision: Buy less traffic
direction: higher_is_better
role: leading
unit: events
aggregation: sum
window: {every: 1h}
cadence: 1h
dimensions: [shop]
series: [{shop: a}]
target: {value: 5, by: 2030-12-31}
counterparts: [{kpi: tickets, minimum_effect: 10%}]
---
kind: kpi
id: tickets
title: Tickets
owner: web
objective: growth
definition: Tickets of a shop
decision: Answer faster
direction: lower_is_better
role: lagging
unit: events
aggregation: sum
window: {every: 1h}
dimensions: [shop]
target: {value: 5, by: 2026-01-31}
---
kind: rule
id: told
title: What is under test
"""
HIGH = """
---
kind: rule
id: many-visits
title: Many visits
kpi: visits
condition: {threshold: {above: 30}}
---
kind: rule
id: many-tickets
title: Many tickets
kpi: tickets
condition: {threshold: {above: 30}}
"""
STEP = """
---
kind: initiative
id: relaunch
title: Relaunch
owner: web
objective: growth
milestones: [{title: Three times as many, by: 2026-01-06, kpi: visits, value: 30}]
"""
STEADY = [10.0, 11.0, 9.0, 10.0, 12.0, 8.0] * 12
EPISODE = [*STEADY, *[value + 40 for value in STEADY[:36]], *STEADY]
WILD = [float(n * n * 37 % 101) for n in range(88)]
APART = [float((n * n * 53 + n * 7) % 97) for n in range(48)]
CASES: dict[str, tuple[str, list[float | None], list[float | None]]] = {
    "threshold": ("kpi: visits\ncondition: {threshold: {above: 30, recover_at: 15}}", EPISODE, []),
    "change": ("kpi: visits\ncondition: {change: {against: {median_of: 4, same: windows}, up: 50%}}", EPISODE, []),
    "trend_break": ("kpi: visits\ncondition: {trend_break: {of: level, learn: 48}}", EPISODE, []),
    "anomaly": ("kpi: visits\ncondition: {anomaly: {season: none}}", EPISODE, []),
    "control_chart": ("kpi: visits\ncondition: {control_chart: {rules: nelson, learn: 48}}", EPISODE, []),
    "missing_data": ("kpi: visits\ncondition: {missing_data: {}}", [*STEADY, *[None] * 12, *STEADY], []),
    "counterpart_conflict": (
        "kpi: visits\ncondition: {counterpart_conflict: {improves: {above: 30}, worsens: {above: 30}}}",
        EPISODE,
        EPISODE,
    ),
    "burn_rate": (
        "kpi: tickets\ncondition: {burn_rate: {objective: 80%, factor: 1.5, long: 2h, short: 1h}}",
        STEADY,
        [value / 100 for value in EPISODE],
    ),
    "reconciliation": (
        "kpi: visits\ncondition: {reconciliation: {against: tickets, tolerance: 5%}}",
        EPISODE,
        [*STEADY, *STEADY[:36], *STEADY],
    ),
    "reconciliation often": (
        """kpi: visits
condition: {reconciliation: {against: tickets, tolerance: 5%}}
at_least: {m: 3, of: 5}
warm_up: 74
keep_firing_for: 2h""",
        EPISODE,
        [*STEADY, *STEADY[:36], *STEADY],
    ),
    "control_chart often": (
        "kpi: visits\ncondition: {control_chart: {rules: nelson, learn: 48}}\nat_least: {m: 3, of: 5}\nfor: 1h",
        EPISODE,
        [],
    ),
    "governance": (
        "kpi: visits\ncondition: {governance: {always_green: {windows: 24, margin: 2}}}",
        [*STEADY, *[2.0] * 12, *STEADY],
        [],
    ),
    "governance of an outcome": (
        "kpi: tickets\ncondition: {governance: {green_over_falling: {windows: 12}}}",
        [9.0] * 88,
        [float(10 + min(n, 40)) for n in range(88)],
    ),
    "governance by changes": (
        "kpi: visits\ncondition: {governance: {vanity: {windows: 30, lag: 0, below: 0.5}}}",
        WILD,
        [*APART, *[150 - value for value in WILD[48:]]],
    ),
    "governance of milestones": ("kpi: visits\ncondition: {governance: {unproven_milestone: {}}}" + STEP, EPISODE, []),
    "governance of restatements": (
        "kpi: visits\ngrace: 60h\ncondition: {governance: {restated_in_favour: {windows: 24}}}",
        [*STEADY, *STEADY],
        [],
    ),
    "off_track": (
        "kpi: tickets\ncondition: {off_track: {learn: 24, scope: [shop]}}",
        [],
        [60 - each for each in EPISODE],
    ),
    "composite": ("condition: {composite: {all: [many-visits, many-tickets]}}" + HIGH, EPISODE, EPISODE),
}

AGAIN = {"governance of restatements": [(place, STEADY[place % 72] + 2, 40) for place in range(24, 36)]}
"""What is said again of visits: of which hour, what, and in which hour."""

FORMS = {
    "at_least": "{at_least: {count: 2, of: [many-visits, many-tickets, few-visits]}}",
    "not": "{any: [many-visits, many-tickets], not: [few-visits]}",
    "sequence": "{sequence: [few-visits, many-visits], within: 12h}",
    "absent": "{all: [many-tickets], absent: [few-visits], within: 3h}",
}
LOW = """
---
kind: rule
id: few-visits
title: Few visits
kpi: visits
condition: {threshold: {below: 9}}
"""
CASES_OF_FORMS = {
    f"composite of {name}": (f"condition: {{composite: {form}}}" + HIGH + LOW, EPISODE, EPISODE)
    for name, form in FORMS.items()
}
CASES_OF_FIELDS = {
    "maintenance": (
        """kpi: visits
condition: {threshold: {above: 30}}
maintenance: [{every: thu, from: "00:00", to: "12:00", zone: UTC, reason: Planned}]""",
        [*EPISODE, *STEADY, 50.0, *STEADY],
        [],
    ),
}
PER_VISIT = """
---
kind: kpi
id: per-visit
title: Tickets per visit
owner: web
objective: growth
definition: Tickets for each visit
decision: Answer faster
direction: lower_is_better
role: leading
unit: tickets per visit
formula: tickets / visits
window: {every: 1h}
cadence: 1h
dimensions: [shop]
series: [{shop: a}]
target: {value: 5, by: 2026-01-31}
counterparts: [{kpi: visits, minimum_effect: 10%}]
"""
WHOLE = PER_VISIT.replace("dimensions: [shop]\nseries: [{shop: a}]\n", "")
ONES: list[float | None] = [1.0] * len(EPISODE)
CASES_OF_FORMULAS: dict[str, tuple[str, list[float | None], list[float | None]]] = {
    f"{name.partition(' ')[0]} of a formula": (f"kpi: per-visit\ncondition: {{{condition}}}{kpi}", visits, tickets)
    for name, condition, kpi, visits, tickets in (
        ("threshold", "threshold: {above: 3}", PER_VISIT, STEADY * 4, [*STEADY, *EPISODE, *STEADY]),
        ("change", "change: {against: {median_of: 4, same: windows}, up: 50%}", PER_VISIT, ONES, EPISODE),
        ("trend_break", "trend_break: {of: level, learn: 48}", PER_VISIT, ONES, EPISODE),
        ("missing_data", "missing_data: {}", PER_VISIT, [*STEADY, *[None] * 12, *STEADY], STEADY * 4),
        (
            "counterpart_conflict",
            "counterpart_conflict: {improves: {below: 0.5}, worsens: {above: 30}}",
            PER_VISIT,
            EPISODE,
            [10.0] * len(EPISODE),
        ),
        ("off_track", "off_track: {learn: 24, scope: [shop]}", PER_VISIT, ONES, [60 - each for each in EPISODE]),
        (
            "governance",
            "governance: {always_green: {windows: 24, margin: 2}}",
            WHOLE,
            ONES,
            [*[2.0] * 60, *[9.0] * 12, *[2.0] * 12],
        ),
    )
}
ALL_CASES = CASES | CASES_OF_FORMS | CASES_OF_FIELDS | CASES_OF_FORMULAS


LASTING = "\nfor: 3h\nkeep_firing_for: 2h"
CASES_OF_FORMS |= {
    f"{name} that lasts": (CASES[name][0] + LASTING, *CASES[name][1:])
    for name in ("counterpart_conflict", "reconciliation", "off_track")
}


def rules_of(rule: str) -> RuleSet:
    loaded = load_read(read_text("all.yaml", CATALOGUE + rule + "\n"))
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    return loaded.rule_set


def measured(kpi: str, values: Sequence[float | None]) -> list[tuple[Micros, Measurement]]:
    return [
        (
            BEGIN + place * HOUR,
            Measurement(kpi, format_time(BEGIN + place * HOUR), value, {"shop": "a"}, f"{kpi}{place}"),
        )
        for place, value in enumerate(values)
        if value is not None
    ]


def said_again(condition: str) -> list[tuple[Micros, Measurement]]:
    return [
        (
            BEGIN + at * HOUR,
            Measurement("visits", format_time(BEGIN + of * HOUR), value, {"shop": "a"}, f"visits{of}", revision=1),
        )
        for of, value, at in AGAIN.get(condition, [])
    ]


def series_again(condition: str) -> list[Measured]:
    return [
        Measured("visits", {"shop": "a"}, [value], BEGIN + of * HOUR, HOUR, None, BEGIN + at * HOUR, 1)
        for of, value, at in AGAIN.get(condition, [])
    ]


@pytest.mark.parametrize("condition", ["counterpart_conflict", "reconciliation"])
@pytest.mark.parametrize(("shop", "fires"), [("a", True), ("b", False)])
def test_what_joins_windows_looks_only_where_it_is_told_to(condition: str, shop: str, *, fires: bool):
    rule, visits, tickets = CASES[condition]
    rules = rules_of(f"{rule}\nwhere: {{shop: {shop}}}")
    told = sorted(measured("visits", visits) + measured("tickets", tickets), key=lambda pair: pair[0])
    assert bool(episodes(replay(rules, told, every=HOUR))) == fires


@pytest.mark.parametrize("condition", ["counterpart_conflict", "reconciliation"])
def test_what_joins_windows_fires_and_ends_by_as_much_later_as_it_must_last(condition: str):
    found = {}
    for name, cases in ((condition, CASES), (f"{condition} that lasts", CASES_OF_FORMS)):
        rule, visits, tickets = cases[name]
        rules = rules_of(rule)
        told = sorted(measured("visits", visits) + measured("tickets", tickets), key=lambda pair: pair[0])
        live = replay(rules, told, every=HOUR)
        [[found[name]]] = episodes(live).values()
        for output in live.outputs:
            if output.topic == TRIGGERS:
                explained = explain(given(json.loads(output.record.value or b"")))
                assert explained.failures == (), explained.sentence
    plain, lasting = found.values()
    assert plain.to is not None
    assert (lasting.begin, lasting.to) == (plain.begin + 3 * HOUR, plain.to + 2 * HOUR)


def as_test(
    expect: tuple[Expectation, ...],
    visits: list[float | None],
    tickets: list[float | None],
    again: Sequence[Measured] = (),
) -> RuleTest:
    series = tuple(
        Measured(kpi, {"shop": "a"}, values, BEGIN, HOUR, None)
        for kpi, values in (("visits", visits), ("tickets", tickets))
        if values
    )
    return RuleTest("same", None, "all.yaml", 1, BEGIN, HOUR, None, (*series, *again), expect)


def written(path: Path, told: Sequence[tuple[Micros, Measurement]]) -> Path:
    rows = [
        {
            "kpi": each.kpi,
            "time": each.time,
            "value": each.value,
            "dimensions": each.dimensions,
            "id": each.id,
            "revision": each.revision,
        }
        for _, each in told
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("condition", CASES_OF_FORMULAS)
def test_what_is_said_of_a_formula_is_recomputed_from_its_evidence(condition: str):
    rule, visits, tickets = CASES_OF_FORMULAS[condition]
    told = sorted(measured("visits", visits) + measured("tickets", tickets), key=lambda pair: pair[0])
    live = replay(rules_of(rule), told, every=HOUR)
    triggers = [json.loads(output.record.value or b"") for output in live.outputs if output.topic == TRIGGERS]
    assert triggers
    assert [explain(given(each)).failures for each in triggers] == [()] * len(triggers)


def test_every_condition_has_a_case():
    assert {name.partition(" ")[0] for name in CASES} == set(ConditionSpec.model_fields)


@pytest.mark.parametrize("condition", ALL_CASES)
def test_live_backtest_and_rule_test_say_the_same(condition: str, tmp_path: Path):
    rule, visits, tickets = ALL_CASES[condition]
    rules = rules_of(rule)
    measurements = measured("visits", visits) + measured("tickets", tickets) + said_again(condition)
    told = sorted(measurements, key=lambda pair: pair[0])
    live = replay(rules, told, every=HOUR)
    triggers = [output.record.value for output in live.outputs if output.topic == TRIGGERS]
    found: list[bytes] = []
    run(rules, [written(tmp_path / "rows.ndjson", told)], Reading(), every=HOUR, triggers=found.append)
    assert found == triggers
    [place] = [each for each in episodes(live) if each[0] == "told"]
    fired = episodes(live)[place]
    assert any(each.to is not None for each in fired), "it fires, and recovers"
    again = series_again(condition)
    whole = condition.startswith("governance")
    assert place == ("told", scope_key({} if whole else {"shop": "a"}))
    expected = Expectation(*place, tuple(Firing(*each) for each in fired), None, 1)
    assert run_test(as_test((expected,), visits, tickets, again), rules).differences == ()
    never = expected._replace(firing=())
    assert run_test(as_test((never,), visits, tickets, again), rules).differences


def test_values_that_were_worked_out_are_no_rows(tmp_path: Path):
    rule, visits, tickets = CASES_OF_FORMULAS["change of a formula"]
    told = sorted(measured("visits", visits) + measured("tickets", tickets), key=lambda pair: pair[0])
    ran = run(rules_of(rule), [written(tmp_path / "rows.ndjson", told)], Reading(), every=HOUR)
    rows = summary_of(ran).rows
    assert (rows.accepted, rows.worked_out) == (len(told), len(visits))
