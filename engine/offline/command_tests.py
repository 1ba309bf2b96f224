"""What people do in rule tests: commands as they would send them, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.audit import CommandEntry
from engine.model.identity import scope_key
from engine.model.records import ReviewCommand
from engine.model.time import Micros, format_time, parse_own_time
from engine.model.topics import AUDIT
from engine.offline.replay import Act
from engine.review.trigger import dimensions_of
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.offline.replay import Replayed
    from engine.review.review import Book, Review
    from engine.rules.rule_tests import Command, RuleTest

_NO_REVIEW = ("unknown_review", "there is no such review by then")


class CommandDifference(NamedTuple):
    """A command that was refused for another reason than expected (null: it was taken). `sentence` says why."""

    line: int
    at: Micros
    rule: str
    action: str
    expected: str | None
    found: str | None
    sentence: str | None


def acts_of(test: RuleTest) -> list[Act]:
    """The commands of a test, in order of time."""
    acts = [Act(each.at, _Sends(each, place)) for place, each in enumerate(test.commands)]
    return sorted(acts, key=lambda act: act.at)


class _Sends:
    """Makes the record of a command from the reviews as they are."""

    def __init__(self, command: Command, place: int) -> None:
        self._command = command
        self._place = place

    def __call__(self, book: Book) -> Record | None:
        review = _newest(book, self._command)
        if review is None:
            return None
        values = {"type": "command", "id": _name(self._place), "review": review.id, **self._command.fields}
        values["time"] = format_time(self._command.at)
        command = msgspec.convert(values, ReviewCommand)
        return Record(review.scope.encode(), encode_record(command))


def _newest(book: Book, command: Command) -> Review | None:
    about = [
        review
        for review in book.every()
        if review.rule == command.rule and scope_key(dimensions_of(review.scope)) == command.scope
    ]
    return max(about, key=lambda review: parse_own_time(review.opened), default=None)


def _name(place: int) -> str:
    return f"command-{place + 1}"


def command_differences(test: RuleTest, replayed: Replayed) -> Iterator[CommandDifference]:
    """The commands that became of what was not expected, in the order of the test."""
    answers: dict[str, CommandEntry] = {}
    for output in replayed.outputs:
        if output.topic == AUDIT:
            entry = msgspec.json.decode(output.record.value or b"", type=CommandEntry)
            answers[entry.command.id] = entry
    for place, command in enumerate(test.commands):
        answer = answers.get(_name(place))
        reason, sentence = _NO_REVIEW if answer is None else (answer.reason, answer.sentence)
        if reason != command.refused:
            action = command.fields["action"]
            yield CommandDifference(command.line, command.at, command.rule, action, command.refused, reason, sentence)
