"""What the page and the pack expect of the conditions over windows is what the slow twin says of their measurements."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import naive_governance as naive
import pytest

from engine.model.time import format_time
from engine.rules.loader import load, load_read
from engine.rules.resolved.governance import AlwaysGreen, GreenOverFalling, RestatedInFavour, Vanity
from engine.rules.source import read_text

if TYPE_CHECKING:
    from engine.rules.loader import Loaded
    from engine.rules.resolved.rule import Rule
    from engine.rules.rule_tests import Expectation, RuleTest
    from engine.rules.ruleset import RuleSet

KINDS = (AlwaysGreen, GreenOverFalling, Vanity, RestatedInFavour)
ROOT = Path(__file__).resolve().parents[2]


def page() -> Loaded:
    text = (ROOT / "docs" / "rules" / "governance.md").read_text("utf-8")
    return load_read(read_text("governance.md", "\n---\n".join(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))))


def expectations() -> list[tuple[RuleSet, RuleTest, Expectation]]:
    found = []
    for loaded in (page(), load([ROOT / "rules" / "kpi-governance"], tests=True)):
        assert loaded.rule_set is not None
        for test in loaded.tests:
            for each in test.expect:
                rule = loaded.rule_set.rule_by_id[each.rule]
                if isinstance(rule.condition, KINDS):
                    found.append((loaded.rule_set, test, each))
    return found


def verdicts(rules: RuleSet, rule: Rule, test: RuleTest) -> dict[int, bool | None]:
    """Every KPI has one value a window; where less is better, its negative is judged."""
    measured = {each.kpi: [float(value or 0) for value in each.values] for each in test.measured if each.sent is None}
    own = measured[str(rule.kpi)]
    if isinstance(rule.condition, AlwaysGreen):
        target = rules.kpi_by_id[str(rule.kpi)].target
        assert target is not None
        return naive.always_green(own, target.value, rule.condition.windows)
    if isinstance(rule.condition, GreenOverFalling):
        board = {}
        for name in rule.condition.leading:
            kpi, sign = rules.kpi_by_id[name], 1 if rules.kpi_by_id[name].direction == "higher_is_better" else -1
            assert kpi.target is not None
            board[sign * kpi.target.value] = [sign * value for value in measured[name]]
        return naive.green_over_falling(own, board, rule.condition.windows)
    if isinstance(rule.condition, RestatedInFavour):
        return restated(own, rule.condition, test)
    assert isinstance(rule.condition, Vanity)
    condition = rule.condition
    return naive.vanity(own, measured[condition.outcome], condition.windows, condition.lag, condition.below)


def restated(values: list[float], condition: RestatedInFavour, test: RuleTest) -> dict[int, bool | None]:
    """Days; `sent` with the measurement of the day after the last window that is judged without it."""
    now, said = list(values), []
    step = test.measured[0].every
    for each in sorted((each for each in test.measured if each.revision), key=lambda each: each.sent or 0):
        for place, value in enumerate(each.values, (each.start - test.start) // step):
            assert each.sent is not None
            assert value is not None
            said.append(naive.Said((each.sent - test.start) // step - 1, place, value - now[place]))
            now[place] = value
    assert condition.period == "month"
    days = [date.fromisoformat(format_time(test.start + place * step)[:10]) for place in range(len(values))]
    left = condition.near // step
    near = {place for place, day in enumerate(days) if monthrange(day.year, day.month)[1] - day.day < left}
    return naive.restated_in_favour(values, said, condition.windows, near)


@pytest.mark.parametrize(
    ("rules", "test", "expected"), [pytest.param(*each, id=f"{each[1].id}-{each[2].rule}") for each in expectations()]
)
def test_what_is_expected_is_what_the_twin_says(rules: RuleSet, test: RuleTest, expected: Expectation):
    turns = naive.turns(verdicts(rules, rules.rule_by_id[expected.rule], test))
    step = test.measured[0].every
    begins = [(firing.begin - test.start) // step - 1 for firing in expected.firing]
    ends = [(firing.to - test.start) // step - 1 for firing in expected.firing if firing.to is not None]
    assert turns == naive.Turns(begins, ends)


def test_there_is_something_of_each_kind_to_compare():
    kinds = {(type(rules.rule_by_id[each.rule].condition), bool(each.firing)) for rules, _, each in expectations()}
    assert kinds == {(kind, fires) for kind in KINDS for fires in (True, False)}
