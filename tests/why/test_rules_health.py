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


def test_last_words_are_as_many_as_asked_for(files: list[str]):
    done = run(*files, "--last", 1, "--json")
    assert [len(rule["last"]) for rule in json.loads(done.stdout)["rules"]] == [0, 1, 0, 1, 0]


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
    assert (found["both"]["evaluated"], found["both"]["problems"]) == (None, [])
    early = told(joined, "2026-01-05T00:30:00Z")["as-recorded"]
    assert (early["series"]["inactive"], early["evaluated"]) == (0, None)
