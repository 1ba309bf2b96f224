from __future__ import annotations

import pytest
from on_call import EWR, JFK, OLD, STORY, command, trigger

from engine.model.audit import ActivationEntry, CommandEntry, Matcher, Silence, SilenceEntry
from engine.model.time import DAY
from engine.offline.duty.open_set import life_of
from engine.offline.duty.story import story_of
from engine.offline.duty.summary import RuleNoise, summarize
from engine.wire.times import parse_time

NOW = parse_time("2026-03-02T12:30:00Z")


def test_a_summary_counts_what_came_and_ended_and_names_what_is_open():
    found = summarize([*STORY, *STORY], NOW - 7 * DAY, NOW)
    assert (found.opened, found.ended) == (3, 1)
    assert (found.open, found.late, found.escalated, found.snoozed) == ((EWR, JFK), (EWR,), (), ())
    assert found.noisiest == (RuleNoise("late-share", 2, 5), RuleNoise("cancelled-share-high", 1, 1))


def test_a_summary_counts_only_what_came_since_but_knows_all_that_is_open():
    found = summarize(STORY, parse_time("2026-03-02T11:30:00Z"), NOW)
    assert (found.opened, found.ended, found.open) == (0, 0, (EWR, JFK))
    assert found.noisiest == (RuleNoise("late-share", 0, 1),)
    assert found.verdicts == ()


def test_the_verdicts_of_a_rule_give_its_precision_with_an_interval_and_the_newest_counts():
    verdicts = ["real", "real", *["false_alarm"] * 17, "expected"]
    answered = [
        trigger(f"{number:032x}", 2, "answered", verdict=verdict, moved_by=command("resolve", verdict=verdict))
        for number, verdict in enumerate(verdicts)
    ]
    again = trigger(f"{0:032x}", 1, "answered", verdict="expected", moved_by=command("resolve", verdict="expected"))
    commented = trigger(f"{0:032x}", 3, "commented", verdict="real", moved_by=command("comment", comment="x"))
    [found] = summarize([*answered, again, commented], NOW - DAY, NOW).verdicts
    assert (found.rule, found.verdicts) == ("late-share", {"expected": 1, "false_alarm": 17, "real": 2})
    assert (found.precision, found.low, found.high) == (
        pytest.approx(0.1),
        pytest.approx(0.0279, abs=1e-4),
        pytest.approx(0.3010, abs=1e-4),
    )


def entry(identifier: str, time: str, review: str, outcome: str = "accepted") -> CommandEntry:
    asked = command("resolve", review, verdict="real", answer="done")
    reason, sentence = ("stale", "it has gone on") if outcome == "refused" else (None, None)
    return CommandEntry(identifier, time, asked, outcome, reason, sentence)  # type: ignore[arg-type]


def silenced(happening: str, time: str, origin: str, start: str, until: str) -> SilenceEntry:
    silence = Silence("s1", (Matcher("origin", origin),), "ann", "works", start, until)
    return SilenceEntry(f"{happening}-{time}-{origin}", time, happening, silence)  # type: ignore[arg-type]


def activation(time: str) -> ActivationEntry:
    return ActivationEntry(time, time, "ann", 3, "b" * 4, "a" * 4, changed=("rule late-share",))


def test_a_story_holds_what_concerns_the_review_in_order_of_time():
    entries = [
        entry("c2", "2026-03-02T12:01:00Z", EWR, "refused"),
        entry("c3", "2026-03-02T12:01:00Z", JFK),
        silenced("begun", "2026-03-02T09:00:00Z", "EWR", "2026-03-02T09:00:00Z", "2026-03-02T11:00:00Z"),
        silenced("begun", "2026-03-02T09:00:00Z", "JFK", "2026-03-02T09:00:00Z", "2026-03-02T11:00:00Z"),
        silenced("begun", "2026-03-01T09:00:00Z", "EWR", "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z"),
        activation("2026-03-02T10:15:00Z"),
        activation("2026-03-02T09:15:00Z"),
    ]
    story = story_of(life_of(STORY, EWR), entries, EWR)
    assert [(line.kind, line.what) for line in story] == [
        ("silence", "silence begun"),
        ("trigger", "opened"),
        ("activation", "rules"),
        ("trigger", "acknowledged"),
        ("command", "resolve"),
        ("trigger", "overdue"),
    ]
    assert story[4].sentence == "real, done: refused (stale): it has gone on"
    assert story[2].sentence == "Rule set bbbb (number 3): changed rule late-share."
    assert story[0].sentence == "Silence s1 of origin=EWR until 2026-03-02T11:00:00Z: works"


def test_the_story_of_a_review_that_ended_ends_with_it():
    story = story_of(life_of(STORY, OLD), [activation("2026-03-01T12:00:00Z"), activation("2026-03-01T16:00:00Z")], OLD)
    assert [line.what for line in story] == ["opened", "rules", "resolved"]


def test_a_review_of_which_only_commands_are_left_has_a_story_of_these():
    entries = [entry("c1", "2026-03-02T12:01:00Z", EWR), activation("2026-03-02T12:00:00Z")]
    assert [line.kind for line in story_of([], entries, EWR)] == ["command"]
