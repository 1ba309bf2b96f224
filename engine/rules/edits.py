"""Edits of what is declared, as rule tests make them: the rule set from each edit on, or what is wrong with it.

What an edit makes is checked like any file. What is wrong with it is told where the edit stands, be it found elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.rules.bind import bind
from engine.rules.checks import CHECKS
from engine.rules.checks.rule_tests import check_rule_tests
from engine.rules.expand.burn_rate import expand_burn_rates
from engine.rules.expand.depends_on import expand_depends_on
from engine.rules.shape import declare_one
from engine.rules.source import Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.model.time import Micros
    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.ruleset import RuleSet
    from engine.rules.source import Mark, Path_
    from engine.rules.spec import RuleTestSpec
    from engine.rules.spec.rule_test_reviews import EditSpec


_CHECKS = tuple(check for check in CHECKS if check is not check_rule_tests)
"""What is edited stands in a file of tests, and nothing else may."""


class Edit(NamedTuple):
    """From `at` on `rule_set` is in force."""

    at: Micros
    rule_set: RuleSet


class Edited(NamedTuple):
    """The edits of each test, in order of time, and what is wrong with them."""

    edits: Mapping[str, tuple[Edit, ...]]
    problems: list[Problem]


def edited(declarations: Declarations) -> Edited:
    """What the edits of all tests make of sound declarations."""
    found: dict[str, tuple[Edit, ...]] = {}
    problems: list[Problem] = []
    known = {problem for check in _CHECKS for problem in check(declarations)} if _has_edits(declarations) else set()
    for test in declarations.tests.values():
        before, made = declarations, []
        for place, edit in sorted(enumerate(test.spec.edits), key=lambda pair: pair[1].at.at(test.spec.start)):
            before, wrong = _after(before, edit, place, test)
            wrong = [problem for problem in wrong if problem.severity == "error" and problem not in known]
            problems += [_at_edit(problem, place, test) for problem in wrong]
            if wrong:
                break
            made.append(Edit(edit.at.at(test.spec.start), bind(before)))
        found[test.id] = tuple(made)
    return Edited(found, problems)


def _has_edits(declarations: Declarations) -> bool:
    return any(test.spec.edits for test in declarations.tests.values())


class _Document(Document):
    """A document with some fields as they stand in an edit; whatever else is asked for is where the edit is."""

    def __init__(self, origin: Document, prefix: Path_, data: dict[str, Any], fields: Iterable[str]) -> None:
        self.file = origin.file
        self.data = data
        self._origin = origin
        self._prefix = prefix
        self._fields = frozenset(fields)

    def value_at(self, path: Path_) -> Mark:
        """See `Document`."""
        return self._origin.value_at(self._path(path))

    def key_at(self, path: Path_) -> Mark:
        """See `Document`."""
        return self._origin.key_at(self._path(path))

    def _path(self, path: Path_) -> Path_:
        return (*self._prefix, "set", *path) if path and path[0] in self._fields else self._prefix


def _after(
    before: Declarations, edit: EditSpec, place: int, test: Declared[RuleTestSpec]
) -> tuple[Declarations, list[Problem]]:
    """What is declared after an edit, and all that is wrong with that; it holds no tests."""
    after = replace(
        before,
        kpis=dict(before.kpis),
        rules=dict(before.rules),
        objectives=dict(before.objectives),
        initiatives=dict(before.initiatives),
        tests={},
    )
    was = after.of_kind(edit.kind).pop(edit.of)
    data = {**was.data, **edit.set_}
    problems = list(declare_one(after, _Document(test.document, ("edits", place), data, edit.set_)))
    problems += expand_burn_rates(after)
    problems += expand_depends_on(after)
    for check in _CHECKS:
        problems += check(after)
    return after, problems


def _at_edit(problem: Problem, place: int, test: Declared[RuleTestSpec]) -> Problem:
    if problem.file == test.document.file:
        return problem
    line, column = test.document.value_at(("edits", place))
    return msgspec.structs.replace(problem, file=test.document.file, line=line, column=column)
