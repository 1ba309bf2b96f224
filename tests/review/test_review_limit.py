"""`limit`: a storm of series is one review that says how many, and an alert is in one review from beginning to end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from limited import SCOPE, end, f, fire, limited, names, told
from stage2_world import World, day, rule_set, short, spec, tick_time

from engine.model.identity import digest_of
from engine.model.records import Activate, ReviewCommand
from engine.model.trigger import GroupEvidence
from engine.notify.gate import Gate
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given as told_of
from engine.rules.resolved.rule import Step
from engine.runtime.stage2 import Stage2


def at(world: World, tick: int) -> list[tuple[str, str, int | None]]:
    world.tick(tick)
    return told(world.run())


def storming(*, limit: int = 4, size: int = 6, **fields: Any) -> World:
    """A storm of `size` series that began on day 3."""
    world = World(limited(limit, **fields))
    fire(world, 3, *names(size))
    assert at(world, 73) == [("opened", "storm", size)]
    return world


def test_a_storm_of_5000_series_is_one_review_and_one_notification_that_says_5000():
    world = World(limited(100))
    fire(world, 3, *names(5_000))
    assert world.run() == []
    world.tick(73)
    [trigger] = world.run()
    evidence = trigger.data.evidence
    assert isinstance(evidence, GroupEvidence)
    assert (evidence.count, len(evidence.listed), evidence.listed[0].series) == (5_000, 100, 'traffic{"c":"s0000"}')
    assert (trigger.subject, trigger.data.command_key, trigger.data.first_event_time) == (SCOPE, SCOPE, day(3))
    said = f"a storm of 5,000 series as of {day(3)}; it began at {day(3)} with more than 100 at once."
    assert trigger.data.explanation == f"Title of high: {said}"
    everyone = [(f'traffic{{"c":"{name}"}}', f(world.rules, "firing", 3, c=name).id) for name in names(5_000)]
    assert evidence.storm
    assert evidence.storm.members == digest_of(everyone)
    gate = Gate(world.sets.get)
    gate.tick(0)
    assert len(gate.take(trigger).notifications) == 1
    end(world, 4, 3, *names(5_000))
    assert at(world, 97) == [("resolved", "storm", 0)]


def test_as_many_as_the_limit_have_reviews_of_their_own():
    world = World(limited(4))
    fire(world, 3, *names(4))
    assert at(world, 73) == [("opened", name, None) for name in names(4)]
    end(world, 4, 3, *names(4))
    assert at(world, 97) == [("resolved", name, None) for name in names(4)]


def test_who_fired_before_the_storm_keeps_his_review_and_is_counted_beside_it():
    world = World(limited(4))
    fire(world, 3, "a", "b", "c")
    at(world, 73)
    fire(world, 4, "d", "e")
    world.tick(97)
    [trigger] = world.run()
    evidence = trigger.data.evidence
    assert isinstance(evidence, GroupEvidence)
    assert evidence.storm
    assert (evidence.count, evidence.storm.apart, evidence.storm.limit) == (2, 3, 4)
    assert "a storm of 2 series beside 3 with reviews of their own" in trigger.data.explanation
    end(world, 5, 3, "a", "b", "c")
    end(world, 5, 4, "d", "e")
    assert at(world, 121) == [*(("resolved", name, None) for name in "abc"), ("resolved", "storm", 0)]


def test_newcomers_are_counted_in_and_nobody_is_told_again():
    world = storming()
    fire(world, 4, "x", "y")
    assert at(world, 97) == [("updated", "storm", 8)]
    end(world, 5, 4, "x")
    world.tick(121)
    [updated] = world.run()
    assert (short(updated), updated.data.cause) == ("updated", "0 joined, 1 left")


def test_a_storm_is_over_when_half_of_the_limit_fires_and_not_before():
    world = storming()
    end(world, 4, 3, *names(3))
    fire(world, 4, "x")
    assert at(world, 97) == [("updated", "storm", 4)]
    end(world, 5, 3, "s0003")
    assert at(world, 121) == [("updated", "storm", 3)]
    end(world, 6, 3, "s0004")
    world.tick(145)
    [calm] = world.run()
    said = f"Title of high: the storm of {day(3)} is over, 2 of its series fire on as of {day(6)}."
    assert (calm.data.explanation, calm.data.alert) == (said, "on")
    fire(world, 7, "y")
    assert at(world, 169) == [("opened", "y", None)]
    end(world, 8, 3, "s0005")
    end(world, 8, 4, "x")
    assert at(world, 193) == [("resolved", "storm", 0)]


def test_a_storm_that_is_back_while_some_of_it_fires_on_is_told_again():
    world = storming()
    end(world, 4, 3, *names(5))
    assert at(world, 97) == [("updated", "storm", 1)]
    fire(world, 5, *"vwxyz")
    assert at(world, 121) == [("renotified", "storm", 6)]


def test_another_storm_is_another_review_unless_it_comes_soon():
    for reopen_within, expected in ((0, "opened"), (86_400_000_000, "reopened")):
        world = storming(review=spec(reopen_within=reopen_within))
        end(world, 4, 3, *names(6))
        at(world, 97)
        fire(world, 5, *names(6))
        assert at(world, 121) == [(expected, "storm", 6)]


def test_a_storm_between_two_barriers_is_told_as_it_was_when_it_was_largest():
    world = World(limited(4))
    fire(world, 3, *names(6))
    end(world, 4, 3, *names(4))
    assert at(world, 97) == [("opened", "storm", 6), ("updated", "storm", 2)]
    world = World(limited(4))
    fire(world, 3, *names(6))
    end(world, 4, 3, *names(6))
    assert at(world, 97) == [("opened", "storm", 6), ("resolved", "storm", 0)]


def test_a_storm_that_grows_between_two_barriers_is_told_as_it_was_when_it_was_largest():
    world = World(limited(4))
    fire(world, 3, *names(6))
    end(world, 4, 3, "s0000")
    fire(world, 5, *names(4, 10))
    assert at(world, 121) == [("opened", "storm", 9)]


def test_series_that_fire_one_after_the_other_between_two_barriers_are_one_storm_and_who_was_over_by_then_is_not():
    world = World(limited(4))
    fire(world, 1, "z")
    end(world, 2, 1, "z")
    for number, name in enumerate(names(6)):
        fire(world, 3 + number, name)
    assert at(world, 241) == [("opened", "z", None), ("resolved", "z", None), ("opened", "storm", 6)]


def test_series_that_fire_one_after_the_other_and_never_at_once_are_no_storm():
    world = World(limited(2))
    for number, name in enumerate(names(6)):
        fire(world, 3 + number, name)
        end(world, 4 + number, 3 + number, name)
    assert len([each for each in at(world, 300) if each[0] == "opened"]) == 6


def test_while_the_storm_lasts_newcomers_are_another_review_of_it_when_the_first_has_ended():
    world = World(limited(4))
    fire(world, 2, "a", "b", "c")
    at(world, 49)
    fire(world, 3, "d", "e")
    assert at(world, 73) == [("opened", "storm", 2)]
    end(world, 4, 3, "d", "e")
    assert at(world, 97) == [("resolved", "storm", 0)]
    fire(world, 5, "f")
    world.tick(121)
    [opened] = world.run()
    assert told([opened]) == [("opened", "storm", 1)]
    assert "a storm of 1 series beside 3 with reviews of their own" in opened.data.explanation
    assert explain(told_of(msgspec.to_builtins(opened))).failures == ()


def test_a_storm_that_others_end_before_it_is_told_opens_as_what_it_was():
    world = World(limited(4))
    fire(world, 2, "a", "b", "c")
    at(world, 49)
    fire(world, 3, "d", "e")
    end(world, 4, 2, "a", "b", "c")
    world.tick(97)
    *ended, opened, calm = world.run()
    assert [short(each) for each in ended] == ["resolved"] * 3
    assert told([opened, calm]) == [("opened", "storm", 2), ("updated", "storm", 2)]
    assert "a storm of 2 series beside 3" in opened.data.explanation
    assert "is over, 2 of its series fire on" in calm.data.explanation
    assert [explain(told_of(msgspec.to_builtins(each))).failures for each in (opened, calm)] == [(), ()]


def test_what_begins_at_the_time_at_which_the_storm_is_over_is_not_of_it():
    world = World(limited(4))
    fire(world, 2, *names(4))
    at(world, 49)
    fire(world, 3, "d")
    at(world, 73)
    end(world, 4, 2, *names(4))
    end(world, 4, 3, "d")
    fire(world, 4, "x")
    found = at(world, 97)
    assert [each for each in found if each[1] in ("x", "storm")] == [("opened", "x", None), ("resolved", "storm", 0)]


def test_restated_data_takes_members_away_and_all_of_them_the_storm():
    world = storming()
    for name in names(2):
        known = f(world.rules, "firing", 3, c=name)
        world.write(f(world.rules, "firing", 3, c=name, status="withdrawn", revision=1, replaces=known), 0)
    world.tick(97)
    [updated] = world.run()
    assert (short(updated), updated.data.evidence.count, updated.data.cause) == ("updated", 4, "late measurement")
    for name in names(4, 2):
        known = f(world.rules, "firing", 3, c=name)
        world.write(f(world.rules, "firing", 3, c=name, status="withdrawn", revision=1, replaces=known), 0)
    assert at(world, 121) == [("withdrawn", "storm", 0)]


def test_a_recovery_that_is_taken_back_brings_the_alert_back_to_the_storm():
    world = storming()
    ended = [f(world.rules, "resolved", 4, 3, c=name) for name in names(6)]
    for each in ended:
        world.write(each, 0)
    assert at(world, 97) == [("resolved", "storm", 0)]
    [name, *_] = names(6)
    back = f(world.rules, "resolved", 4, 3, c=name, status="withdrawn", revision=1, replaces=ended[0])
    world.write(back, 0)
    assert at(world, 121) == [("reopened", "storm", 1)]


@pytest.mark.parametrize("size", [6, 4])
def test_an_earlier_alert_that_comes_late_takes_no_series_out(size: int):
    """Out of the storm, or of those that count as firing."""
    world = World(limited(4))
    fire(world, 3, *names(size))
    at(world, 73)
    fire(world, 1, "s0000")
    end(world, 2, 1, "s0000")
    at(world, 74)
    storm = world.stage.correlator.joined["high", SCOPE].storm
    seats = storm.members if size > 4 else storm.apart
    assert [alert.event_time for alert in seats.values()] == [day(3)] * size


@pytest.mark.parametrize("size", [6, 4])
def test_an_alert_that_has_ended_and_never_was_does_not_come_back(size: int):
    world = World(limited(4))
    fire(world, 3, *names(size))
    at(world, 73)
    end(world, 4, 3, "s0000")
    at(world, 97)
    fire(world, 3, "s0000", status="withdrawn", revision=1, replaces=f(world.rules, "firing", 3, c="s0000"))
    over = f(world.rules, "resolved", 4, 3, c="s0000")
    end(world, 4, 3, "s0000", status="withdrawn", revision=1, replaces=over)
    at(world, 98)
    assert world.stage.correlator.joined["high", SCOPE].storm.firing == size - 1


def test_an_earlier_alert_that_comes_late_does_not_keep_a_later_one_from_coming_back():
    world = storming()
    end(world, 4, 3, "s0000")
    at(world, 97)
    fire(world, 1, "s0000")
    end(world, 2, 1, "s0000")
    at(world, 98)
    over = f(world.rules, "resolved", 4, 3, c="s0000")
    end(world, 4, 3, "s0000", status="withdrawn", revision=1, replaces=over)
    assert at(world, 99) == [("updated", "storm", 6)]


def test_an_alert_comes_back_to_its_storm_after_another_storm_that_never_was():
    world = storming()
    end(world, 4, 3, *names(6))
    assert at(world, 97) == [("resolved", "storm", 0)]
    fire(world, 5, *names(6, 10))
    assert at(world, 121) == [("opened", "storm", 6)]
    for name in names(6, 10):
        never = f(world.rules, "firing", 5, c=name)
        fire(world, 5, name, status="withdrawn", revision=1, replaces=never)
    assert at(world, 122) == [("withdrawn", "storm", 0)]
    over = f(world.rules, "resolved", 4, 3, c="s0000")
    end(world, 4, 3, "s0000", status="withdrawn", revision=1, replaces=over)
    assert at(world, 123) == [("reopened", "storm", 1)]


def test_an_alert_that_was_taken_back_and_begins_anew_in_a_storm_leaves_its_own_review():
    world = World(limited(2))
    fire(world, 3, "s0000")
    assert at(world, 73) == [("opened", "s0000", None)]
    known = f(world.rules, "firing", 3, c="s0000")
    fire(world, 3, "s0000", status="withdrawn", revision=1, replaces=known)
    fire(world, 3, "s0000", revision=2)
    fire(world, 3, *names(2, 1))
    assert at(world, 74) == [("withdrawn", "s0000", None), ("opened", "storm", 3)]


def test_what_is_amended_of_an_ended_alert_of_the_storm_opens_no_review_beside_it():
    world = storming()
    for began in (3, 5, 7):
        if began > 3:
            fire(world, began, "s0000")
        end(world, began + 1, began, "s0000")
        at(world, 24 * (began + 1) + 1)
    fire(world, 3, "s0000", status="amended", revision=1, replaces=f(world.rules, "firing", 3, c="s0000"))
    assert at(world, 200) == []
    assert world.stage.correlator.joined["high", SCOPE].storm.firing == 5


def test_of_an_own_review_a_recovery_that_is_taken_back_is_told_there():
    world = World(limited(4))
    fire(world, 3, "a")
    end(world, 4, 3, "a")
    at(world, 97)
    known = f(world.rules, "resolved", 4, 3, c="a")
    world.write(f(world.rules, "resolved", 4, 3, c="a", status="withdrawn", revision=1, replaces=known), 0)
    assert at(world, 98) == [("reopened", "a", None)]


def test_what_gets_worse_is_told_of_reviews_of_single_series_and_not_of_a_storm():
    world = World(limited(1, review=spec(renotify=Step(1.0, relative=False))))
    fire(world, 3, "a")
    at(world, 73)
    fire(world, 4, "b", "c", "d")
    assert at(world, 97) == [("opened", "storm", 3)]
    for name, opened in (("a", 3), ("b", 4)):
        world.write(msgspec.structs.replace(f(world.rules, "worsened", 5, opened, c=name), id=f"w{name}"), 0)
    assert at(world, 121) == [("renotified", "a", None)]


@pytest.mark.parametrize("mode", ["removed", "off", "changed", "without"])
def test_a_rule_that_is_gone_changed_or_without_a_limit_ends_all_of_its_reviews(mode: str):
    world = World(limited(4))
    fire(world, 2, "a")
    at(world, 49)
    fire(world, 3, *names(6))
    at(world, 73)
    after = {
        "removed": rule_set(),
        "off": limited(4, mode="off"),
        "changed": limited(4, fingerprint="other"),
        "without": limited(msgspec.UNSET, fingerprint="other"),  # type: ignore[arg-type]
    }[mode]
    world.sets[after.hash] = after
    world.write(Activate(0, after.hash, 74), None)
    world.tick(74)
    for opened, name in ((2, "a"), *((3, name) for name in names(6))):
        known = f(world.rules, "firing", opened, c=name)
        back = f(after, "firing", opened, c=name, status="withdrawn", revision=1, replaces=known, cause="rule removed")
        world.write(back, 0)
    assert sorted(at(world, 75)) == [("withdrawn", "a", None), ("withdrawn", "storm", 0)]
    assert world.stage.book.open_count == 0


def test_another_number_keeps_the_storm_and_decides_from_then_on():
    world = storming(limit=4, size=6)
    more = limited(20)
    world.sets[more.hash] = more
    world.write(Activate(0, more.hash, 74), None)
    assert at(world, 74) == []
    fire(world, 4, "x")
    assert at(world, 97) == [("opened", "x", None), ("updated", "storm", 6)]


def test_reviews_of_single_series_live_by_the_barriers_and_take_commands():
    world = World(limited(4, review=spec("on_answer")))
    fire(world, 3, "a")
    world.tick(73)
    [opened] = world.run()
    assert (opened.time, opened.data.opened, opened.data.command_key) == (tick_time(73), tick_time(73), SCOPE)
    world.write(ReviewCommand("c1", opened.data.review, "acknowledge", "ann", day(9)), None)
    assert [short(each) for each in world.run()] == ["acknowledged"]


def test_a_storm_goes_on_after_a_restart_byte_for_byte():
    world, other = storming(), storming()
    again = Stage2(0, other.context)
    again.restore(other.stage.all_pages())
    other.stage = again
    for each in (world, other):
        end(each, 4, 3, *names(5))
        fire(each, 4, "x")
        each.tick(97)
        fire(each, 5, *names(6, 10))
        each.tick(121)
        each.run()
    assert [each.record for each in world.outputs] == [each.record for each in other.outputs]
    assert world.stage.all_pages() == other.stage.all_pages()
