"""`counterpoint reviews` and `counterpoint audit` as a user runs them, on the embedded broker."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from on_call import EWR, JFK, STORY, command, options, write

from engine.brokers.reader import read_values
from engine.cli import main
from engine.model.audit import ActivationEntry, CommandEntry

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker

Capture = pytest.CaptureFixture[str]


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


LISTED = """\
REVIEW    STATE    SEVERITY  DUE        OWNER
142cc966  overdue  critical  60 s over  ops
          late-share origin=EWR: 41 % of flights from EWR left late, over 30 %.
142cd000  open     warning   in 5 h     ops, given to bob
          cancelled-share-high origin=JFK: One flight in ten from JFK was
          cancelled: 0.1, over the limit of 0.05.
"""


def test_open_reviews_are_listed_with_the_overdue_first(
    embedded: EmbeddedBroker, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    assert run("reviews", "list", *options(embedded, *STORY, *STORY[:2])) == 0
    shown = capsys.readouterr()
    assert shown.out == LISTED
    assert shown.err == "2 reviews, 1 of them overdue\n"


@pytest.mark.parametrize("columns", [80, 120])
def test_every_view_fits_the_terminal(
    columns: int, embedded: EmbeddedBroker, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", str(columns))
    place = options(embedded, *STORY)
    for view in (("list", "--all"), ("show", EWR), ("summary",)):
        assert run("reviews", *view, *place) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= columns
        assert not [line for line in lines if line != line.rstrip()]


def test_programs_get_all_of_them_as_json(embedded: EmbeddedBroker, capsys: Capture):
    place = options(embedded, *STORY)
    assert run("reviews", "list", "--all", "--format", "json", "--where", "origin=EWR", *place) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["review"][:5], each["state"], each["late"]) for each in found] == [
        ("142cc", "overdue", True),
        ("5f5f5", "resolved", False),
    ]


def test_one_review_is_shown_with_its_story_and_how_to_answer(embedded: EmbeddedBroker, capsys: Capture):
    place = options(embedded, *STORY)
    assert run("reviews", "show", "142cc", *place) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(
        "Too many flights leave late  (late-share)\n41 % of flights from EWR left late, over 30 %.\n"
    )
    assert "\nquestion    Which crews were missing?\n" in shown
    assert re.findall(r"^  \S+Z  (\w+)$", shown, re.MULTILINE) == ["opened", "acknowledged", "overdue"]
    assert "counterpoint reviews resolve 142cc966-3 --verdict VERDICT" in shown
    assert run("reviews", "show", "142cc", "--format", "json", *place) == 0
    assert [each["happening"] for each in json.loads(capsys.readouterr().out)["transitions"]] == [
        "opened", "acknowledged", "overdue",
    ]  # fmt: skip
    assert run("reviews", "show", "142c", *place) == 1
    assert "is the beginning of 2 reviews" in capsys.readouterr().err


def test_the_hand_over_names_what_is_open_noisy_and_right(embedded: EmbeddedBroker, capsys: Capture):
    place = options(embedded, *STORY)
    assert run("reviews", "summary", "--since", "2d", *place) == 0
    shown = capsys.readouterr().out
    for words in (
        "3 opened, 1 ended",
        "2 open now: 1 overdue, 0 of them escalated; 0 snoozed",
        "late-share            2 reviews, 5 triggers",
        "late-share  100% real (21% to 100% at 95 %): 1 real",
        "142cc966  overdue",
    ):
        assert words in shown
    assert run("reviews", "summary", "--since", "2d", "--format", "json", *place) == 0
    assert json.loads(capsys.readouterr().out)["open"] == [EWR, JFK]


def test_a_silence_is_written_listed_and_ended_and_the_trail_has_both(embedded: EmbeddedBroker, capsys: Capture):
    place = options(embedded)
    asked = ("--where", "origin=EWR", "--where", "rule=~late.*", "--until", "4h", "--reason", "runway works")
    assert run("reviews", "silence", *asked, "--author", "ann", *place) == 0
    identifier = capsys.readouterr().out.split()[0]
    assert run("reviews", "silences", *place) == 0
    listed = capsys.readouterr()
    assert re.fullmatch(
        rf"{identifier}  origin=EWR rule=~late\.\*\n"
        r"          until \S+Z \(\d+ \w+ left\), by ann: runway works\n",
        listed.out,
    )
    assert run("reviews", "silence", "--end", identifier[:4], "--author", "bob", *place) == 0
    assert run("reviews", "silence", "--end", identifier[:4], "--author", "bob", *place) == 1
    assert "ended by bob already; nothing changed" in capsys.readouterr().err
    assert run("reviews", "silences", *place) == 0
    assert capsys.readouterr().out == ""
    assert run("reviews", "silences", "--all", "--format", "json", *place) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["author"], found["ended_by"]) == ("ann", "bob")
    entries = [json.loads(value) for value in read_values(embedded.bootstrap, "a.audit")]
    assert [entry["happening"] for entry in entries] == ["begun", "ended"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--where", "origin=EWR", "--until", "4h"), 2, "expected --where, --until and --reason"),
        (("--where", "origin=EWR", "--until", "4 hours", "--reason", "x"), 2, "--until: expected a duration"),
        (("--where", "origin=EWR", "--until", "2020-01-01T00:00:00Z", "--reason", "x"), 2, "still to come"),
        (("--where", "origin", "--until", "4h", "--reason", "x"), 1, "expected LABEL=VALUE"),
        (("--end", "9"), 1, "fits 0 of them"),
    ],
)
def test_a_wrong_silence_is_refused(
    arguments: tuple[str, ...], code: int, message: str, embedded: EmbeddedBroker, capsys: Capture
):
    assert run("reviews", "silence", *arguments, *options(embedded)) == code
    assert message in re.sub(r"\s+", " ", capsys.readouterr().err)


ENTRIES = (
    CommandEntry("c1", "2026-03-02T10:30:00Z", command("acknowledge"), "accepted", trigger=f"{EWR}-2"),
    CommandEntry("c2", "2026-03-02T12:05:00Z", command("acknowledge"), "refused", "no_change", "ann saw it already"),
    CommandEntry("c2", "2026-03-02T12:05:00Z", command("acknowledge"), "refused", "no_change", "ann saw it already"),
    ActivationEntry("a1", "2026-03-02T11:00:00Z", "bob", 4, "f00d", None, added=("rule late-share",)),
)


def test_the_audit_trail_tells_the_whole_story_of_a_review(embedded: EmbeddedBroker, capsys: Capture):
    place = options(embedded, *STORY)
    write(embedded, "audit", *ENTRIES)
    assert run("audit", "show", "142cc", *place) == 0
    shown = capsys.readouterr().out
    assert re.findall(r"^\S+Z  (.*)$", shown, re.MULTILINE) == [
        "opened", "acknowledge by ann", "acknowledged", "rules by bob", "overdue", "acknowledge by ann",
    ]  # fmt: skip
    assert "    refused (no_change): ann saw it already\n" in shown
    assert run("audit", "show", "142cc", "--format", "json", *place) == 0
    found = json.loads(capsys.readouterr().out)
    assert [line["source"] for line in found["story"]] == [f"{EWR}-1", "c1", f"{EWR}-2", "a1", f"{EWR}-3", "c2"]


def test_the_audit_trail_is_listed_since_a_time(embedded: EmbeddedBroker, capsys: Capture):
    place = options(embedded)
    write(embedded, "audit", *ENTRIES)
    assert run("audit", "list", "--since", "2026-03-02T11:00:00Z", *place) == 0
    shown = capsys.readouterr()
    assert shown.out == (
        "2026-03-02T11:00:00Z  rules by bob\n    Rule set f00d (number 4): added rule late-share.\n"
        "2026-03-02T12:05:00Z  acknowledge by ann\n    refused (no_change): ann saw it already\n"
    )
    assert shown.err == "2 entries\n"
    assert run("audit", "list", "--format", "json", *place) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
