"""What time does to a review: due, escalated, snoozed, flapping, calm, reopened. Each with the exact triggers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from review_life import Life, one_rule
from stage2_world import day, tick_time

from engine.model.records import Tick
from engine.model.time import DAY, HOUR
from engine.rules.resolved.rule import Step
from engine.rules.resolved.timing import Due


def hours(at: int, hour: int = 0) -> int:
    return 24 * at + hour


def test_an_unanswered_review_becomes_overdue_once_and_climbs_to_sponsor_and_board_once_each():
    life = Life(one_rule()).fires(3)
    for hour in range(72, 72 + 24 * 6):
        life.ticks(hour)
    heard = [(name, trigger.time, trigger.data.notify, trigger.data.step) for name, trigger in life.heard()]
    assert heard == [
        ("opened", day(3), ("traffic-owner",), 0),
        ("overdue", day(4), ("traffic-owner",), 0),
        ("escalated", day(5), ("chief",), 1),
        ("escalated", day(6), ("board",), 2),
    ]
    assert life.newest().data.explanation == (
        f"Escalated to board (step 2): still no answer at {day(6)}. Traffic of {{c a}} was 12 on 2024-01-03, above 10."
    )


def test_an_outage_of_ours_does_not_make_every_step_at_once():
    life = Life(one_rule()).fires(3).ticks(hours(9))
    assert life.say() == ["opened", "overdue"]
    assert life.ticks(hours(9, 23)).say() == []
    assert life.ticks(hours(10)).say() == ["escalated"]


def test_an_answer_in_time_keeps_it_from_ever_being_overdue():
    life = Life(one_rule()).fires(3)
    life.say()
    life.does("resolve", verdict="real", answer="A campaign.").ticks(hours(9))
    assert life.say() == ["answered", "counted for precision:high"]
    assert life.clears(10, 3).say() == ["resolved"]


def test_an_acknowledgement_does_not_stop_the_clock():
    life = Life(one_rule()).fires(3)
    life.say()
    assert life.does("acknowledge").ticks(hours(4)).say() == ["acknowledged", "overdue"]


def test_a_snooze_is_quiet_until_its_end_and_moves_what_was_due_in_it():
    life = Life(one_rule()).fires(3)
    life.say()
    life.does("snooze", until=day(6)).ticks(hours(5))
    assert life.say() == ["snoozed"]
    assert (life.newest().data.due, life.newest().data.snoozed_until) == (day(6), day(6))
    assert life.ticks(hours(6)).say() == ["woken", "overdue"]
    assert life.newest().data.explanation.startswith(f"Overdue: an answer was due at {day(6)}. Traffic of")


@pytest.mark.parametrize(
    ("before", "state"), [((), "open"), (("acknowledge",), "acknowledged"), (("assign",), "in_review")]
)
def test_a_review_wakes_to_what_its_people_had_made_of_it(before: tuple[str, ...], state: str):
    life = Life(one_rule(due_in=Due(30 * DAY))).fires(3)
    life.say()
    for action in before:
        life.does(action, to="bob" if action == "assign" else None)
    life.does("snooze", until=day(5)).ticks(hours(5)).say()
    assert life.newest().type == "counterpoint.review.woken.v1"
    assert life.newest().data.state == state


def test_a_snooze_takes_an_escalation_back_to_its_beginning():
    life = Life(one_rule()).fires(3).ticks(hours(4)).ticks(hours(5))
    assert life.say() == ["opened", "overdue", "escalated"]
    life.does("snooze", until=day(7)).ticks(hours(7)).ticks(hours(8))
    assert life.say() == ["snoozed", "woken", "overdue", "escalated"]
    assert life.newest().data.notify == ("chief",)


def test_while_it_is_snoozed_a_worse_value_wakes_nobody():
    life = Life(one_rule(renotify=Step(0.1, relative=True))).fires(3)
    life.say()
    life.does("snooze", until=day(9)).finds("worsened", 4, 0, 3)
    assert life.say() == ["snoozed"]


def test_an_alert_that_ends_while_it_is_snoozed_ends_a_review_that_asks_nothing():
    life = Life(one_rule("on_recovery")).fires(3)
    life.say()
    assert life.does("snooze", until=day(9)).clears(4, 3).ticks(hours(20)).say() == ["snoozed", "resolved"]


def test_fired_again_within_a_while_is_the_same_review_and_later_is_a_new_one():
    life = Life(one_rule("on_recovery", reopen_within=6 * HOUR)).fires(3).clears(4, 3)
    assert life.say() == ["opened", "resolved"]
    first = life.review
    assert life.fires(4, 6).say() == ["reopened"]
    assert (life.newest().data.review, life.newest().data.due) == (first, tick_time(hours(5, 6)))
    life.clears(5, 4, began=tick_time(hours(4, 6)))
    assert life.fires(5, 7).say() == ["resolved", "opened"]
    assert life.newest().data.review != first


def test_reopened_it_is_nobodys_yet_and_its_answer_is_forgotten():
    life = Life(one_rule("on_recovery", reopen_within=6 * HOUR)).fires(3)
    life.say()
    life.does("assign", to="bob").does("resolve", verdict="false_alarm").clears(4, 3).fires(4, 1).say()
    data = life.newest().data
    assert (data.state, data.assignee, data.verdict, data.acknowledged_by) == ("open", None, None, None)


def flap(life: Life, times: int) -> None:
    """Off and on again within the hour, so many times, from the fourth day on."""
    for number in range(times):
        began = day(3) if number == 0 else tick_time(hours(4, 2 * number - 1))
        life.clears(4, 3, 2 * number, began=began).fires(4, 2 * number + 1)


def test_flapping_is_told_once_and_only_calm_ends_it():
    life = Life(one_rule("on_recovery", reopen_within=2 * HOUR, flap_after=3)).fires(3)
    flap(life, 6)
    assert life.say() == ["opened", "resolved", "reopened", "resolved", "reopened", "resolved", "flapping"]
    life.clears(4, 3, 12, began=tick_time(hours(4, 11))).ticks(hours(4, 13))
    assert life.say() == []
    assert life.ticks(hours(4, 14)).say() == ["resolved"]
    assert life.newest().data.cause == "calm again"
    assert life.fires(8).say() == ["opened"]


def test_a_flapping_review_that_wants_an_answer_waits_for_it_when_calm():
    life = Life(one_rule(reopen_within=2 * HOUR, flap_after=2, due_in=Due(30 * DAY))).fires(3)
    flap(life, 4)
    assert life.say() == ["opened", "alert_ended", "alert_resumed", "alert_ended", "flapping"]
    life.clears(4, 3, 8, began=tick_time(hours(4, 7))).ticks(hours(4, 10))
    assert life.say() == ["alert_ended"]
    assert life.does("resolve", verdict="data_error").say() == ["resolved", "counted for precision:high"]


def test_only_past_its_step_it_is_told_again():
    life = Life(one_rule(renotify=Step(0.1, relative=True))).fires(3)
    life.finds("worsened", 4, 0, 3)
    life.finds("worsened", 5, 0, 3, status="withdrawn")
    assert life.say() == ["opened", "renotified", "updated"]


def test_a_rule_in_shadow_mode_is_never_due_and_ends_with_its_alert():
    rules = one_rule()
    shadow = tuple(msgspec.structs.replace(rule, mode="shadow") for rule in rules.rules)
    life = Life(msgspec.structs.replace(rules, rules=shadow)).fires(3).ticks(hours(9)).clears(9, 3)
    assert life.say() == ["opened", "resolved"]
    assert life.does("acknowledge").say() == ["unknown_review"]


def test_after_eight_hours_of_outage_what_is_over_pages_nobody_and_what_goes_on_is_due():
    life = Life(one_rule(), domain="live", notify_within=HOUR)
    life.world.write(Tick("live", hours(3, 8), tick_time(hours(3, 8))))
    life.fires(3, 1).clears(3, 3, 3, began=tick_time(hours(3, 1)))
    life.fires(3, 4, c="b")
    life.ticks(hours(3, 8)).ticks(hours(4, 8))
    heard = [(name, trigger.subject[-3], trigger.data.historical) for name, trigger in life.heard()]
    assert heard == [("opened", "a", True), ("resolved", "a", True), ("opened", "b", True), ("overdue", "b", True)]


@pytest.mark.parametrize(("of_rule", "of_settings", "historical"), [
    (None, HOUR, [True, False]), (3 * HOUR, HOUR, [False, False]), (HOUR, 3 * HOUR, [True, False]),
    (HOUR, None, [True, False]), (None, None, [False, False]),
])  # fmt: skip
def test_a_rule_says_for_itself_how_old_what_is_found_may_be(of_rule: Any, of_settings: Any, historical: list[bool]):
    rules = one_rule()
    own = tuple(msgspec.structs.replace(rule, notify_within=of_rule) for rule in rules.rules)
    life = Life(msgspec.structs.replace(rules, rules=own), domain="live", notify_within=of_settings)
    life.world.write(Tick("live", hours(3, 4), tick_time(hours(3, 4))))
    life.fires(3, 2).fires(3, 3, c="b")
    assert [trigger.data.historical for _, trigger in life.heard()] == historical


def test_a_rule_says_nothing_of_that_where_history_is_replayed():
    rules = one_rule()
    own = tuple(msgspec.structs.replace(rule, notify_within=HOUR) for rule in rules.rules)
    life = Life(msgspec.structs.replace(rules, rules=own), domain="replay").fires(3, 2)
    life.ticks(hours(3, 9))
    assert [trigger.data.historical for _, trigger in life.heard()] == [False]


def returned(**fields: Any) -> Life:
    """Fired at 0 and at 2 o'clock of the fourth day, over at 1; it is on."""
    life = Life(one_rule("on_recovery", reopen_within=6 * HOUR, **fields)).fires(3).clears(3, 3, 1).fires(3, 2)
    assert life.say() == ["opened", "resolved", "reopened"]
    return life


def taken_back(life: Life, transition: str, hour: int, opened: int) -> None:
    """Late data takes a finding back."""
    began = tick_time(hours(3, opened))
    replaced = f"{transition}-{tick_time(hours(3, hour))}-new"
    life.finds(transition, 3, hour, 3, began=began, status="withdrawn", revision=1, by_id=replaced)


def test_a_return_that_was_taken_back_leaves_the_review_as_its_earlier_alert_had_it():
    life = returned()
    taken_back(life, "firing", 2, 2)
    assert life.say() == ["resolved"]
    assert (life.newest().data.alert, life.newest().data.cause) == ("over", "late measurement")


def test_an_earlier_alert_that_was_taken_back_does_not_end_the_present_one():
    life = returned()
    taken_back(life, "firing", 0, 0)
    taken_back(life, "resolved", 1, 0)
    assert life.say() == ["updated"]
    assert (life.newest().data.alert, life.newest().data.state) == ("on", "open")
    taken_back(life, "firing", 2, 2)
    assert life.say() == ["withdrawn"]


def test_two_alerts_of_one_review_that_turn_out_to_be_one_go_on():
    life = returned()
    taken_back(life, "resolved", 1, 0)
    taken_back(life, "firing", 2, 2)
    assert life.say() == ["updated", "updated"]
    assert life.newest().data.alert == "on"
    assert life.clears(3, 3, 4).say() == ["resolved"]


def test_what_was_taken_back_does_not_count_as_a_return():
    life = returned(flap_after=2)
    taken_back(life, "firing", 2, 2)
    assert life.fires(3, 3).say() == ["resolved", "reopened"]
    life.clears(3, 3, 4, began=tick_time(hours(3, 3))).fires(3, 5)
    assert life.say() == ["resolved", "flapping"]
