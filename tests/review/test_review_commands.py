"""What people ask of reviews: taken once, told, answered; or refused with a reason, and then no byte changes."""

from __future__ import annotations

from typing import Any

import pytest
from review_life import Life, one_rule
from stage2_world import day

from engine.model.time import DAY
from engine.rules.resolved.timing import Due


def opened(close: str = "on_answer", **fields: Any) -> Life:
    life = Life(one_rule(close, due_in=Due(30 * DAY), **fields)).fires(3)
    assert life.say() == ["opened"]
    return life


def test_the_life_of_a_review_in_the_hands_of_people():
    life = opened()
    life.does("acknowledge").does("assign", to="bob").does("comment", comment="Looks like the campaign.")
    life.does("snooze", until=day(5)).ticks(24 * 5).clears(6, 3)
    life.does("resolve", verdict="expected", answer="A campaign.")
    heard = [(name, trigger.data.state, trigger.data.explanation) for name, trigger in life.heard()[:-1]]
    assert heard == [
        ("acknowledged", "acknowledged", "Acknowledged by ann."),
        ("assigned", "in_review", "Given to bob by ann."),
        ("commented", "in_review", "ann: Looks like the campaign."),
        ("snoozed", "snoozed", f"Snoozed until {day(5)} by ann."),
        ("woken", "in_review", f"The snooze ended at {day(5)}. Traffic of {{c a}} was 12 on 2024-01-03, above 10."),
        (
            "alert_ended",
            "in_review",
            (
                "Traffic of {c a} was 12 on 2024-01-06, not above 10; before, it had been for 1 day (2024-01-06), "
                "at worst 12. An answer is awaited."
            ),
        ),
        ("resolved", "resolved", "Answered by ann (expected): A campaign."),
    ]


def test_whoever_takes_it_over_hears_of_it_too():
    life = opened(participants=("sales",)).does("assign", to="bob").clears(4, 3)
    life.say()
    assert life.newest().data.notify == ("traffic-owner", "bob", "sales")


def test_an_answer_while_the_alert_is_on_ends_the_review_when_the_alert_ends():
    life = opened().does("resolve", verdict="false_alarm", answer="Bots.")
    assert life.say() == ["answered", "counted for precision:high"]
    assert (life.newest().data.state, life.newest().data.alert) == ("in_review", "on")
    assert life.clears(5, 3).say() == ["resolved"]
    assert (life.newest().data.verdict, life.newest().data.answer) == ("false_alarm", "Bots.")
    assert "An answer is awaited" not in life.newest().data.explanation


def test_a_review_that_recovered_by_itself_can_still_be_judged():
    life = opened("on_recovery").clears(4, 3)
    assert life.does("resolve", verdict="false_alarm").say() == ["resolved", "answered", "counted for precision:high"]
    assert life.newest().data.state == "resolved"


def test_a_command_that_comes_twice_counts_once():
    life = opened().does("acknowledge", id="same").does("acknowledge", id="same")
    assert life.say() == ["acknowledged", "repeat"]


def test_an_accepted_command_is_answered_with_the_trigger_it_made():
    life = opened().does("acknowledge")
    life.say()
    [entry] = [each.record.value for each in life.world.outputs if each.topic == "audit"]
    assert b'"outcome":"accepted"' in entry
    assert f'"trigger":"{life.review}-2"'.encode() in entry


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "of a review that nobody knows": ({"action": "acknowledge", "review": "x"}, "unknown_review", "there is no such"),
    "without somebody to give it to": ({"action": "assign"}, "incomplete", "`to`"),
    "an empty comment": ({"action": "comment", "comment": ""}, "incomplete", "`comment`"),
    "an answer without a verdict": ({"action": "resolve", "answer": "Well."}, "incomplete", "`verdict`"),
    "a snooze without an end": ({"action": "snooze"}, "incomplete", "RFC 3339"),
    "a snooze until some day": ({"action": "snooze", "until": "some day"}, "incomplete", "'some day'"),
    "a snooze into the past": ({"action": "snooze", "until": day(1)}, "out_of_range", "after 2024-01-04T00:00:00Z"),
    "a snooze for ever": ({"action": "snooze", "until": day(400)}, "out_of_range", "at most 30 days later"),
    "a comment without end": ({"action": "comment", "comment": "x" * 10_001}, "too_long", "10000 characters"),
    "by somebody who has seen less": ({"action": "acknowledge", "seen": 7}, "stale", "its transition 7, it has gone"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_command_is_refused_with_its_reason_and_changes_no_byte(name: str):
    fields, reason, sentence = REFUSED[name]
    life = opened()
    before = life.world.stage.all_pages()
    life.does(**fields)
    [(told, entry)] = life.heard()
    assert (told, entry.outcome) == (reason, "refused")
    assert sentence in entry.sentence
    assert life.world.stage.all_pages() == before
    assert life.world.stage.counters["commands_refused", reason] == 1


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"action": "acknowledge"}, {"action": "acknowledge"}, "no_change"),
        ({"action": "assign", "to": "bob"}, {"action": "assign", "to": "bob"}, "no_change"),
        ({"action": "assign", "to": "bob"}, {"action": "acknowledge"}, "illegal"),
        ({"action": "snooze", "until": day(5)}, {"action": "snooze", "until": day(5)}, "no_change"),
        ({"action": "snooze", "until": day(5)}, {"action": "acknowledge"}, "illegal"),
        ({"action": "resolve", "verdict": "real"}, {"action": "resolve", "verdict": "expected"}, "no_change"),
    ],
)
def test_what_was_done_already_is_refused(first: dict[str, Any], second: dict[str, Any], reason: str):
    life = opened().does(**first)
    life.say()
    before = life.world.stage.all_pages()
    assert life.does(**second).say() == [reason]
    assert life.world.stage.all_pages() == before


def test_an_ended_review_takes_comments_and_nothing_else():
    life = opened("on_recovery").clears(4, 3)
    life.does("resolve", verdict="real").say()
    for action in ("acknowledge", "assign", "snooze"):
        assert life.does(action, to="bob", until=day(5)).say() == ["illegal"]
    assert life.does("comment", comment="For the record.").say() == ["commented"]


def test_a_command_without_who_saw_what_is_taken_whatever_came_since():
    life = opened().does("acknowledge")
    life.say()
    assert life.does("resolve", verdict="real", seen=1).say() == ["stale"]
    assert life.does("resolve", verdict="real", seen=2).say() == ["answered", "counted for precision:high"]
