"""What came of rule tests, for people and for programs."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from engine.cli.test_report_reviews import (
    added,
    as_json,
    changed,
    command_as_json,
    command_lines,
    moment,
    removed,
    review_lines,
)
from engine.model.time import Micros, format_time
from engine.offline.reached import not_reached
from engine.offline.reviews import place
from engine.offline.rule_tests import matches
from engine.rules.problems import has_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.offline.episodes import Episode
    from engine.offline.reached import Reached
    from engine.offline.rule_tests import Difference, Verdict
    from engine.rules.loader import Loaded
    from engine.rules.rule_tests import Firing
    from engine.rules.ruleset import RuleSet


def print_verdict(verdict: Verdict) -> None:
    """`ok` and the test's name; of a failing one its place, and each difference as removed and added lines."""
    test = verdict.test
    title = f": {test.title}" if test.title else ""
    if verdict.passed:
        typer.echo(f"{typer.style('ok', fg=typer.colors.GREEN)}    {test.id}{title}")
        return
    typer.echo(f"{typer.style('FAIL', fg=typer.colors.RED)}  {test.id}{title}")
    for line in failure_lines(verdict):
        typer.echo(f"      {_coloured(line)}")


def failure_lines(verdict: Verdict) -> Iterator[str]:
    """What was refused, and each difference as removed (-) and added (+) lines after its place."""
    test = verdict.test
    for refused in verdict.refused:
        yield f"{test.file}:{test.line}: a measurement is refused: {refused}"
    for difference in verdict.differences:
        yield from _lines(verdict, difference)
    for each in verdict.commands:
        yield from command_lines(test, each)
    for one in verdict.reviews:
        yield from review_lines(test, one)


def _coloured(line: str) -> str:
    colours = {"- ": typer.colors.RED, "+ ": typer.colors.GREEN}
    return typer.style(line, fg=colours[line[:2]]) if line[:2] in colours else line


def print_not_reached(verdicts: Sequence[Verdict], rules: RuleSet) -> None:
    """A line for each rule of which something is not tested."""
    missing = not_reached(_reached(verdicts), rules)
    if missing:
        typer.echo("no test reaches:")
    for rule, branches in missing.items():
        typer.echo(f"      {rule}: {', '.join(branches)}")


def _lines(verdict: Verdict, difference: Difference) -> Iterator[str]:
    test = verdict.test
    yield f"{test.file}:{difference.line or test.line}: {difference.rule}, {place(difference.scope)}"
    if difference.severity is not None:
        yield from changed(*(f"severity {each}" for each in difference.severity))
    if not difference.expected:
        yield removed("never fires" if difference.line else "not expected here")
    if not difference.found:
        yield from (removed(_expected(each, test.start)) for each in difference.expected)
        if difference.expected:
            yield added("never fires")
        return
    for expected, found in zip_longest(difference.expected, difference.found):
        if expected is not None and found is not None and matches(expected, found):
            yield f"  {_found(found, test.start)}"
            continue
        if expected is not None:
            yield removed(_expected(expected, test.start))
        if found is not None:
            yield added(f"{_found(found, test.start)}: {found.says}")


def _expected(firing: Firing, start: Micros) -> str:
    says = f", saying {firing.says!r}" if firing.says else ""
    return f"{_stretch(firing.begin, firing.to, start)}{says}"


def _found(episode: Episode, start: Micros) -> str:
    return _stretch(episode.begin, episode.to, start)


def _stretch(begin: Micros, to: Micros | None, start: Micros) -> str:
    until = "to the end" if to is None else f"to {moment(to, start)}"
    return f"fires from {moment(begin, start)} {until}"


def summary(loaded: Loaded, verdicts: Sequence[Verdict], seconds: float) -> str:
    """The last line."""
    if loaded.rule_set is None:
        errors = sum(problem.severity == "error" for problem in loaded.problems)
        return f"not ok: no test was run, {errors} error{'' if errors == 1 else 's'} in the files"
    failing = sum(not verdict.passed for verdict in verdicts)
    count = f"{len(verdicts)} test{'' if len(verdicts) == 1 else 's'}"
    return f"{'not ok' if failing else 'ok'}: {count}, {failing} failing in {seconds:.2f} s"


def print_report(loaded: Loaded, verdicts: Sequence[Verdict], seconds: float) -> None:
    """The same as one JSON document."""
    report = {
        "ok": not has_errors(loaded.problems) and all(verdict.passed for verdict in verdicts),
        "seconds": round(seconds, 3),
        "problems": loaded.problems,
        "tests": [_as_json(verdict) for verdict in verdicts],
        "not_reached": None if loaded.rule_set is None else not_reached(_reached(verdicts), loaded.rule_set),
    }
    typer.echo(msgspec.json.format(msgspec.json.encode(report), indent=2))


def _reached(verdicts: Sequence[Verdict]) -> Iterator[Reached]:
    for verdict in verdicts:
        yield from verdict.reached


def _as_json(verdict: Verdict) -> dict[str, Any]:
    test = verdict.test
    return {
        "id": test.id,
        "title": test.title,
        "file": test.file,
        "line": test.line,
        "passed": verdict.passed,
        "refused": verdict.refused,
        "differences": [_difference(each) for each in verdict.differences],
        "commands": [command_as_json(each) for each in verdict.commands],
        "reviews": [as_json(each) for each in verdict.reviews],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    severity = difference.severity or (None, None)
    return {
        "rule": difference.rule,
        "scope": difference.scope,
        "line": difference.line,
        "expected": [
            {"from": format_time(each.begin), "to": _or_null(each.to), "says": each.says}
            for each in difference.expected
        ],
        "found": [
            {"from": format_time(each.begin), "to": _or_null(each.to), "says": each.says} for each in difference.found
        ],
        "severity": {"expected": severity[0], "found": severity[1]} if difference.severity else None,
    }


def _or_null(time: Micros | None) -> str | None:
    return None if time is None else format_time(time)
