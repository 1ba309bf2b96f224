"""What begins in maintenance is told only if it is still on afterwards, and never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from review_life import Life, one_rule
from stage2_world import tick_time

from engine.model.time import DAY, HOUR
from engine.rules.resolved.maintenance import Dates, Maintenance
from engine.rules.resolved.timing import Due, Window

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

# The world begins on Monday 2024-01-01. Every day from 00:00 to 06:00 something is planned; windows are of an hour.
NIGHTS = Maintenance("Backup", "UTC", (Dates(tuple(range(7))),), 0, 6 * HOUR)
SETTLE = 2  # in hours: one more window, and as long for it to close


def nightly(close: str = "on_recovery", **fields: Any) -> RuleSet:
    rules = one_rule(close, **fields)
    changed = {"maintenance": (NIGHTS,), "window": Window(HOUR, HOUR), "idle": HOUR}
    return msgspec.structs.replace(rules, rules=tuple(msgspec.structs.replace(rule, **changed) for rule in rules.rules))


def hours(at: int, hour: int = 0) -> int:
    return 24 * at + hour


def test_what_ends_before_the_maintenance_does_is_never_told():
    life = Life(nightly()).fires(3, 2).ticks(hours(3, 3)).clears(3, 3, 4, began=tick_time(hours(3, 2)))
    assert life.ticks(hours(4)).say() == []


def test_what_is_still_on_is_told_once_with_the_reason_when_a_window_afterwards_has_closed():
    life = Life(nightly()).fires(3, 2)
    assert life.ticks(hours(3, 6 + SETTLE) - 1).say() == []
    [(name, trigger)] = life.ticks(hours(3, 6 + SETTLE)).heard()
    assert (name, trigger.time, trigger.data.event_time) == ("opened", tick_time(hours(3, 8)), tick_time(hours(3, 2)))
    assert (trigger.data.ordinal, trigger.data.cause) == (1, "still on after: Backup")
    assert (trigger.data.opened, trigger.data.due) == (tick_time(hours(3, 8)), tick_time(hours(4, 8)))
    assert life.ticks(hours(3, 9)).say() == []
    assert life.clears(3, 3, 10, began=tick_time(hours(3, 2))).say() == ["resolved"]


def test_what_begins_outside_is_told_at_once_and_goes_on_as_ever():
    life = Life(nightly("on_answer")).fires(3, 0)
    assert life.say() == ["opened"], "the window of 23:00 to 24:00 was over before the maintenance began"
    assert life.ticks(hours(4, 1)).say() == ["overdue"]
    assert life.finds("worsened", 4, 2, 3, by_id=None).say() == ["renotified"]
    assert life.clears(4, 3, 3).say() == ["alert_ended"]
    assert life.fires(4, 4).say() == ["alert_resumed"], "somebody owes an answer already"


def test_it_is_held_back_again_and_again_and_told_when_it_fires_in_the_day():
    life = Life(nightly(reopen_within=2 * DAY)).fires(3, 2).clears(3, 3, 3, began=tick_time(hours(3, 2)))
    life.fires(3, 4).clears(3, 3, 5, began=tick_time(hours(3, 4))).ticks(hours(3, 10))
    assert life.say() == []
    assert life.fires(3, 12).say() == ["opened"]
    assert life.clears(3, 3, 13, began=tick_time(hours(3, 12))).say() == ["resolved"]
    assert life.fires(4, 2).ticks(hours(4, 7)).say() == [], "a review that has ended is not opened again by it"
    assert life.ticks(hours(4, 8)).say() == ["opened"]


def test_an_end_that_never_was_is_taken_back_before_or_after_the_maintenance():
    for hour, told in ((5, []), (12, ["opened"])):
        life = Life(nightly()).fires(3, 2).clears(3, 3, 4, began=tick_time(hours(3, 2))).ticks(hours(3, hour))
        assert life.say() == []
        taken_back = {"status": "withdrawn", "by_id": f"resolved-{tick_time(hours(3, 4))}-new"}
        taken_back["tick"] = tick_time(hours(3, hour))
        assert life.clears(3, 3, 4, began=tick_time(hours(3, 2)), **taken_back).say() == told
        assert life.ticks(hours(3, 20)).say() == ([] if told else ["opened"])


def test_what_never_was_is_never_told():
    life = Life(nightly()).fires(3, 2)
    life.finds("firing", 3, 2, None, status="withdrawn", by_id=f"firing-{tick_time(hours(3, 2))}-new")
    assert life.ticks(hours(5)).say() == []


def test_nobody_can_answer_what_nobody_was_told_of_and_nothing_is_due():
    life = Life(nightly(due_in=Due(HOUR))).fires(3, 1)
    life.ticks(hours(3, 5))
    assert life.say() == []
    review = next(iter(life.world.stage.book.every()))
    life.review = review.id
    assert life.does("acknowledge").say() == ["unknown_review"]
    assert life.world.stage.open_reviews.get("high", 0) == 0
    assert life.ticks(hours(3, 8)).say() == ["opened"]
    assert life.world.stage.open_reviews["high"] == 1
    assert life.ticks(hours(3, 9)).say() == ["overdue"]
