"""Rule tests as they run: every time resolved, every default filled in. They are no part of a rule set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.model.identity import scope_key
from engine.model.time import HOUR, Micros, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.model.trigger import Happening
    from engine.rules.declared import Declarations, Declared
    from engine.rules.edits import Edit
    from engine.rules.series_notation import Values
    from engine.rules.spec import RuleTestSpec
    from engine.rules.spec.rule_test import ExpectationSpec, FiringSpec, MeasuredSpec
    from engine.rules.spec.rule_test_reviews import CommandSpec, ReviewAtSpec, TriggerSpec

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


Field = str | Micros | tuple[str, ...]
"""What a field of a review is: a word or sentence, a time, or names in their order."""


class ReviewAt(NamedTuple):
    """How the review must stand at a time, field by field; `{"state": "never"}`: there is none yet."""

    at: Micros
    fields: dict[str, Field]
    line: int


class TriggerAt(NamedTuple):
    """A trigger that must be emitted. `notify` null: to whomever; `says` is a part of its sentence."""

    at: Micros
    type: Happening
    notify: tuple[str, ...] | None
    says: str | None
    line: int


class Expectation(NamedTuple):
    """What `rule` must say at `scope` (`model.identity.scope_key` of the dimensions); `line` is where it stands.

    Without `of_firing` nothing is said of when it fires; `reviews` and `triggers` are null where nothing is said of
    them, and empty where there must be none.
    """

    rule: str
    scope: str
    firing: tuple[Firing, ...]
    severity: Literal["info", "warning", "critical"] | None
    line: int
    reviews: tuple[ReviewAt, ...] | None = None
    triggers: tuple[TriggerAt, ...] | None = None
    of_firing: bool = True


class Command(NamedTuple):
    """What somebody does to the newest review of `rule` at `scope`. `fields` are those of `model.records.ReviewCommand`
    that are said; `refused` is the reason for which it must be refused, null where it must be taken.
    """

    at: Micros
    rule: str
    scope: str
    fields: dict[str, str]
    refused: str | None
    line: int


class RuleTest(NamedTuple):
    """Measurements and expectations; `file` and `line` are where it stands.

    `heard_until` is the last time of which it says something beside firing: the clock goes on until then at least.
    `edits` are in order of time, each with the rule set that it makes of the one before.
    """

    id: str
    title: str | None
    file: str
    line: int
    start: Micros
    ticks: Micros
    until: Micros | None
    measured: tuple[Measured, ...]
    expect: tuple[Expectation, ...]
    commands: tuple[Command, ...] = ()
    edits: tuple[Edit, ...] = ()
    heard_until: Micros | None = None

    @property
    def is_of_reviews(self) -> bool:
        """Whether it says more than when rules fire."""
        of_reviews = any(each.reviews is not None or each.triggers is not None for each in self.expect)
        return of_reviews or bool(self.commands)


def bind_tests(declarations: Declarations, edits: Mapping[str, tuple[Edit, ...]]) -> tuple[RuleTest, ...]:
    """The tests of declarations in which no check has found an error, in order of place; `edits` by test."""
    bound = [_bind(declared, declarations, edits) for declared in declarations.tests.values()]
    return tuple(sorted(bound, key=lambda test: (test.file, test.line)))


def _bind(
    declared: Declared[RuleTestSpec], declarations: Declarations, edits: Mapping[str, tuple[Edit, ...]]
) -> RuleTest:
    spec = declared.spec
    heard = [moment for _, moment in spec.moments()]
    return RuleTest(
        id=spec.id,
        title=spec.title,
        file=declared.document.file,
        line=declared.document.value_at(()).line,
        start=spec.start,
        ticks=spec.ticks or min(spec.every, TICKS_MAX),
        until=None if spec.until is None else spec.until.at(spec.start),
        measured=tuple(_measured(each, spec, declarations) for each in spec.measurements),
        expect=tuple(_expectation(each, place, declared) for place, each in enumerate(spec.expect)),
        commands=tuple(
            _command(each, spec.start, _line(declared, "commands", place)) for place, each in enumerate(spec.commands)
        ),
        edits=edits.get(spec.id, ()),
        heard_until=max((moment.at(spec.start) for moment in heard), default=None),
    )


def _line(declared: Declared[RuleTestSpec], *path: str | int) -> int:
    return declared.document.value_at(path).line


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


def _expectation(spec: ExpectationSpec, place: int, test: Declared[RuleTestSpec]) -> Expectation:
    start, here = test.spec.start, ("expect", place)
    reviews = [
        _review(each, start, _line(test, *here, "reviews", index)) for index, each in enumerate(spec.reviews or ())
    ]
    triggers = [
        _trigger(each, start, _line(test, *here, "triggers", index)) for index, each in enumerate(spec.triggers or ())
    ]
    return Expectation(
        rule=spec.rule,
        scope=scope_key(spec.dimensions),
        firing=tuple(_firing(each, start) for each in spec.firing or ()),
        severity=spec.severity,
        line=_line(test, *here),
        reviews=None if spec.reviews is None else tuple(sorted(reviews, key=lambda each: each.at)),
        triggers=None if spec.triggers is None else tuple(sorted(triggers, key=lambda each: each.at)),
        of_firing=spec.firing is not None,
    )


def _review(spec: ReviewAtSpec, start: Micros, line: int) -> ReviewAt:
    return ReviewAt(spec.at.at(start), dict(_fields(spec, start)), line)


def _fields(spec: ReviewAtSpec, start: Micros) -> Iterator[tuple[str, Field]]:
    """In the order in which the fields are declared; `at` is none of them."""
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if name == "at" or value is None:
            continue
        if name in ("opened", "due"):
            yield name, value.at(start)
        else:
            yield name, tuple(sorted(value)) if isinstance(value, list) else value


def _trigger(spec: TriggerSpec, start: Micros, line: int) -> TriggerAt:
    notify = None if spec.notify is None else tuple(sorted(spec.notify))
    return TriggerAt(spec.at.at(start), spec.type, notify, spec.says, line)


def _command(spec: CommandSpec, start: Micros, line: int) -> Command:
    said = {name: getattr(spec, name) for name in ("action", "who", "to", "comment", "verdict", "answer")}
    if spec.until is not None:
        said["until"] = format_time(spec.until.at(start))
    fields = {name: value for name, value in said.items() if value is not None}
    return Command(spec.at.at(start), spec.rule, scope_key(spec.dimensions), fields, spec.refused, line)


def _firing(spec: FiringSpec, start: Micros) -> Firing:
    return Firing(spec.from_.at(start), None if spec.to is None else spec.to.at(start), spec.says)
