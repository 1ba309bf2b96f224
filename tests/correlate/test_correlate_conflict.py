"""Counterpart conflicts, from join records to the exact list of triggers."""

from __future__ import annotations

from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stage2_world import BY_5, World, conflict, day, rule, rule_set, share, short, spec, triggers_of

from engine.model.records import Activate
from engine.rules.resolved.condition import ConflictSide, Judge

CLASH = rule_set(rule("clash", "traffic", conflict()))


def play(world: World, traffic: Any, tickets: Any, first: int = 0):
    """A value each day, a tick after each; what was told, with the day of the tick that told it."""
    told = []
    for index, (one, other) in enumerate(zip(traffic, tickets, strict=True), first):
        for name, value in (("traffic", one), ("tickets", other)):
            if value is not None:
                world.write(share(name, index, value), 0)
        world.tick(24 * (index + 1))
        told += [(index, *each) for each in world.told()]
    return told


def test_a_conflict_opens_with_the_first_window_and_ends_with_the_first_that_is_none():
    told = play(World(CLASH), [100] * 4 + [120, 130, 100, 100], [10] * 4 + [12, 13, 10, 10])
    assert told == [(4, "opened", day(5), None), (6, "resolved", day(7), None)]


@pytest.mark.parametrize(
    ("traffic", "tickets"),
    [
        ([100] * 4 + [104] * 2, [10] * 4 + [20] * 2),
        ([100] * 4 + [120] * 2, [10] * 4 + [10] * 2),
        ([100] * 4 + [80] * 2, [10] * 4 + [20] * 2),
        ([100, 100, 120], [10, 10, 20]),
    ],
    ids=["traffic is flat", "tickets are flat", "traffic falls", "history is too short"],
)
def test_there_is_none_unless_both_sides_moved(traffic: Any, tickets: Any):
    assert play(World(CLASH), traffic, tickets) == []


def test_the_evidence_shows_both_sides_down_to_each_share():
    world = World(CLASH)
    play(world, [100] * 4, [10] * 4)
    for member, value in (("x", 5.0), ("y", 9.0)):
        world.write(share("tickets", 4, value, member=member), 0)
    world.write(share("traffic", 4, 120.0), 0)
    world.write(share("tickets", 4, 0.0), 0)
    world.tick(120)
    [trigger] = world.run()
    own, tickets = trigger.data.evidence.sides
    assert (own.verdict, own.value, own.usual, own.effect, own.limit) == ("improved", 120.0, 100.0, 0.2, 0.05)
    assert (tickets.verdict, tickets.value, tickets.usual, tickets.limit) == ("worsened", 14.0, 10.0, 0.05)
    assert [(each.parts.sum, each.window.index) for each in tickets.shares] == [(5.0, 4), (9.0, 4), (0.0, 4)]
    assert [each.start for each in tickets.baseline_points] == [day(3), day(2), day(1)]
    assert set(trigger.data.evidence.digests) == {"condition", "sides[0]", "sides[1]"}
    assert trigger.data.participants == ("tickets-owner",)
    assert trigger.data.explanation == (
        "Traffic of {c a} went 20 % above the usual level (120 against 100) while "
        "Tickets went 40 % above the usual level (14 against 10), on 2024-01-05."
    )


def test_a_window_waits_for_its_members_and_is_judged_without_them_after_idle():
    world = World(CLASH)
    for index in range(5):
        for member, value in (("x", 4.0), ("y", 6.0)):
            if (index, member) != (4, "y"):
                world.write(share("tickets", index, value * (3 if index == 4 else 1), member=member), 0)
        world.write(share("traffic", index, 120.0 if index == 4 else 100.0), 0)
        world.tick(24 * (index + 1))
    assert world.run() == []
    world.tick(121)
    assert world.run() == []
    world.tick(122)
    [trigger] = world.run()
    assert trigger.data.evidence.sides[1].missing == ('tickets{"c":"a","m":"y"}',)


def test_a_member_that_comes_late_amends_the_verdict():
    world = World(CLASH)
    play(world, [100] * 4 + [120], [10] * 4 + [14])
    world.write(share("tickets", 4, 16.0, revision=1), 0)
    world.tick(122)
    assert world.told() == [("updated", day(5), "a later measurement changed the verdict")]
    world.write(share("tickets", 4, 10.0, revision=2), 0)
    world.tick(123)
    assert world.told() == [("withdrawn", day(5), "a later measurement changed the verdict")]
    world.write(share("tickets", 4, 14.0, revision=3), 0)
    world.tick(124)
    assert world.told() == [("reopened", day(5), "the alert fires again")]


def test_a_restated_end_takes_the_resolution_back():
    world = World(CLASH)
    told = play(world, [100] * 4 + [120, 130, 130], [10] * 4 + [12, 13, 10])
    assert [each[1] for each in told] == ["opened", "resolved"]
    world.write(share("tickets", 6, 14.0, revision=1), 0)
    world.tick(170)
    assert world.told() == [("reopened", day(7), "a later measurement changed the verdict")]


def test_a_silent_counterpart_is_told_once_and_keeps_the_review_open():
    world = World(CLASH)
    told = play(world, [100] * 4 + [120, 140, 170, 210], [10] * 4 + [14, None, None, None])
    assert told[0][1] == "opened"
    assert told[1:] == [(6, "updated", day(6), "a side of the conflict cannot be judged")]


LAGGED = rule_set(
    rule("clash", "traffic", conflict(ConflictSide("tickets", None, 0, BY_5), ConflictSide("churn", None, 2, BY_5)))
)


def test_a_lagging_counterpart_joins_the_same_review():
    world = World(LAGGED)
    told = []
    for index in range(9):
        world.write(share("traffic", index, 100 * 1.1 ** max(0, index - 4)), 0)
        world.write(share("tickets", index, 10 * 1.1 ** max(0, index - 4)), 0)
        world.write(share("churn", index, 5.0 if index < 7 else 8.0), 0)
        world.tick(24 * (index + 1))
        told += [(index, short(each), each.data.participants) for each in world.run()]
    assert told == [(5, "opened", ("tickets-owner",)), (7, "updated", ("churn-owner", "tickets-owner"))]


def test_growth_explains_more_tickets_where_they_are_counted_per_session():
    per = rule_set(rule("clash", "traffic", conflict(ConflictSide("tickets", "sessions", 0, BY_5))))
    for growth, expected in ((1.4, []), (1.0, ["opened"])):
        world = World(per)
        for index in range(5):
            risen = index == 4
            world.write(share("traffic", index, 140.0 if risen else 100.0), 0)
            world.write(share("tickets", index, 14.0 if risen else 10.0), 0)
            world.write(share("sessions", index, 1000.0 * (growth if risen else 1)), 0)
            world.tick(24 * (index + 1))
        assert [short(each) for each in world.run()] == expected


def test_a_rule_that_holds_goes_on_while_the_level_stays_away_from_where_it_began():
    holding = Judge(0.05, "windows", 3, 0, hold=True)
    traffic, tickets = [100] * 4 + [130] * 8, [10] * 4 + [14] * 8
    held = rule_set(rule("clash", "traffic", conflict(ConflictSide("tickets", None, 0, holding), improves=holding)))
    assert [each[1] for each in play(World(held), traffic, tickets)] == ["opened"]
    assert [each[1] for each in play(World(CLASH), traffic, tickets)] == ["opened", "resolved"]


def test_a_critical_conflict_stays_open_until_it_is_answered():
    world = World(rule_set(rule("clash", "traffic", conflict(), review=spec("on_answer"))))
    told = play(world, [100] * 4 + [120, 100, 100, 100, 120], [10] * 4 + [12, 10, 10, 10, 12])
    assert [each[1:] for each in told] == [
        ("opened", day(5), None),
        ("alert_ended", day(6), "the alert ended; an answer is awaited"),
        ("alert_resumed", day(9), "the alert fires again"),
    ]


def test_a_rule_that_is_removed_or_changed_takes_its_reviews_along():
    for rules, cause in (
        (rule_set(), "rule removed"),
        (rule_set(rule("clash", "traffic", conflict(), fingerprint="other")), "rule changed"),
    ):
        world = World(CLASH)
        world.sets[rules.hash] = rules
        play(world, [100] * 4 + [120], [10] * 4 + [14])
        world.write(Activate(0, rules.hash, 122))
        world.tick(121)
        assert world.told() == []
        world.tick(122)
        assert world.told() == [("withdrawn", day(5), cause)]
        assert world.stage.rule_set_hash == rules.hash
        assert world.stage.counters["joins"] == 0


def test_an_unchanged_rule_keeps_its_state_through_an_activation():
    rules = rule_set(rule("clash", "traffic", conflict(), severity="critical"))
    world = World(CLASH)
    world.sets[rules.hash] = rules
    told = play(world, [100] * 4, [10] * 4)
    world.write(Activate(0, rules.hash, 1))
    told += play(world, [120, 120], [14, 10], first=4)
    assert [each[1] for each in told] == ["opened", "resolved"]


def test_old_windows_are_forgotten_and_their_facts_retracted():
    world = World(CLASH)
    play(world, [100 * 1.1**index for index in range(150)], [10 * 1.1**index for index in range(150)])
    joined = next(iter(world.stage.correlator.joined.values()))
    assert len(joined.track.steps) < 10
    assert all(len(ring.windows) < 25 for ring in joined.track.rings.values())
    assert len(world.stage.correlator.facts) <= 2 * len(joined.track.steps)


def test_shadow_rules_are_counted_and_write_nothing():
    world = World(rule_set(rule("clash", "traffic", conflict(), mode="shadow")))
    assert play(world, [100] * 4 + [120, 100], [10] * 4 + [14, 10]) == []
    assert world.stage.counters["reviews", "clash", "shadow"] == 2
    assert [short(each) for each in triggers_of(world.outputs, "shadow-triggers")] == ["opened", "resolved"]


def oracle(traffic: Any, tickets: Any, *, over: int, count: int, by: float, hold: bool, lag: int):
    """Windows in conflict, from the full lists: the definition, window by window."""

    def value(series: Any, at: int) -> Any:
        return sum(series[at - over + 1 : at + 1]) if at - over + 1 >= 0 and at < len(series) else None

    def usual(series: Any, at: int) -> Any:
        earlier = [value(series, at - back * over) for back in range(1, count + 1)]
        return None if None in earlier else median(earlier)

    begun, windows = None, []
    for index in range(len(traffic)):
        base = index if begun is None or not hold else begun
        effects = []
        for series, shift in ((traffic, 0), (tickets, lag)):
            now, then = value(series, index + shift), usual(series, base + shift)
            effects.append(None if now is None or not then else (now - then) / then)
        if None in effects:
            if effects[0] is not None and effects[0] < by:
                begun = None
            continue
        if min(effects) >= by:
            begun = index if begun is None else begun
            windows.append(index)
        else:
            begun = None
    return windows


values = st.lists(
    st.tuples(st.sampled_from([8, 10, 13, 20]), st.sampled_from([8, 10, 13, 20])), min_size=8, max_size=24
)


@settings(max_examples=120, deadline=None)
@given(values, st.integers(1, 2), st.integers(1, 3), st.booleans(), st.integers(0, 2))
def test_conflicts_are_those_of_the_definition_over_the_full_lists(
    days: Any, over: int, count: int, hold: Any, lag: int
):
    judge = Judge(0.05, "windows", count, 0, hold=hold)
    rules = rule_set(
        rule("clash", "traffic", conflict(ConflictSide("tickets", None, lag, judge), improves=judge, over=over))
    )
    world = World(rules)
    play(world, *([float(each[side]) for each in days] for side in (0, 1)))
    steps = [joined.track for joined in world.stage.correlator.joined.values()]
    judged = {index: step.state for track in steps for index, step in track.steps.items()}
    expected = oracle(
        [each[0] for each in days], [each[1] for each in days], over=over, count=count, by=0.05, hold=hold, lag=lag
    )
    assert [index for index in sorted(judged) if judged[index] == "on"] == [i for i in expected if i in judged]
    opened = [each.data.event_time for each in triggers_of(world.outputs) if short(each) == "opened"]
    assert opened == [day(i + 1) for i in expected if i - 1 not in expected]
    world.stage.close()


def test_a_record_of_a_rule_that_is_not_there_is_counted():
    world = World(CLASH)
    world.write(share("traffic", 0, 1.0, name="other"), 0)
    world.tick(1)
    world.run()
    assert world.stage.counters["join_record_of_unknown_rule"] == 1


@pytest.mark.parametrize("days", [12, 200])
def test_a_conflict_that_is_long_over_at_the_barrier_that_brings_it_is_told(days: int):
    world = World(CLASH)
    for index in range(days):
        for name, usual in (("traffic", 100.0), ("tickets", 10.0)):
            world.write(share(name, index, usual * (1.2 if index == 4 else 1)), 0)
    world.tick(24 * days)
    assert world.told() == [("opened", day(5), None), ("resolved", day(6), None)]
