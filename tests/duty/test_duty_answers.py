"""What a person on call says of reviews, sent as commands and answered: by a stand-in for the worker."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from on_call import EWR, JFK, OLD, STORY, answering, options, refused, taken, trigger

from engine.cli import main
from engine.wire.partition import owner

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker
    from engine.model.audit import CommandEntry
    from engine.model.records import ReviewCommand

Capture = pytest.CaptureFixture[str]


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


@pytest.mark.parametrize(
    ("arguments", "fields", "said"),
    [
        (("ack",), {"action": "acknowledge"}, "acknowledged by ann"),
        (("assign", "--to", "bob"), {"action": "assign", "to": "bob"}, "assigned by ann"),
        (("comment", "--text", "a word"), {"action": "comment", "comment": "a word"}, "commented by ann"),
        (("snooze", "--until", "4h"), {"action": "snooze", "until": "2026-03-02T16:01:00Z"}, "snoozed by ann"),
        (
            ("resolve", "--verdict", "false_alarm", "--answer", "snow"),
            {"action": "resolve", "verdict": "false_alarm", "answer": "snow", "seen": 3},
            "answered by ann",
        ),
    ],
)
def test_an_answer_goes_where_the_review_lives_and_what_became_of_it_is_said(
    arguments: tuple[str, ...], fields: dict[str, object], said: str, embedded: EmbeddedBroker, capsys: Capture
):
    place = options(embedded, *STORY)
    with answering(embedded, taken) as came:
        assert run("reviews", arguments[0], "142cc", *arguments[1:], "--who", "ann", *place) == 0
    [(partition, key, command)] = came
    assert (command.review, command.who) == (EWR, "ann")
    assert {name: getattr(command, name) for name in fields} == fields
    assert command.seen == fields.get("seen")
    assert key == 'flights.late{"origin":"EWR"}'
    assert partition == owner(key.encode(), 2)
    assert capsys.readouterr().out == f"142cc966  late-share origin=EWR: {said}\n"


def test_an_answer_to_a_review_that_went_on_is_refused_and_says_how_to_go_on(embedded: EmbeddedBroker, capsys: Capture):
    def stale(asked: ReviewCommand) -> CommandEntry:
        return refused(asked, "stale", "it has gone on to 3")

    place = options(embedded, *STORY)
    with answering(embedded, stale) as came:
        assert run("reviews", "resolve", "142cc-2", "--verdict", "real", *place) == 1
    assert came[0][2].seen == 2
    assert capsys.readouterr().err == (
        "142cc966  late-share origin=EWR: refused (stale): it has gone on to 3; it changed meanwhile: look at it with "
        "`counterpoint reviews show 142cc966`, then answer again\n"
    )


def test_several_are_asked_about_first_and_answered_each(
    embedded: EmbeddedBroker, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    def one_of_two(asked: ReviewCommand) -> CommandEntry:
        return taken(asked) if asked.review == EWR else refused(asked, "no_change", "bob saw it already")

    place = options(embedded, *STORY)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody answers
    with answering(embedded, one_of_two) as came:
        assert run("reviews", "ack", "--where", "owner=ops", *place) == 1
        assert came == []
        assert "All 2?" in capsys.readouterr().err
        assert run("reviews", "ack", "--where", "owner=ops", "--yes", *place) == 1
    assert sorted(command.review for _, _, command in came) == [EWR, JFK]
    shown = capsys.readouterr()
    assert shown.out.startswith("142cc966  late-share origin=EWR: acknowledged by ")
    assert shown.err == "142cd000  cancelled-share-high origin=JFK: refused (no_change): bob saw it already\n"


def test_without_a_worker_it_says_that_nobody_answered(embedded: EmbeddedBroker, capsys: Capture):
    place = options(embedded, *STORY)
    assert run("reviews", "ack", "142cc", "--wait", "1", *place) == 1
    assert "sent, and not answered in time: is a worker running?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("ack",), 2, "expected reviews by id, or --where"),
        (("ack", "9"), 1, "no review like it"),
        (("ack", "--where", "origin=XXX"), 1, "No open review is like that; nothing was sent."),
        (("snooze", OLD, "--until", "later"), 2, "--until: expected a duration"),
        (("resolve", OLD, "--verdict", "fine"), 2, "'fine'"),
        (("ack", "7777"), 1, "was called by an older engine"),
    ],
)
def test_wrong_usage_sends_nothing(
    arguments: tuple[str, ...], code: int, message: str, embedded: EmbeddedBroker, capsys: Capture
):
    place = options(embedded, *STORY, trigger("7" * 32, command_key=""))
    assert run("reviews", *arguments, *place) == code
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
