"""Reviews and commands of rule tests that were not as expected, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.model.time import DAY, HOUR, MINUTE, SECOND, Micros, format_time
from engine.offline.review_tests import NEVER
from engine.offline.reviews import place
from engine.runtime.settings import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.offline.command_tests import CommandDifference
    from engine.offline.review_tests import Fields, ReviewDifference, Told
    from engine.rules.rule_tests import Field, RuleTest


def removed(text: str) -> str:
    """A line of what was expected."""
    return f"- {text}"


def added(text: str) -> str:
    """A line of what was found."""
    return f"+ {text}"


def changed(expected: str, found: str) -> tuple[str, str]:
    """Both."""
    return removed(expected), added(found)


def moment(time: Micros, start: Micros) -> str:
    """As it would be written in the test, and on the clock: `1d2h (2026-01-06T10:00:00Z)`."""
    return f"{_since(time - start)} ({format_time(time)})"


def _since(span: Micros) -> str:
    if span <= 0 or span % SECOND:
        return format_duration(span)
    parts, rest = [], span
    for name, unit in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts)


def command_lines(test: RuleTest, difference: CommandDifference) -> Iterator[str]:
    """A command that was refused or taken."""
    when = moment(difference.at, test.start)
    yield f"{test.file}:{difference.line}: {difference.action}, {difference.rule}, at {when}"
    found = "it is taken" if difference.found is None else f"refused as {difference.found}: {difference.sentence}"
    expected = "it is taken" if difference.expected is None else f"refused as {difference.expected}"
    yield from changed(expected, found)


def review_lines(test: RuleTest, difference: ReviewDifference) -> Iterator[str]:
    """Reviews or triggers at one place, in order of time; what was as expected is indented."""
    line = difference.line or test.line
    yield f"{test.file}:{line}: {difference.rule}, {place(difference.scope)}: {difference.what}"
    if difference.line is None:
        yield removed("not expected here")
    for told in difference.told:
        when = moment(told.at, test.start)
        if told.agrees and told.expected is not None:
            yield f"  {when}: {_described(told.expected, test.start)}"
            continue
        if told.expected is not None:
            yield removed(f"{when}: {_described(told.expected, test.start)}")
        if told.found is not None:
            yield added(f"{when}: {_described(told.found, test.start)}")
        elif difference.what == "reviews":
            yield added(f"{when}: no review")


def _described(fields: Fields, start: Micros) -> str:
    if fields == NEVER:
        return "no review"
    return ", ".join(_field(name, value, start) for name, value in fields.items())


def _field(name: str, value: Field, start: Micros) -> str:
    if isinstance(value, tuple):
        value = ", ".join(value) or "nobody"
    if isinstance(value, int):
        value = moment(value, start)
    match name:
        case "state" | "type":
            return value
        case "says" | "question":
            return f"{'saying' if name == 'says' else 'asking'} {value!r}"
        case "notify":
            return f"told to {value}"
        case _:
            return f"{name.replace('_', ' ')} {value or 'none'}"


def command_as_json(difference: CommandDifference) -> dict[str, Any]:
    """As one JSON object."""
    return {**difference._asdict(), "at": format_time(difference.at)}


def as_json(difference: ReviewDifference) -> dict[str, Any]:
    """As one JSON object; what agrees is in it."""
    return {**difference._asdict(), "told": [_told(each) for each in difference.told]}


def _told(told: Told) -> dict[str, Any]:
    return {
        "at": format_time(told.at),
        "agrees": told.agrees,
        "expected": told.expected and _written(told.expected),
        "found": told.found and _written(told.found),
    }


def _written(fields: Fields) -> dict[str, Any]:
    return {name: format_time(value) if isinstance(value, int) else value for name, value in fields.items()}
