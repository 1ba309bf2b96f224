"""How rules fare: states and last words as a table made by hand has them, and what keeps a rule from judging."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.offline.why.health import PROBLEMS

if TYPE_CHECKING:
    from click.testing import Result

GOLDEN = Path(__file__).parent / "golden" / "rules.txt"
PAGE = Path(__file__).parents[2] / "docs" / "why-not.md"
PACK = """\
{kind: owner, id: care, name: Care}
---
{kind: objective, id: calm, title: People are helped, owner: care}
---
kind: kpi
id: wait
title: Waiting time
owner: care
objective: calm
definition: Minutes until somebody answers
decision: none
direction: lower_is_better
role: leading
unit: minutes
aggregation: mean
window: {every: 1h}
dimensions: [desk]
target: none
---
kind: kpi
id: calls
title: Calls
owner: care
objective: calm
definition: Calls taken
decision: none
direction: higher_is_better
role: leading
unit: calls
aggregation: sum
window: {every: 1h}
target: none
---
{kind: rule, id: calls-few, title: Few calls, kpi: calls, condition: {threshold: {below: 5}}}
---
{kind: rule, id: wait-long, title: Long, kpi: wait, condition: {threshold: {above: 9}}, for: 1h, keep_firing_for: 1h}
---
{kind: rule, id: wait-noted, title: Noted, kpi: wait, points: raw, condition: {threshold: {above: 9}}, mode: shadow}
---
{kind: rule, id: wait-off, title: Switched off, kpi: wait, condition: {threshold: {above: 1}}, mode: "off"}
---
{kind: rule, id: wait-north, title: In the north, kpi: wait, where: {desk: north}, condition: {threshold: {above: 9}}}
"""
HOURS = {"calm": [1, 1, 1, 1, 1], "slow": [1, 1, 1, 1, 12], "worse": [1, 1, 12, 13, 14], "better": [12, 13, 14, 1]}
"""A value an hour from midnight on. The last hour of three desks is still open at 05:30, as nothing has come since."""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    rows = [
        {"kpi": "wait", "time": f"2026-01-05T0{hour}:10:00Z", "value": value, "dimensions": {"desk": desk}}
        for desk, values in HOURS.items()
        for hour, value in enumerate(values)
    ]
    rows.append({"kpi": "wait", "time": "2026-01-05T05:20:00Z", "value": 1, "dimensions": {"desk": "calm"}})
    rows.append({"kpi": "calls", "time": "2026-01-05T02:00:00Z", "value": 3, "dimensions": {"desk": "calm"}})
    rows.sort(key=lambda row: str(row["time"]))
    (tmp_path / "pack.yaml").write_text(PACK, "utf-8")
    (tmp_path / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return ["--rules", str(tmp_path / "pack.yaml"), "--input", str(tmp_path / "rows.ndjson"), "--ticks", "10m"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, arguments)])


def told(files: list[str], at: str) -> dict[str, Any]:
    done = run(*files, "--at", at, "--json")
    return {rule["rule"]: rule for rule in json.loads(done.stdout)["rules"]}


def test_states_are_those_of_a_table_made_by_hand(files: list[str]):
    found = told(files, "2026-01-05T05:30:00Z")
    # At 05:30 the hours up to 04:00-05:00 have closed, by idleness or a row of the next hour: `slow` is past its limit
    # for the first time, `worse` fires since 04:00, `better` fired at 02:00 and recovers since 04:00.
    assert found["wait-long"]["series"] == {"inactive": 1, "pending": 1, "firing": 1, "recovering": 1}
    assert found["wait-noted"]["series"] == {"inactive": 2, "pending": 0, "firing": 2, "recovering": 0}
    assert [(each["time"], each["series"], each["value"]) for each in found["wait-long"]["last"]] == [
        ("2026-01-05T04:00:00Z", 'wait{"desk":"worse"}', 13.0),
        ("2026-01-05T02:00:00Z", 'wait{"desk":"better"}', 13.0),
    ]
    assert found["wait-long"]["evaluated"] == "2026-01-05T05:00:00Z"
    assert found["wait-noted"]["evaluated"] == "2026-01-05T05:20:00Z"


def test_a_rule_that_judges_nothing_says_why(files: list[str]):
    assert {
        name: rule["problems"] for name, rule in told(files, "2026-01-05T05:30:00Z").items() if rule["problems"]
    } == {
        "calls-few": ["only_dead_letters"],
        "wait-north": ["no_series"],
    }
    early = told(files, "2026-01-05T00:30:00Z")
    assert early["wait-long"]["problems"] == ["never_evaluated"]
    assert early["wait-long"]["evaluated"] is None
    assert early["wait-noted"]["problems"] == []


def test_the_table_is_that_of_the_golden_file(files: list[str], *, update_golden: bool):
    done = run(*files, "--at", "2026-01-05T05:30:00Z")
    assert done.exit_code == 1
    text = re.sub(r" +$", "", done.output, flags=re.MULTILINE)
    if update_golden:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")
    assert f"```\n{text}```" in PAGE.read_text("utf-8")


def test_every_problem_stands_in_the_documentation():
    table = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert set(PROBLEMS.items()) <= set(table)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_last_words_and_evaluations_are_as_many_as_asked_for(count: int, files: list[str]):
    done = run(*files, "--last", count, "--json")
    found = json.loads(done.stdout)["rules"]
    # To the end of the history: `wait-long` fires twice and ends once, `wait-noted` fires three times and ends once.
    assert [len(rule["last"]) for rule in found] == [0, min(count, 2), 0, min(count, 4), 0]
    assert [len(rule["evaluations"]) for rule in found] == [0, count, 0, count, 0]
    assert [rule["evaluated"] is None for rule in found] == [True, False, True, False, True]


def test_evaluations_are_those_of_a_table_made_by_hand(files: list[str]):
    done = run(*files, "--at", "2026-01-05T05:30:00Z", "--last", 5, "--json")
    found = {rule["rule"]: rule["evaluations"] for rule in json.loads(done.stdout)["rules"]}
    # The newest first, of one time by desk; the rule on windows names them by their ends.
    table = [("05", "calm", 1, "inactive"), ("05", "slow", 12, "pending"), ("05", "worse", 14, "firing")]
    table += [("04", "better", 1, "recovering"), ("04", "calm", 1, "inactive")]
    assert found["wait-long"] == [
        {
            "time": f"2026-01-05T{hour}:00:00Z",
            "series": f'wait{{"desk":"{desk}"}}',
            "state": state,
            "outcome": "judged",
            "value": value,
            "statistic": value,
            "limit": 9,
            "usual": None,
        }
        for hour, desk, value, state in table
    ]
    newest = [(each["time"][11:16], each["series"], each["value"], each["state"]) for each in found["wait-noted"]]
    assert newest == [
        ("05:20", 'wait{"desk":"calm"}', 1, "inactive"),
        ("04:10", 'wait{"desk":"calm"}', 1, "inactive"),
        ("04:10", 'wait{"desk":"slow"}', 12, "firing"),
        ("04:10", 'wait{"desk":"worse"}', 14, "firing"),
        ("03:10", 'wait{"desk":"better"}', 1, "inactive"),
    ]


JOINED = """\
---
kind: rule
id: as-recorded
title: Waiting as the switchboard has it
kpi: wait
condition: {reconciliation: {against: calls, tolerance: 2}}
for: 1h
keep_firing_for: 1h
---
{kind: rule, id: both, title: Both, condition: {composite: {all: [wait-long, calls-many]}}}
---
{kind: rule, id: wait-long, title: Long, kpi: wait, condition: {threshold: {above: 9}}}
---
{kind: rule, id: calls-many, title: Many, kpi: calls, condition: {threshold: {above: 9}}}
"""


@pytest.fixture
def joined(tmp_path: Path) -> list[str]:
    """The record says 1 each hour; nothing stands against what a fifth desk says."""
    catalogue, _, _ = PACK.partition("---\n{kind: rule")
    of_calls = "unit: calls\naggregation: sum\n"
    pack = catalogue.replace(of_calls, of_calls.replace("calls", "minutes") + "dimensions: [desk]\n") + JOINED
    rows = [
        {"kpi": kpi, "time": f"2026-01-05T0{hour}:10:00Z", "value": told, "dimensions": {"desk": desk}}
        for desk, values in (HOURS | {"alone": [1, 12, 12, 12, 12]}).items()
        for hour, value in enumerate(values)
        for kpi, told in (("wait", value), ("calls", 1))
        if kpi == "wait" or desk != "alone"
    ]
    rows.sort(key=lambda row: str(row["time"]))
    (tmp_path / "joined.yaml").write_text(pack, "utf-8")
    (tmp_path / "joined.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return ["--rules", str(tmp_path / "joined.yaml"), "--input", str(tmp_path / "joined.ndjson"), "--ticks", "10m"]


def test_rules_that_join_have_all_states_and_say_until_when_they_have_judged(joined: list[str]):
    found = told(joined, "2026-01-05T09:00:00Z")
    # By then all windows have closed by idleness. As on single series: `slow` departs for the first time, `worse` for
    # the third, `better` agrees again for the first; what is alone is not judged.
    assert found["as-recorded"]["series"] == {"inactive": 2, "pending": 1, "firing": 1, "recovering": 1}
    assert found["as-recorded"]["evaluated"] == "2026-01-05T05:00:00Z"
    assert found["as-recorded"]["last"]
    # `wait-long` fires on `slow` from 05:00 and on `worse` from 03:00 on, and is over on `better` at 04:00.
    assert found["both"]["evaluated"] == "2026-01-05T05:00:00Z"
    assert [(each["time"], each["series"], each["state"]) for each in found["both"]["evaluations"]] == [
        (f"2026-01-05T0{hour}:00:00Z", f'{{"desk":"{desk}"}}', "inactive")
        for hour, desk in ((5, "slow"), (4, "better"), (3, "worse"))
    ]
    assert found["both"]["problems"] == []
    early = told(joined, "2026-01-05T00:30:00Z")["as-recorded"]
    assert (early["series"]["inactive"], early["evaluated"]) == (0, None)


def test_evaluations_of_a_rule_that_joins_are_the_last_windows_with_both_sides(joined: list[str]):
    done = run(*joined, "--at", "2026-01-05T09:00:00Z", "--last", 6, "--json")
    [found] = [rule["evaluations"] for rule in json.loads(done.stdout)["rules"] if rule["rule"] == "as-recorded"]
    table = [
        (5, "alone", "not_known", "inactive", 12, None),
        (5, "calm", "judged", "inactive", 1, 0),
        (5, "slow", "judged", "pending", 12, 11),
        (5, "worse", "judged", "firing", 14, 13),
        (4, "alone", "not_known", "inactive", 12, None),
        (4, "better", "judged", "recovering", 1, 0),
    ]
    assert [tuple(each.values()) for each in found] == [
        (
            f"2026-01-05T0{hour}:00:00Z", f'{{"desk":"{desk}"}}', state, outcome,
            value, away, None if away is None else 2, None if away is None else 1,
        )
        for hour, desk, outcome, state, value, away in table
    ]  # fmt: skip


EASY = """\
kind: owner
id: ops
name: Operations
---
kind: objective
id: calm
title: Calm
owner: ops
---
kind: kpi
id: calls
title: Calls
owner: ops
objective: calm
definition: Calls that were answered
decision: none
direction: higher_is_better
role: leading
unit: calls
aggregation: sum
window: {every: 1h}
target: {value: 50, by: 2030-12-31}
---
kind: rule
id: easy
title: The target cannot be missed
kpi: calls
condition: {governance: {always_green: {windows: 8}}}
"""


def test_evaluations_of_governance_are_its_last_windows(tmp_path: Path):
    """Eight hours over a target of fifty, then one below it, of which the next measurement tells."""
    values = [100, 101, 100, 101, 100, 101, 100, 101, 10, 100]
    rows = [
        {"kpi": "calls", "time": f"2026-01-05T{hour:02d}:10:00Z", "value": value} for hour, value in enumerate(values)
    ]
    (tmp_path / "easy.yaml").write_text(EASY, "utf-8")
    (tmp_path / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    files = ["--rules", str(tmp_path / "easy.yaml"), "--input", str(tmp_path / "rows.ndjson"), "--ticks", "10m"]
    found = told(files, "2026-01-05T09:30:00Z")["easy"]
    assert [(each["time"][11:16], each["state"]) for each in found["evaluations"]] == [
        ("09:00", "inactive"),
        ("08:00", "firing"),
    ]
    assert found["series"]["inactive"] == 1
