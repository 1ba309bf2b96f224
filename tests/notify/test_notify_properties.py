"""Whatever comes in whatever order, against counts and checks that are slow and obvious."""

from __future__ import annotations

from collections import Counter, defaultdict

from gate_stage import RULES, Step, at, lines, new_gate, silence, step, trigger
from hypothesis import given
from hypothesis import strategies as st

from engine.model.audit import Silence
from engine.model.trigger import ReviewTrigger
from engine.notify.gate import Gate
from engine.notify.happenings import COUNTED, LOUD, happening_of
from engine.notify.matchers import matches
from engine.notify.notification import labels_of
from engine.wire.times import parse_time

REVIEWS = ("down1", "late1", "late2", "late3", "other1", "other2", "ping1", "pong1")
MIDDLES = ("updated", "renotified", "overdue", "escalated", "commented", "assigned", "alert_ended", "alert_resumed")
WHERE = ("origin=EWR", "rule=~(late|ping)", "severity!=critical", "owner=ops")

Drawn = list[tuple[str, int, int]]
KINDS = ("trigger", "trigger", "trigger", "trigger", "trigger", "silence", "end", "tick")
drawn = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 60), st.integers(0, 60)), max_size=80)


def steps_of(plan: Drawn) -> list[Step]:
    """A history by a plan: reviews live as they do, a minute goes by at each step, ticks come now and then."""
    steps: list[Step] = ["10:00"]
    life: dict[str, tuple[int, bool]] = {}
    for minute, (what, one, two) in enumerate(plan, 1):
        clock = f"{10 + minute // 60}:{minute % 60:02d}"
        if what == "trigger":
            steps.append(_trigger(life, REVIEWS[one % len(REVIEWS)], two, clock))
        elif what == "tick":
            steps.append(clock)
        else:
            by = "bob" if what == "end" else None
            until = f"{11 + one % 3}:00"
            steps.append(silence(f"s{one % 3}", WHERE[two % len(WHERE)], "10:00", until, ended_by=by))
    return steps


def _trigger(life: dict[str, tuple[int, bool]], review: str, choice: int, clock: str) -> ReviewTrigger:
    ordinal, is_open = life.get(review, (0, False))
    happening = (
        ("reopened" if ordinal else "opened") if not is_open else (*MIDDLES, "resolved", "resolved")[choice % 10]
    )
    life[review] = (ordinal + 1, happening != "resolved")
    given = {
        "origin": "JFK" if review == "late3" else "EWR",
        "owner": "ops" if review.endswith("1") else "sales",
        "severity": "critical" if review == "other2" else "warning",
        "historical": happening == "opened" and choice % 7 == 0,
    }
    return trigger(review, ordinal + 1, happening, clock, **given)


END = ["20:00", "20:01", "20:02", "+1 00:00"]


@given(drawn, st.integers(0, 80))
def test_a_gate_that_was_dumped_and_loaded_at_any_point_goes_on_as_if_it_had_not_been(plan: Drawn, cut: int):
    steps = [*steps_of(plan), *END]
    whole, gate = new_gate(), new_gate()
    for number, each in enumerate(steps):
        if number == cut:
            gate = Gate.load(gate.dump(), lambda name: RULES if name == "rules" else None)
        assert step(gate, each) == step(whole, each)
    assert gate.dump() == whole.dump()


@given(drawn)
def test_every_trigger_is_told_or_held_back_and_repeats_lead_to_nothing(plan: Drawn):
    steps = [*steps_of(plan), *END]
    gate, told, held = new_gate(), Counter[str](), set[str]()
    for each in steps:
        outcome = step(gate, each)
        told.update(one.id for one in outcome.notifications if one.kind == "trigger")
        held.update(one.trigger for one in outcome.held)
    triggers = [each for each in steps if isinstance(each, ReviewTrigger)]
    assert told + Counter(held) == Counter(each.id for each in triggers)
    assert [line for each in triggers for line in lines(step(gate, each))] == []


@given(drawn)
def test_a_silence_in_force_lets_nothing_pass_but_ends(plan: Drawn):
    gate, told_of, now = new_gate(), dict[str, Silence](), parse_time(at("10:00"))
    for each in steps_of(plan):
        outcome = step(gate, each)
        if isinstance(each, str):
            now = parse_time(at(each))
        elif isinstance(each, Silence):
            told_of[each.id] = each
        moment = max(now, parse_time(each.time)) if isinstance(each, ReviewTrigger) else now
        for notification in outcome.notifications:
            if notification.trigger is None or happening_of(notification.trigger) in {"resolved", "alert_ended"}:
                continue
            assert not [one for one in told_of.values() if _holds(one, notification.trigger, moment)]


def _holds(silence: Silence, trigger: ReviewTrigger, moment: int) -> bool:
    if silence.ended_by is not None or not parse_time(silence.start) <= moment < parse_time(silence.until):
        return False
    return matches(silence.matchers, labels_of(trigger))


@given(drawn)
def test_nothing_calls_while_an_inhibitor_is_open(plan: Drawn):
    gate, down = new_gate(), None
    for each in [*steps_of(plan), *END]:
        if isinstance(each, ReviewTrigger) and each.data.rule == "down":
            down = each
        outcome = step(gate, each)
        if down is None or down.data.state == "resolved" or down.data.alert != "on":
            continue
        told = [one.trigger for one in outcome.notifications if one.trigger is not None]
        quiet = [one for one in told if one.data.rule == "late" and one.data.dimensions == {"origin": "EWR"}]
        assert not [one for one in quiet if happening_of(one) in LOUD]


@given(drawn)
def test_in_the_end_every_open_review_is_told_of_or_there_is_a_reason(plan: Drawn):
    gate, newest = new_gate(), dict[str, ReviewTrigger]()
    for each in [*steps_of(plan), *END]:
        if isinstance(each, ReviewTrigger):
            newest[each.data.review] = each
        step(gate, each)
    is_open = {review for review, one in newest.items() if one.data.state != "resolved"}
    assert is_open == gate.told | {held.review for held in gate.holding}
    assert {held.why for held in gate.holding} <= {"inhibited", "historical", "bundled"}


@given(drawn)
def test_warnings_of_a_week_stay_within_the_budget_and_what_is_critical_passes(plan: Drawn):
    gate, spent = new_gate(), defaultdict[str, int](int)
    for each in [*steps_of(plan), *END]:
        for notification in step(gate, each).notifications:
            counts = notification.kind == "released" or (
                notification.trigger is not None and happening_of(notification.trigger) in COUNTED
            )
            if counts and notification.labels["severity"] != "critical":
                spent[notification.owner] += 1
    assert spent["ops"] <= 3


@given(drawn)
def test_the_end_of_what_was_told_is_told_and_the_told_set_is_what_is_open_of_it(plan: Drawn):
    gate, told = new_gate(), set[str]()
    for each in [*steps_of(plan), *END]:
        outcome = step(gate, each)
        for one in outcome.notifications:
            if one.trigger is not None:
                told.add(one.trigger.data.review)
        if isinstance(each, ReviewTrigger) and each.data.state == "resolved" and each.data.review in told:
            assert each.id in {one.id for one in outcome.notifications}
            told.discard(each.data.review)
        assert gate.told <= told
