"""How far back rules look, as a table made by hand has it and as the stages do it; and what `check` says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from errors_catalogue import CATALOGUE
from typer.testing import CliRunner

from engine.cli.main import app
from engine.model.measurement import Measurement
from engine.model.time import DAY, HOUR, format_time, parse_own_time
from engine.offline.episodes import episodes
from engine.offline.replay import replay
from engine.rules.loader import load, load_read
from engine.rules.looks_back import look_back_of
from engine.rules.source import read_text

BASE = Path(__file__).parents[1] / "golden" / "base.yaml"
BEGIN = parse_own_time("2026-01-05T00:00:00Z")
STEADY = [10.0, 11.0, 9.0, 10.0, 12.0, 8.0] * 80
WEEKS = [10.0 + hour % 24 for hour in range(24 * 21)]
TABLE = {
    "condition: {threshold: {above: 20}}": (1, [900.0]),
    "condition: {threshold: {above: 55}}\nwindow: {every: 1h, size: 6h}": (6, [10.0] * 9),
    "condition: {threshold: {above: 20}}\nfor: 5h": (6, [900.0] * 9),
    "condition: {threshold: {above: 20}}\nwarm_up: 3\nfor: 5h": (9, [900.0] * 12),
    "condition: {threshold: {above: 20}}\nat_least: {m: 3, of: 3}": (3, [900.0] * 9),
    "condition: {change: {against: {median_of: 4, same: windows}, up: 50%}}": (5, [*STEADY[:4], 900.0]),
    "condition: {change: {against: {median_of: 2, same: days}, up: 50%}}\nfor: 2h": (51, [*STEADY[:48], *[900.0] * 9]),
    "condition: {change: {against: {median_of: 1, same: weekdays}, up: 50%}}": (169, [*STEADY[:168], 900.0]),
    "condition: {anomaly: {season: none}}": (25, [*STEADY[:24], *[900.0] * 9]),
    "condition: {anomaly: {season: day, learn: 40}}": (41, [*STEADY[:40], *[900.0] * 9]),
    "condition: {anomaly: {}}": (337, [*WEEKS[:336], *[900.0] * 9]),
    "condition: {control_chart: {rules: western_electric}}": (26, [*STEADY[:25], *[900.0] * 9]),
    "condition: {control_chart: {rules: [nelson_1], centre: 10, sigma: 1}}": (1, [900.0]),
    "condition: {control_chart: {rules: [nelson_1], centre: 10, sigma: 1}}\nat_least: {m: 4, of: 4}": (4, [900.0] * 9),
    "condition: {anomaly: {season: none}}\nat_least: {m: 3, of: 3}": (27, [*STEADY[:24], *[900.0] * 9]),
}
"""Rules, in how many hours they fire at the earliest, and values an hour with which they do."""


def rules_of(rule: str):
    text = f"{CATALOGUE}kind: rule\nid: told\ntitle: Told\nkpi: errors\n{rule}\n"
    loaded = load_read(read_text("all.yaml", text))
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    return loaded.rule_set


@pytest.mark.parametrize("rule", TABLE)
def test_it_is_as_long_as_the_stages_need_to_fire_for_the_first_time(rule: str):
    hours, values = TABLE[rule]
    rules = rules_of(rule)
    told = [
        (
            BEGIN + place * HOUR,
            Measurement("errors", format_time(BEGIN + place * HOUR), value, {"host": "a"}, f"{place}"),
        )
        for place, value in enumerate(values)
    ]
    [fired] = episodes(replay(rules, told, every=HOUR)).values()
    assert (fired[0].begin - BEGIN) // HOUR == hours
    [found] = [look_back_of(each) for each in rules.rules if each.id == "told"]
    assert found.time == hours * HOUR


@pytest.mark.parametrize(
    ("rule", "hours"),
    [
        ("condition: {trend_break: {of: level, learn: 40}}", 41),
        ("condition: {trend_break: {}}", 1 + 2 * 168),
        ("condition: {off_track: {learn: 40}}", 40),
        ("condition: {off_track: {learn: 40}}\nat_least: {m: 2, of: 3}", 42),
        ("condition: {off_track: {learn: 40}}\nwarm_up: 50", 51),
        ("condition: {governance: {always_green: {windows: 90}}}", 90),
        ("condition: {governance: {set_and_forget: {after: 180d}}}", 1),
    ],
)
def test_what_a_rule_learns_counts_and_dates_do_not(rule: str, hours: int):
    [found] = [look_back_of(each) for each in rules_of(rule).rules if each.id == "told"]
    assert found.time == hours * HOUR


def test_silence_lasts_as_long_as_it_must():
    [found] = [
        look_back_of(each) for each in rules_of("condition: {missing_data: {after: 5h}}").rules if each.id == "told"
    ]
    assert found == (5 * HOUR, "condition")


def test_what_goes_on_firing_must_remember_that_it_fires():
    rule = "condition: {threshold: {above: 20}}\nfor: 2h\nkeep_firing_for: 9h"
    [found] = [look_back_of(each) for each in rules_of(rule).rules if each.id == "told"]
    assert found == (10 * HOUR, "keep_firing_for")


RULES = """
kind: rule
id: tickets-long
title: Many tickets for a long time
kpi: support.tickets
condition: {threshold: {above: 500}}
for: 90d
---
kind: rule
id: tickets-not-as-long
title: As long as they are kept
kpi: support.tickets
condition: {threshold: {above: 600}}
for: 89d
severity: critical
---
kind: rule
id: tickets-of-the-year
title: Many tickets since January
kpi: support.tickets
window: {every: day, zone: UTC, since: year}
condition: {threshold: {above: 9000}}
---
kind: rule
id: tickets-more
title: More tickets than on the last Mondays
kpi: support.tickets
condition: {change: {against: {median_of: 13, same: weekdays}, up: 20%}}
---
kind: rule
id: tickets-off
title: Nobody asks
kpi: support.tickets
condition: {threshold: {above: 700}}
for: 900d
mode: "off"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
    (tmp_path / "base.yaml").write_text(BASE.read_text("utf-8"), "utf-8")
    return tmp_path


def test_what_looks_back_further_than_measurements_are_kept_is_named_with_the_field_that_does(folder: Path):
    problems = [each for each in load([folder], kept=90 * DAY).problems if each.code == "longer-than-kept"]
    assert [(each.line, each.column, each.found) for each in problems] == [
        (7, 6, "one that looks back on 91 days"),
        (21, 9, "one that looks back on 366 days"),
        (28, 21, "one that looks back on 92 days"),
    ]
    assert all(each.severity == "warning" and "the 90 days that" in each.expected for each in problems)


def test_who_says_for_how_long_they_are_kept_is_believed(folder: Path):
    def warned(*options: str) -> list[str]:
        done = CliRunner().invoke(app, ["check", str(folder), *options])
        assert done.exit_code == 0
        return [line.split(":")[1] for line in done.output.splitlines() if "[longer-than-kept]" in line]

    assert warned() == ["7", "21", "28"]
    assert warned("--kept", "91d") == ["21", "28"]
    assert warned("--kept", "400d") == []
    assert CliRunner().invoke(app, ["check", str(folder), "--kept", "long"]).exit_code == 2


def test_without_it_nothing_is_said_of_it(folder: Path):
    assert not [each for each in load([folder]).problems if each.code == "longer-than-kept"]
