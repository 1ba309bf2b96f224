"""Whole scenarios: each with the exact list of what is told and what is held back."""

from __future__ import annotations

import pytest
from gate_stage import DAY, lines, new_gate, play, silence, step, trigger

from engine.errors import ConfigError, StateError
from engine.model.audit import Matcher, Silence
from engine.notify.gate import ENDED_KEPT, Gate

SPENT = "because the week's noise budget of ops is spent;"


def test_without_silence_or_limit_every_transition_is_told_once():
    steps = [
        trigger("other1", ordinal, happening, f"10:0{ordinal}")
        for ordinal, happening in enumerate(("opened", "updated", "overdue", "escalated", "commented", "resolved"), 1)
    ]
    assert play("10:00", *steps, *steps) == [f"tell other1-{ordinal}" for ordinal in range(1, 7)]


def test_a_flapping_review_is_told_so_once():
    assert play(
        trigger("other1", 1, "opened", "10:00"),
        trigger("other1", 2, "resolved", "10:01"),
        trigger("other1", 3, "reopened", "10:02"),
        trigger("other1", 4, "flapping", "10:03"),
        trigger("other1", 4, "flapping", "10:03"),
        trigger("other1", 5, "resolved", "11:03"),
    ) == [f"tell other1-{ordinal}" for ordinal in range(1, 6)]


def test_a_silence_begun_while_firing_holds_what_calls_and_lets_the_end_pass():
    assert play(
        "10:00",
        trigger("other1", 1, "opened", "10:00"),
        silence("s1", "origin=EWR", "10:01", "14:00"),
        trigger("other1", 2, "renotified", "10:02"),
        trigger("other1", 3, "updated", "10:03"),
        trigger("other1", 4, "overdue", "10:04"),
        trigger("other1", 5, "resolved", "10:05"),
        "14:00",
    ) == [
        "tell other1-1",
        "held other1-2 silenced s1",
        "held other1-3 silenced s1",
        "held other1-4 silenced s1",
        "tell other1-5",
        f"silence_over | The silence by ann (works) ran out at {DAY}T14:00:00Z: 0 open reviews were held back by it.",
        "expired s1",
    ]


def test_a_silence_that_runs_out_says_so_and_tells_once_of_each_review_that_is_still_open():
    assert play(
        "10:00",
        silence("s1", "rule=~oth.*", "09:00", "12:00"),
        trigger("other1", 1, "opened", "10:00"),
        trigger("other2", 1, "opened", "10:00"),
        trigger("other1", 2, "overdue", "11:00"),
        trigger("other2", 2, "resolved", "11:30"),
        "11:59:59",
        "12:00",
        "12:01",
        trigger("other1", 3, "escalated", "12:02"),
    ) == [
        "held other1-1 silenced s1",
        "held other2-1 silenced s1",
        "held other1-2 silenced s1",
        "tell other2-2",
        "silence_over | The silence by ann (works) ran out at 2026-03-02T12:00:00Z: 1 open review was held back by it.",
        "released | The silence by ann (works) ended at 2026-03-02T12:00:00Z. Still open: other1 is bad.",
        "expired s1",
        "tell other1-3",
    ]


def test_a_silence_ended_early_tells_at_once_and_names_who_ended_it():
    assert play(
        "10:00",
        silence("s1", "severity!=critical", "09:00", "12:00"),
        trigger("other1", 1, "opened", "10:00"),
        trigger("other2", 1, "opened", "10:00", severity="critical"),
        silence("s1", "severity!=critical", "09:00", "12:00", ended_by="bob"),
        "12:00",
    ) == [
        "held other1-1 silenced s1",
        "tell other2-1",
        "released | The silence by ann (works) was ended by bob. Still open: other1 is bad.",
    ]


def test_one_silence_of_two_that_ends_releases_nothing():
    assert play(
        "10:00",
        silence("s1", "origin=EWR", "09:00", "12:00"),
        silence("s2", "owner=sales", "09:00", "11:00"),
        trigger("other1", 1, "opened", "10:00"),
        silence("s1", "origin=EWR", "09:00", "12:00", ended_by="bob"),
        "11:00",
    ) == [
        "held other1-1 silenced s1",
        "silence_over | The silence by ann (works) ran out at 2026-03-02T11:00:00Z: 1 open review was held back by it.",
        "released | The silence by ann (works) ended at 2026-03-02T11:00:00Z. Still open: other1 is bad.",
        "expired s2",
    ]


def test_a_silence_that_is_not_yet_in_force_or_over_before_it_was_read_holds_nothing():
    assert play(
        "10:00",
        silence("s1", "origin=EWR", "11:00", "12:00"),
        silence("s2", "origin=EWR", "08:00", "09:00"),
        trigger("other1", 1, "opened", "10:00"),
    ) == ["tell other1-1"]


def test_the_silences_of_former_times_are_not_news_to_a_gate_that_begins():
    assert play(silence("s1", "origin=EWR", "08:00", "09:00"), "10:00", "11:00") == []


def test_an_unsound_silence_is_refused_and_holds_nothing():
    gate = new_gate()
    wrong = Silence(
        "s1", (Matcher("rule", "(", regex=True),), "ann", "x", "2026-03-02T09:00:00Z", "2026-03-02T19:00:00Z"
    )
    with pytest.raises(ConfigError, match="expected a regular expression"):
        gate.silence(wrong)
    assert lines(gate.take(trigger("other1", 1, "opened", "10:00"))) == ["tell other1-1"]


def test_an_opening_is_kept_quiet_by_an_open_review_of_the_same_place_only():
    assert play(
        "10:00",
        trigger("down1", 1, "opened", "10:00"),
        trigger("late1", 1, "opened", "10:01"),
        trigger("late2", 1, "opened", "10:01", origin="JFK"),
        trigger("late3", 1, "opened", "10:01", dimensions={"carrier": "UA"}),
        "10:01:29",
        "10:01:30",
    ) == ["tell down1-1", "held late1-1 inhibited down1", "held late3-1 inhibited down1", "tell late2-1"]


def test_an_inhibitor_that_comes_a_little_later_still_keeps_it_quiet():
    assert play(
        "10:00",
        trigger("late1", 1, "opened", "10:00"),
        trigger("late1", 2, "updated", "10:00"),
        "10:00:10",
        trigger("down1", 1, "opened", "10:00"),
        "10:00:30",
    ) == ["tell down1-1", "held late1-1 inhibited down1", "held late1-2 inhibited down1"]


def test_what_was_inhibited_and_is_still_open_is_told_when_the_inhibitor_ended_and_some_time_went_by():
    assert play(
        "10:00",
        trigger("down1", 1, "opened", "10:00"),
        trigger("late1", 1, "opened", "10:00"),
        trigger("late2", 1, "opened", "10:00"),
        trigger("down1", 2, "resolved", "11:00"),
        trigger("late2", 2, "resolved", "11:00"),
        "11:00",
        "11:00:30",
    ) == [
        "tell down1-1",
        "held late1-1 inhibited down1",
        "held late2-1 inhibited down1",
        "tell down1-2",
        "held late2-2 inhibited down1",
        "released | No longer inhibited by the review down1. Still open: late1 is bad.",
    ]


def test_a_review_that_was_told_before_its_inhibitor_came_is_quiet_until_it_ends():
    assert play(
        "10:00",
        trigger("late1", 1, "opened", "09:59"),
        trigger("down1", 1, "opened", "10:00"),
        trigger("late1", 2, "renotified", "10:01"),
        trigger("late1", 3, "resolved", "10:02"),
    ) == ["tell late1-1", "tell down1-1", "held late1-2 inhibited down1", "tell late1-3"]


def test_an_opening_that_ends_while_it_waits_for_an_inhibitor_is_told_with_its_end():
    assert play("10:00", trigger("late1", 1, "opened", "10:00"), trigger("late1", 2, "resolved", "10:00:05")) == [
        "tell late1-1",
        "tell late1-2",
    ]


def test_of_rules_that_inhibit_each_other_one_is_heard():
    assert play("10:00", trigger("ping1", 1, "opened", "10:00"), trigger("pong1", 1, "opened", "10:00"), "10:01") == [
        "held pong1-1 inhibited ping1",
        "tell ping1-1",
    ]


def test_beyond_the_budget_of_a_week_warnings_come_as_a_digest_that_names_the_noisiest_rules():
    reviews = ["other1", "other2", "down1", "other3", "other4", "down2", "late1"]
    opened = [
        trigger(each, 1, "opened", f"10:0{number}", owner="ops", origin=str(number))
        for number, each in enumerate(reviews)
    ]
    assert play(
        "09:00",
        *opened[:3],
        trigger("other9", 1, "opened", "10:05", owner="ops", severity="critical"),
        *opened[3:],
        "10:10",
        trigger("other1", 2, "resolved", "12:00", owner="ops"),
        trigger("other3", 2, "resolved", "12:00", owner="ops"),
        "23:59",
        "+1 00:00",
        trigger("other8", 1, "opened", "+1 01:00", owner="ops"),
        "+2 00:00",
        "+6 23:00",
        trigger("other7", 1, "opened", "+7 00:00", owner="ops"),
    ) == [
        "tell other1-1",
        "tell other2-1",
        "tell down1-1",
        "tell other9-1",
        "held other3-1 bundled",
        "held other4-1 bundled",
        "held down2-1 bundled",
        "held late1-1 bundled",
        "tell other1-2",
        "held other3-2 bundled",
        f"digest | 4 notifications of 4 reviews bundled on {DAY}, {SPENT} 3 still open. | other: 2 | down: 1 | late: 1",
        "held other8-1 bundled",
        f"digest | 1 notification of 1 review bundled on 2026-03-03, {SPENT} 1 still open. | other: 1",
        "tell other7-1",
    ]


def test_an_escalation_passes_when_the_budget_of_the_owner_is_spent():
    steps = [trigger(f"other{number}", 1, "opened", "10:00", owner="ops") for number in range(4)]
    assert play(
        "10:00",
        *steps,
        trigger("other3", 2, "overdue", "12:00", owner="ops"),
        trigger("other3", 3, "escalated", "13:00", owner="ops", notify=("board",)),
        trigger("other3", 4, "resolved", "14:00", owner="ops"),
    ) == [
        *(f"tell other{number}-1" for number in range(3)),
        "held other3-1 bundled",
        "held other3-2 bundled",
        "tell other3-3",
        "tell other3-4",
    ]


def test_digests_of_one_week_have_different_ids():
    gate = new_gate()
    steps = [trigger(f"other{number}", 1, "opened", "10:00", owner="ops") for number in range(5)]
    later = trigger("other9", 1, "opened", "+1 10:00", owner="ops")
    outcomes = [step(gate, each) for each in (*steps, "+1 00:00", later, "+2 00:00")]
    told = [each for outcome in outcomes for each in outcome.notifications if each.kind == "digest"]
    assert len({each.id for each in told}) == 2
    assert [each.to for each in told] == [("ops",), ("ops",)]


def test_after_eight_hours_of_outage_nothing_historical_pages_and_what_becomes_overdue_does():
    historical = {"historical": True}
    assert play(
        "18:00",
        *(trigger(f"other{number}", 1, "opened", "10:00", **historical) for number in range(3)),
        trigger("other0", 2, "updated", "10:30", **historical),
        trigger("other1", 2, "resolved", "11:00", **historical),
        trigger("other2", 2, "overdue", "18:00", **historical),
        trigger("other2", 3, "resolved", "18:30", **historical),
        trigger("other1", 3, "reopened", "18:31"),
    ) == [
        "held other0-1 historical",
        "held other1-1 historical",
        "held other2-1 historical",
        "held other0-2 historical",
        "held other1-2 historical",
        "tell other2-2",
        "tell other2-3",
        "tell other1-3",
    ]


def test_a_review_that_was_met_in_the_middle_of_its_life_counts_as_told():
    assert play(trigger("other1", 7, "resolved", "10:00")) == ["tell other1-7"]


def test_a_rule_set_that_is_not_to_be_had_holds_nothing_back():
    steps = [trigger(f"late{number}", 1, "opened", "10:00", owner="ops", rule_set="gone") for number in range(5)]
    assert play("10:00", trigger("down1", 1, "opened", "10:00"), *steps) == [
        "tell down1-1",
        *(f"tell late{number}-1" for number in range(5)),
    ]


def test_the_set_of_told_reviews_is_what_is_open_and_not_held_back():
    gate = new_gate()
    for each in (
        silence("s1", "origin=JFK", "09:00", "12:00"),
        trigger("other1", 1, "opened", "10:00"),
        trigger("other2", 1, "opened", "10:00", origin="JFK"),
        trigger("other3", 1, "opened", "10:00"),
        trigger("other3", 2, "resolved", "10:00"),
    ):
        step(gate, each)
    assert gate.told == {"other1"}
    assert [each.review for each in gate.holding] == ["other2"]


def test_ended_reviews_are_forgotten_when_there_are_too_many():
    gate = new_gate()
    for number in range(ENDED_KEPT + 10):
        gate.take(trigger(f"other{number}", 1, "resolved", "10:00"))
    assert lines(gate.take(trigger("other9", 1, "resolved", "10:00"))) == ["tell other9-1"]


def test_a_dump_that_is_none_is_refused():
    with pytest.raises(StateError, match="expected what a gate has dumped"):
        Gate.load(b"?", lambda _: None)
