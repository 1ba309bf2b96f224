"""Rule tests stand apart from what workers read, and measure and expect what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.rules.checks.dimensions import foreign_dimensions, named_kpi
from engine.rules.checks.references import walk
from engine.rules.source import is_test_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleTestSpec


def check_rule_tests(declarations: Declarations) -> Iterator[Problem]:
    """Other documents among tests, dimensions that the KPI does not have, stretches that end before they begin, and
    times at which the test is not there.
    """
    for kind, declared in declarations.everything():
        if kind != "test" and is_test_file(declared.document.file):
            yield _misplaced(kind, declared)
    for test in declarations.tests.values():
        for place, measured in walk(test.data, ("measurements", "*")):
            if isinstance(measured, dict):
                kpi = named_kpi(measured.get("kpi"), declarations)
                yield from foreign_dimensions(test, (*place, "dimensions"), measured.get("dimensions"), kpi)
        for kind in ("expect", "commands"):
            yield from _dimensions(test, kind, declarations)
        yield from _backwards(test)
        yield from _outside(test)


def _misplaced(kind: str, declared: Declared[Any]) -> Problem:
    return declared.problem(
        ("kind",),
        "test-file",
        expected="only `kind: test` in a file whose name ends in _test",
        found=f"a {kind}",
        mend="move it to another file: workers do not read files of tests",
    )


def _dimensions(test: Declared[RuleTestSpec], kind: str, declarations: Declarations) -> Iterator[Problem]:
    for place, said in walk(test.data, (kind, "*")):
        if not isinstance(said, dict):
            continue
        rule = declarations.rules.get(str(said.get("rule")))
        kpi = named_kpi(rule.data.get("kpi"), declarations) if rule else None
        yield from foreign_dimensions(test, (*place, "dimensions"), said.get("dimensions"), kpi)


def _backwards(test: Declared[RuleTestSpec]) -> Iterator[Problem]:
    if not test.has("start", "expect"):
        return
    for index, expected in enumerate(test.spec.expect):
        for place, firing in enumerate(expected.firing or ()):
            begin = firing.from_.at(test.spec.start)
            if firing.to is not None and firing.to.at(test.spec.start) <= begin:
                yield test.problem(
                    ("expect", index, "firing", place, "to"),
                    "values",
                    expected="`to` after `from`",
                    found="it at or before it",
                    mend="exchange the two, or leave `to` out where it fires until the end",
                )


def _outside(test: Declared[RuleTestSpec]) -> Iterator[Problem]:
    """Times before the start, and past the time until which the clock goes."""
    if not test.has("start", "until", "commands", "edits", "expect"):
        return
    start = test.spec.start
    until = None if test.spec.until is None else test.spec.until.at(start)
    for place, moment in test.spec.moments():
        at = moment.at(start)
        if at < start or (until is not None and at > until):
            yield test.problem(
                place,
                "time",
                expected="a time from the `start` of the test on" + ("" if until is None else ", and not past `until`"),
                found="one before it" if at < start else "one past it",
                mend="change it" if at < start else "change it, or let the clock go on until then",
            )
