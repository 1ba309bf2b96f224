"""Whoever adds a condition or a field of rules says what late and restated data make of it: some property has a rule of
it among its `IN_ANY_ORDER`.

Such a property tells the same data in order and in any other, corrected, and wants the same to stand in the end; of
what looks at the past as it was known it wants what does hold. It stands with the tests of its stage.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from engine.rules.resolved.condition import Condition, OverWindows
from engine.rules.resolved.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.rules.resolved.timing import Window

TESTS = Path(__file__).resolve().parents[1]
TABLE = "IN_ANY_ORDER"
WITHOUT = {"precision": "it counts the verdicts of people, in the order in which they stand in the log"}
"""Conditions without such a property, and why."""

DECIDE_NO_VERDICT = {
    *("id", "title", "kpi", "condition", "declared", "fingerprint", "known_gaps", "owner"),
    *("severity", "mode", "review", "inhibited_by", "maintenance", "notify_within"),
}
"""Fields that say what a rule is about, and who is told of it and when."""

SHAPES: dict[str, Callable[[Window], bool]] = {
    "tumbling": lambda window: window.size == window.step and window.zone is None,
    "hopping": lambda window: window.size > window.step,
    "days": lambda window: window.zone is not None and window.since is None,
    "to date": lambda window: window.since is not None,
}


@pytest.fixture(autouse=True)
def _find_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in modules():
        monkeypatch.syspath_prepend(path.parent)


@cache
def modules() -> list[Path]:
    found = sorted(TESTS.glob("*/test_*.py"))
    return [path for path in found if f"\n{TABLE} = " in path.read_text(encoding="utf-8")]


@cache
def in_any_order() -> list[Rule]:
    return [rule for path in modules() for rule in getattr(import_module(path.stem), TABLE)]


def kind_of(condition: object) -> str:
    return str(condition.__struct_config__.tag)  # type: ignore[attr-defined]


def test_every_condition_is_in_a_property_of_late_and_restated_data():
    held = {kind_of(rule.condition) for rule in in_any_order()}
    assert {kind_of(each) for each in get_args(Condition)} == held | set(WITHOUT)
    assert held.isdisjoint(WITHOUT)


def test_every_field_of_rules_that_decides_a_verdict_is_in_one_too():
    fields = set(Rule.__struct_fields__) - DECIDE_NO_VERDICT
    varied = {name for name in fields if len({repr(getattr(rule, name)) for rule in in_any_order()}) > 1}
    assert varied == fields


@pytest.mark.parametrize("name", ["for_", "keep_firing_for", "at_least", "warm_up"])
@pytest.mark.parametrize("kind", sorted(kind_of(each) for each in get_args(OverWindows)))
def test_what_lasts_or_is_counted_is_so_of_every_condition_over_aligned_windows(kind: str, name: str):
    assert any(getattr(rule, name) for rule in in_any_order() if kind_of(rule.condition) == kind)


@pytest.mark.parametrize("shape", SHAPES)
def test_so_is_every_shape_of_window(shape: str):
    assert any(SHAPES[shape](rule.window) for rule in in_any_order())
