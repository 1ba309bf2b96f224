"""Rule tests as they run: every time resolved, every default filled in. They are no part of a rule set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.model.identity import scope_key
from engine.model.time import HOUR, Micros

if TYPE_CHECKING:
    from engine.rules.declared import Declarations, Declared
    from engine.rules.series_notation import Values
    from engine.rules.spec import RuleTestSpec
    from engine.rules.spec.rule_test import ExpectationSpec, FiringSpec, MeasuredSpec

TICKS_MAX = HOUR
"""The clock moves at least so often, unless a test says otherwise."""


class Measured(NamedTuple):
    """One series: value k at `start` + k * `every`.

    `sent`: when all of them were, null: each at its time. With a `revision` they take the place of what was measured at
    these times.
    """

    kpi: str
    dimensions: dict[str, str]
    values: Values
    start: Micros
    every: Micros
    source: str | None
    sent: Micros | None = None
    revision: int = 0


class Firing(NamedTuple):
    """An expected stretch of firing; `to` null: until the end. `says` is a part of the sentence it opens with."""

    begin: Micros
    to: Micros | None
    says: str | None


class Expectation(NamedTuple):
    """What `rule` must say at `scope` (`model.identity.scope_key` of the dimensions); `line` is where it stands."""

    rule: str
    scope: str
    firing: tuple[Firing, ...]
    severity: Literal["info", "warning", "critical"] | None
    line: int


class RuleTest(NamedTuple):
    """Measurements and expectations; `file` and `line` are where it stands."""

    id: str
    title: str | None
    file: str
    line: int
    start: Micros
    ticks: Micros
    until: Micros | None
    measured: tuple[Measured, ...]
    expect: tuple[Expectation, ...]


def bind_tests(declarations: Declarations) -> tuple[RuleTest, ...]:
    """The tests of declarations in which no check has found an error, in order of place."""
    bound = [_bind(declared, declarations) for declared in declarations.tests.values()]
    return tuple(sorted(bound, key=lambda test: (test.file, test.line)))


def _bind(declared: Declared[RuleTestSpec], declarations: Declarations) -> RuleTest:
    spec = declared.spec
    return RuleTest(
        id=spec.id,
        title=spec.title,
        file=declared.document.file,
        line=declared.document.value_at(()).line,
        start=spec.start,
        ticks=spec.ticks or min(spec.every, TICKS_MAX),
        until=None if spec.until is None else spec.until.at(spec.start),
        measured=tuple(_measured(each, spec, declarations) for each in spec.measurements),
        expect=tuple(
            _expectation(each, spec.start, declared.document.value_at(("expect", place)).line)
            for place, each in enumerate(spec.expect)
        ),
    )


def _measured(spec: MeasuredSpec, test: RuleTestSpec, declarations: Declarations) -> Measured:
    sources = declarations.kpis[spec.kpi].spec.sources
    return Measured(
        kpi=spec.kpi,
        dimensions=spec.dimensions,
        values=spec.values,
        start=test.start if spec.start is None else spec.start.at(test.start),
        every=spec.every or test.every,
        source=spec.source or next(iter(sources), None),
        sent=None if spec.sent is None else spec.sent.at(test.start),
        revision=spec.revision,
    )


def _expectation(spec: ExpectationSpec, start: Micros, line: int) -> Expectation:
    firing = tuple(_firing(each, start) for each in spec.firing)
    return Expectation(spec.rule, scope_key(spec.dimensions), firing, spec.severity, line)


def _firing(spec: FiringSpec, start: Micros) -> Firing:
    return Firing(spec.from_.at(start), None if spec.to is None else spec.to.at(start), spec.says)
