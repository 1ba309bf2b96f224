"""A rule that is called shadowed never fires where the other does not: both are run over drawn data."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest
from errors_catalogue import CATALOGUE

from engine.model.measurement import Measurement
from engine.model.time import HOUR, Micros, format_time, parse_own_time
from engine.offline.episodes import Episode, episodes
from engine.offline.replay import replay
from engine.rules.loader import Loaded, load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    from collections.abc import Callable

BEGIN = parse_own_time("2026-01-05T00:00:00Z")
LONG = 120
PAIRS = 400
"""Of each kind, until enough of them are shadowed."""
ENOUGH = 5
OTHERS = """
kind: kpi
id: sales
title: Sales
owner: ops
objective: up
definition: What was sold
decision: Roll back
direction: higher_is_better
role: leading
unit: errors
aggregation: sum
window: {every: 1h}
dimensions: [host]
series: [{host: a}]
target: {value: 8, by: 2026-01-31}
counterparts: [{kpi: errors, minimum_effect: 10%}]
---
kind: kpi
id: refused
title: Refused
owner: ops
objective: up
definition: The share that was refused
decision: Roll back
direction: lower_is_better
role: leading
unit: requests
aggregation: share
window: {every: 1h}
dimensions: [host]
target: none
---
"""
RULE = """kind: rule
id: {name}
title: One of two
kpi: {kpi}
condition: {condition}
severity: {severity}
review: {{close: on_recovery, reopen_within: 0s, flap_after: 1000}}
{fields}
---
"""
KPIS = {
    "counterpart_conflict": "sales",
    "reconciliation": "sales",
    "off_track": "sales",
    "governance": "sales",
    "green_over_falling": "errors",
    "burn_rate": "refused",
}


def threshold(draw: Random) -> str:
    low, high = sorted(draw.sample(range(2, 20), 2))
    limits = [f"above: {low}", f"below: {high}", f"outside: [{low}, {high}]", f"inside: [{low}, {high}]"]
    recovers = [f"above: {high}, recover_at: {low}", f"below: {low}, recover_at: {high}"]
    return f"{{threshold: {{{draw.choice(limits + recovers)}}}}}"


def change(draw: Random) -> str:
    unit = draw.choice(["", "%"])
    sizes = [f"{draw.choice([1, 3, 5] if not unit else [10, 30, 60])}{unit}" for _ in range(2)]
    asked = draw.choice([f"up: {sizes[0]}", f"down: {sizes[1]}", f"up: {sizes[0]}, down: {sizes[1]}"])
    return f"{{change: {{against: {{median_of: {draw.choice([2, 3])}, same: windows}}, {asked}}}}}"


def chart(draw: Random) -> str:
    kind = draw.randrange(3)
    names = ["western_electric_1", "western_electric_2", "western_electric_4", "nelson_3", "nelson_5"]
    side = draw.choice(["", "", ", direction: up"])
    if kind == 0:
        named = ", ".join(draw.sample(names, draw.choice([1, 2, 3])))
        return f"{{control_chart: {{rules: [{named}], learn: 10{side}}}}}"
    if kind == 1:
        return f"{{control_chart: {{ewma: {{limit: {draw.choice([1, 2, 3])}}}, learn: 10{side}}}}}"
    return f"{{control_chart: {{cusum: {{limit: {draw.choice([2, 4])}}}, learn: 10{side}}}}}"


def learned(draw: Random) -> str:
    kind = draw.choice(["anomaly", "trend_break"])
    learn = 24 if kind == "anomaly" else draw.choice([12, 24])
    return f"{{{kind}: {{sensitivity: {draw.choice(['low', 'high'])}, learn: {learn}}}}}"


def missing(draw: Random) -> str:
    return draw.choice(["{missing_data: {}}", *(f"{{missing_data: {{after: {hours}h}}}}" for hours in (1, 2, 5))])


def judge(draw: Random) -> str:
    if draw.random() < 0.3:
        return f"{{above: {draw.choice([6, 12])}}}"
    hold = draw.choice(["", *[", hold: false"] * 3])
    noise = draw.choice([", noise: 0", ", noise: 1"])
    return f"{{by: {draw.choice([5, 40])}%, against: {{median_of: 2, same: windows}}{noise}{hold}}}"


def conflict(draw: Random) -> str:
    sides = f"improves: {judge(draw)}, worsens: {judge(draw)}"
    return f"{{counterpart_conflict: {{{sides}, over: {draw.choice([1, 1, 1, 2])}}}}}"


def reconciliation(draw: Random) -> str:
    tolerance = draw.choice(["10%", "50%", "80%", "1", "5"])
    return f"{{reconciliation: {{against: errors, tolerance: {tolerance}, over: {draw.choice([1, 2])}}}}}"


def off_track(draw: Random) -> str:
    return f"{{off_track: {{confidence: {draw.choice([60, 80, 95])}%, learn: {draw.choice([16, 28])}, scope: [host]}}}}"


def burn_rate(draw: Random) -> str:
    spans = draw.choice(["long: 4h, short: 1h", "long: 6h, short: 2h"])
    return f"{{burn_rate: {{objective: {draw.choice([70, 80, 90])}%, factor: {draw.choice([1, 2])}, {spans}}}}}"


def easy(draw: Random) -> str:
    return f"{{governance: {{always_green: {{windows: {draw.choice([8, 8, 12])}, margin: {draw.choice([0, 1, 3])}}}}}}}"


def falling(draw: Random) -> str:
    fields = f"windows: 12, green: {draw.choice([5, 40])}%, at_least: {draw.choice([5, 50])}%"
    return f"{{governance: {{green_over_falling: {{{fields}, sensitivity: {draw.choice(['low', 'high'])}}}}}}}"


def vanity(draw: Random) -> str:
    return (
        f"{{governance: {{vanity: {{outcome: errors, windows: 24, lag: 1, below: {draw.choice([0.3, 0.6, 0.9])}}}}}}}"
    )


KINDS: dict[str, Callable[[Random], str]] = {
    "threshold": threshold,
    "change": change,
    "control_chart": chart,
    "anomaly": learned,
    "missing_data": missing,
    "counterpart_conflict": conflict,
    "reconciliation": reconciliation,
    "off_track": off_track,
    "burn_rate": burn_rate,
    "governance": easy,
    "green_over_falling": falling,
    "vanity": vanity,
}
LASTING = ("threshold", "change", "control_chart", "anomaly", "counterpart_conflict", "reconciliation", "off_track")
NARROWED = ("threshold", "change", "control_chart", "anomaly", "missing_data", "burn_rate")


def fields_of(draw: Random, kind: str) -> str:
    said = []
    if kind in LASTING:
        said += [f"for: {draw.choice([0, 0, 2])}h", f"keep_firing_for: {draw.choice([0, 0, 2])}h"]
    if kind in LASTING and draw.random() < 0.3:
        said.append(f"at_least: {{m: {draw.choice([1, 2])}, of: 3}}")
    if kind in NARROWED and draw.random() < 0.3:
        said.append("where: {host: a}")
    return "\n".join(said)


def loaded_of(draw: Random, kind: str) -> Loaded:
    name = KPIS.get(kind, "errors")
    kpi = "sales" if kind == "vanity" else name
    rules = [
        RULE.format(
            name=rule,
            kpi=kpi,
            condition=KINDS[kind](draw),
            severity=draw.choice(["warning", "warning", "critical"]),
            fields=fields_of(draw, kind),
        )
        for rule in ("left", "right")
    ]
    catalogue = CATALOGUE
    if kind in ("green_over_falling", "vanity"):
        catalogue = catalogue.replace("role: leading", "role: lagging")
    return load_read(read_text("all.yaml", catalogue + OTHERS.lstrip() + "".join(rules)))


def history(draw: Random) -> list[tuple[Micros, Measurement]]:
    """Levels that last a while, with gaps, of two hosts and three KPIs."""
    told = []
    for kpi in ("errors", "sales", "refused"):
        for host in ("a", "b"):
            level = 10.0
            for hour in range(LONG):
                level = draw.choice([3.0, 8.0, 12.0, 18.0]) if draw.random() < 0.08 else level
                if draw.random() < 0.06:
                    continue
                value = float(draw.random() < level / 30) if kpi == "refused" else level + draw.choice([-1, 0, 0, 1, 4])
                at = BEGIN + hour * HOUR
                told.append((at, Measurement(kpi, format_time(at), value, {"host": host}, f"{kpi}{host}{hour}")))
    return sorted(told, key=lambda pair: pair[0])


def is_within(narrow: list[Episode], wide: list[Episode]) -> bool:
    """Whether every stretch of one lies within one of the other."""
    end = BEGIN * 2
    return all(any(each.begin <= own.begin and (own.to or end) <= (each.to or end) for each in wide) for own in narrow)


def assert_within(loaded: Loaded, narrow: str, wide: str, draw: Random) -> int:
    assert loaded.rule_set is not None
    found = episodes(replay(loaded.rule_set, history(draw), every=HOUR))
    own = {scope: each for (rule, scope), each in found.items() if rule == narrow}
    for scope, fired in own.items():
        assert is_within(fired, found.get((wide, scope), [])), (loaded.rule_set.rule_by_id[narrow].declared, scope)
    return sum(map(len, own.values()))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shadowed_fires_only_where_the_other_does(kind: str):
    draw, shadowed, fired = Random(f"shadow-{kind}"), Counter[str](), 0
    for _ in range(PAIRS):
        loaded = loaded_of(draw, kind)
        assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
        for problem in loaded.problems:
            if problem.code not in ("shadowed-rule", "repeated-rule"):
                continue
            [wide] = {"left", "right"}.intersection(re.findall(r"\w+", problem.found))
            [narrow] = {"left", "right"} - {wide}
            shadowed[problem.code] += 1
            fired += assert_within(loaded, narrow, wide, draw)
            if problem.code == "repeated-rule":
                assert_within(loaded, wide, narrow, draw)
        if shadowed.total() >= ENOUGH and fired:
            return
    pytest.fail(f"{shadowed} and {fired} alerts: too few to tell")


SAID = {
    "another limit": ("{threshold: {above: 9}}", "{threshold: {outside: [1, 8]}}", "shadowed-rule"),
    "a limit that ends later": ("{threshold: {above: 9, recover_at: 2}}", "{threshold: {above: 8}}", None),
    "a limit that ends sooner": ("{threshold: {above: 9}}", "{threshold: {above: 8, recover_at: 2}}", "shadowed-rule"),
    "a band": ("{threshold: {inside: [3, 4]}}", "{threshold: {inside: [2, 4]}}", "shadowed-rule"),
    "a band beyond": ("{threshold: {inside: [3, 5]}}", "{threshold: {inside: [2, 4]}}", None),
    "another number": ("{threshold: {above: 9}}", "{threshold: {above: 9.0}}", "repeated-rule"),
    "what is usual": ("{anomaly: {}}", "{anomaly: {sensitivity: normal}}", "repeated-rule"),
    "a surer anomaly": ("{anomaly: {sensitivity: low}}", "{anomaly: {sensitivity: high}}", None),
    "a surer break": ("{trend_break: {sensitivity: low}}", "{trend_break: {sensitivity: high}}", None),
    "a larger sum": ("{control_chart: {cusum: {limit: 6}}}", "{control_chart: {cusum: {limit: 4}}}", None),
    "fewer run rules": (
        "{control_chart: {rules: [nelson_3]}}",
        "{control_chart: {rules: nelson}}",
        "shadowed-rule",
    ),
    "one side of a chart": (
        "{control_chart: {ewma: {limit: 4}, direction: up}}",
        "{control_chart: {ewma: {}}}",
        "shadowed-rule",
    ),
    "longer silence": ("{missing_data: {after: 2h}}", "{missing_data: {}}", "shadowed-rule"),
    "one way of two": (
        "{change: {against: {median_of: 3, same: windows}, up: 5%}}",
        "{change: {against: {median_of: 3, same: windows}, up: 5%, down: 9%}}",
        "shadowed-rule",
    ),
    "a share and a number": (
        "{change: {against: {median_of: 3, same: windows}, up: 5%}}",
        "{change: {against: {median_of: 3, same: windows}, up: 0.01}}",
        None,
    ),
    "an older target": (
        "{governance: {set_and_forget: {after: 365d}}}",
        "{governance: {set_and_forget: {after: 180d}}}",
        "shadowed-rule",
    ),
    "other conditions": ("{anomaly: {}}", "{trend_break: {}}", None),
}
"""The later rule, the earlier one, and what is said of the later."""


def said_of(rules: str) -> list[tuple[str, int]]:
    loaded = load_read(read_text("all.yaml", CATALOGUE + rules))
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    lines = CATALOGUE.count("\n")
    return [
        (each.code, each.line - lines) for each in loaded.problems if each.code in ("shadowed-rule", "repeated-rule")
    ]


def pair(later: str, earlier: str, fields: str = "", others: str = "") -> str:
    written = (("earlier", earlier, others), ("later", later, fields))
    return "".join(
        RULE.format(name=name, kpi="errors", condition=condition, severity="warning", fields=more)
        for name, condition, more in written
    )


@pytest.mark.parametrize("case", SAID)
def test_each_condition_has_an_order_of_its_own_or_none(case: str):
    later, earlier, code = SAID[case]
    lines = RULE.count("\n")
    expected = [] if code is None else [(code, lines + (2 if code == "repeated-rule" else 5))]
    assert said_of(pair(later, earlier)) == expected


@pytest.mark.parametrize(
    ("fields", "others", "shadowed"),
    [
        ("for: 2h", "for: 1h", True),
        ("for: 1h", "for: 2h", False),
        ("keep_firing_for: 2h", "", False),
        ("keep_firing_for: 1h", "keep_firing_for: 2h", True),
        ("where: {host: a}", "", True),
        ("", "where: {host: a}", False),
        ("window: {every: 2h}", "", False),
        ("", "inhibited_by: [third]", False),
        ("inhibited_by: [third]", "inhibited_by: [third]", True),
        ("group_by: []", "", False),
        ("at_least: {m: 2, of: 3}", "", False),
        ("", "mode: shadow", False),
    ],
)
def test_what_says_something_more_is_not_shadowed(fields: str, others: str, *, shadowed: bool):
    third = RULE.format(name="third", kpi="errors", condition="{missing_data: {}}", severity="info", fields="")
    found = said_of(pair("{threshold: {above: 9}}", "{threshold: {above: 8}}", fields, others) + third)
    assert [code for code, _ in found] == ["shadowed-rule"] * shadowed


@pytest.mark.parametrize(
    ("later", "earlier", "code"),
    [
        ("{all: [a9, b]}", "{all: [a8, b]}", "shadowed-rule"),
        ("{all: [a9, b, c]}", "{all: [a8, b]}", "shadowed-rule"),
        ("{all: [a8, b]}", "{any: [a8, c]}", "shadowed-rule"),
        ("{any: [a9, b]}", "{any: [a8, b, c]}", "shadowed-rule"),
        ("{any: [a9, c]}", "{any: [a8, b]}", None),
        ("{all: [b, a8]}", "{all: [a8, b]}", "repeated-rule"),
        ("{all: [a9, b], not: [c]}", "{all: [a8, b], not: [c]}", None),
        ("{sequence: [a8, b], within: 2h}", "{sequence: [a8, b], within: 2h}", "repeated-rule"),
        ("{sequence: [a8, b], within: 2h}", "{sequence: [a8, b], within: 3h}", None),
    ],
)
def test_composites_are_as_their_members_are(later: str, earlier: str, code: str | None):
    members = {"a8": "above: 8", "a9": "above: 9", "b": "below: 2", "c": "inside: [3, 4]"}
    rules = [
        RULE.format(
            name=name, kpi="errors", condition=f"{{threshold: {{{it}}}}}", severity="info", fields="mode: shadow"
        )
        for name, it in members.items()
    ]
    both = pair(f"{{composite: {later}}}", f"{{composite: {earlier}}}").replace("kpi: errors\n", "")
    assert [found for found, _ in said_of("".join(rules) + both)] == [code] * (code is not None)
