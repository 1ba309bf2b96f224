"""What shipped rule tests and the pages expect of conditions that learn is what the slow twins say.

Of tests with one value a window; `schedule-moved`, whose days are counted of many, is held to an oracle of its own in
`demo/flights_oracle.py`.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from engine.model.identity import scope_key
from engine.rules.loader import load, load_read
from engine.rules.resolved.condition import Anomaly, TrendBreak
from engine.rules.resolved.control import ControlChart
from engine.rules.source import read_text

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluate"))
from naive_anomaly import NaiveAnomaly
from naive_control import NaiveControl
from naive_stage1 import waits
from naive_trend import NaiveTrend

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.loader import Loaded
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.timing import Window
    from engine.rules.rule_tests import Expectation, Measured, RuleTest

ROOT = Path(__file__).resolve().parents[2]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def page(path: Path) -> Loaded:
    examples = "\n---\n".join(re.findall(r"```yaml\n(.*?)```", path.read_text("utf-8"), re.DOTALL))
    return load_read(read_text(path.name, examples))


SHIPPED = [load([ROOT / "rules"], tests=True), *map(page, sorted((ROOT / "docs" / "rules").glob("*.md")))]
EXPECTED = [
    (loaded.rule_set.rule_by_id[expected.rule], test, expected)
    for loaded in SHIPPED
    if loaded.rule_set is not None
    for test in loaded.tests
    if not test.edits  # the twins know one rule set
    for expected in test.expect
    if isinstance(loaded.rule_set.rule_by_id[expected.rule].condition, TrendBreak | Anomaly | ControlChart)
    if all(each.every >= loaded.rule_set.rule_by_id[expected.rule].window.step for each in test.measured)
]


def twin_of(rule: Rule) -> NaiveTrend | NaiveAnomaly | NaiveControl:
    if isinstance(rule.condition, ControlChart):
        return NaiveControl(rule.condition)
    if isinstance(rule.condition, Anomaly):
        return NaiveAnomaly(rule.condition, rule.window, waits(rule))
    assert isinstance(rule.condition, TrendBreak)
    return NaiveTrend(rule.condition, rule.window.step, waits(rule), zone=rule.window.zone is not None)


def window_at(time: Micros, window: Window) -> tuple[int, Micros]:
    """The number of the window that a time falls into, and when it ends."""
    if window.zone is None:
        return time // window.step, (time // window.step + 1) * window.step
    midnight = (EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(window.zone)).replace(hour=0, minute=0)
    end = (midnight + timedelta(days=1)).astimezone(UTC) - EPOCH
    return midnight.toordinal() - EPOCH.toordinal(), end // timedelta(microseconds=1)


def stretches(rule: Rule, measured: Measured) -> list[tuple[Micros, Micros | None]]:
    """From when to when it fires: one value a window, no `for`."""
    assert (rule.for_, rule.keep_firing_for) == (0, 0)
    twin, found, begin = twin_of(rule), list[tuple[Any, Any]](), None
    m, of = rule.at_least or (1, 1)
    recent: list[bool] = []
    for place, value in enumerate(measured.values):
        index, end = window_at(measured.start + place * measured.every, rule.window)
        said = None if value is None else twin.judge(index, value)
        if said is None:
            continue
        recent.append(said.breach)
        often = sum(recent[-of:]) >= m
        if often and begin is None:
            begin = end
        elif not often and begin is not None:
            found.append((begin, end))
            begin = None
    return found if begin is None else [*found, (begin, None)]


def test_there_are_some_of_each():
    kinds = {type(rule.condition) for rule, _, _ in EXPECTED}
    assert kinds == {TrendBreak, Anomaly, ControlChart}
    assert len(EXPECTED) >= 15


@pytest.mark.parametrize(
    ("rule", "test", "expected"), EXPECTED, ids=[f"{test.id}-{each.rule}-{each.scope}" for _, test, each in EXPECTED]
)
def test_the_twin_says_what_is_expected(rule: Rule, test: RuleTest, expected: Expectation):
    [measured] = [
        each for each in test.measured if each.kpi == rule.kpi and scope_key(each.dimensions) == expected.scope
    ]
    assert stretches(rule, measured) == [(firing.begin, firing.to) for firing in expected.firing]
