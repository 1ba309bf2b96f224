"""From files to a rule set, or to everything that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.errors import ConfigError
from engine.rules.bind import bind
from engine.rules.checks import CHECKS
from engine.rules.checks.deadlines import check_deadlines
from engine.rules.checks.kept import check_kept
from engine.rules.edits import edited
from engine.rules.expand import expand
from engine.rules.problems import Problem, has_errors
from engine.rules.rule_tests import RuleTest, bind_tests
from engine.rules.shape import declare
from engine.rules.source import read
from engine.rules.tables import Table, bind_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Sized
    from datetime import date
    from pathlib import Path

    from engine.model.time import Micros
    from engine.rules.declared import Declarations
    from engine.rules.ruleset import RuleSet
    from engine.rules.source import Read


class Counts(NamedTuple):
    """How many of each were declared, sound or not."""

    kpi: int = 0
    rule: int = 0
    source: int = 0
    table: int = 0
    test: int = 0


class Loaded(NamedTuple):
    """The rule set, or null when any problem is an error; the problems in order of place; what there was to read.

    `tables` and `tests` are no part of the rule set.
    """

    rule_set: RuleSet | None
    problems: tuple[Problem, ...]
    files: int = 0
    declared: Counts = Counts()
    tables: tuple[Table, ...] = ()
    tests: tuple[RuleTest, ...] = ()


def load(
    paths: Sequence[Path], *, tests: bool = False, today: date | None = None, kept: Micros | None = None
) -> Loaded:
    """Everything declared in the YAML files at `paths` as one rule set.

    Directories are walked for `*.yaml` and `*.yml`; files of rule tests (`*_test.yaml`) are taken only with `tests`.
    With `today`, deadlines are looked at as well; with `kept`, how long measurements are kept, how far back sound rules
    look. Raises nothing: every problem of every file is in the result.
    """
    return load_read(read(paths, tests=tests), today, kept)


def load_read(found: Read, today: date | None = None, kept: Micros | None = None) -> Loaded:
    """As `load`, for documents that have been read already."""
    declarations, problems = declare(found)
    problems = [*found.problems, *problems, *expand(declarations)]
    for check in CHECKS:
        problems.extend(check(declarations))
    if today is not None:
        problems.extend(check_deadlines(declarations, today))
    edits = None
    if not has_errors(problems):
        edits = edited(declarations)
        problems.extend(edits.problems)
    sound = not has_errors(problems)
    rule_set = bind(declarations) if sound else None
    if rule_set is not None and kept is not None:
        problems.extend(check_kept(declarations, rule_set, kept))
    return Loaded(
        rule_set=rule_set,
        problems=tuple(sorted(set(problems))),
        files=found.files,
        declared=Counts(*(len(each) for each in _counted(declarations))),
        tables=bind_tables(declarations) if sound else (),
        tests=bind_tests(declarations, edits.edits) if edits is not None and sound else (),
    )


def _counted(declarations: Declarations) -> Iterator[Sized]:
    yield from (declarations.kpis, declarations.rules, declarations.sources)
    yield from (declarations.tables, declarations.tests)


def load_or_raise(paths: Sequence[Path]) -> RuleSet:
    """The rule set of `paths`; ConfigError with every problem when there is an error in them."""
    loaded = load(paths)
    if loaded.rule_set is None:
        raise ConfigError([problem for problem in loaded.problems if problem.severity == "error"])
    return loaded.rule_set
