"""`for` and `keep_firing_for` of rules over aligned windows: pending and recovering in event time, judged again with
late data.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lasting_twin import alerts
from reconciliation_twin import verdicts
from stage2_world import BY_5, World, apply, conflict, day, rule, rule_set, spec
from test_correlate_conflict import play
from test_correlate_off_track import target
from test_correlate_off_track import told as windowed
from test_correlate_reconcile import CONDITIONS, drawn, kpis_of, put, rules_of

from engine.model.time import DAY, HOUR
from engine.rules.resolved.rule import Step
from engine.rules.resolved.timing import Window

BOOKS = CONDITIONS["books"]
STATES = {"departs": "on", "agrees": "off", "inconclusive": "inconclusive"}


def lasting(days: int = 0, kept: int = 0, **fields: Any) -> dict[str, Any]:
    return {"for_": days * DAY, "keep_firing_for": kept * DAY, **fields}


def books(days: int, kept: int, idle: int = 2 * HOUR) -> World:
    return World(rule_set(rule("books", "traffic", BOOKS, idle=idle, **lasting(days, kept))))


def reported(world: World, text: str, first: int = 0) -> list[tuple[int, str, str, str | None]]:
    """A day each: `x` departs from the books, `.` agrees, `?` says nothing; what was told, by the day that told it."""
    told = []
    for index, letter in enumerate(text, first):
        put(world, "traffic", index, 50.0 if letter == "x" else 100.0)
        if letter != "?":
            put(world, "tickets", index, 100.0)
        world.tick(24 * (index + 1) + (12 if letter == "?" else 0))
        told += [(index, *each) for each in world.told()]
    return told


@pytest.mark.parametrize(
    ("days", "kept", "text", "expected"),
    [
        (0, 0, ".x.x", [(1, "opened"), (2, "resolved"), (3, "opened")]),
        (2, 0, ".xx.xxx.", [(6, "opened"), (7, "resolved")]),
        (2, 0, "xx", []),
        (0, 2, "x..x...", [(0, "opened"), (6, "resolved")]),
        (1, 1, "x.xx.x..", [(3, "opened"), (7, "resolved")]),
        (2, 2, "xxx.x...xxx", [(2, "opened"), (7, "resolved"), (10, "opened")]),
        (2, 2, "x?xx", [(2, "opened")]),
        (0, 2, "x.?.", [(0, "opened"), (3, "resolved")]),
    ],
)
def test_it_fires_when_it_has_lasted_and_ends_when_it_has_been_over_for_long_enough(
    days: int, kept: int, text: str, expected: list[tuple[int, str]]
):
    told = [each for each in reported(books(days, kept), text) if each[1] in ("opened", "resolved")]
    # Another alert within the rule's `reopen_within` would be the same review: there is none in these rules.
    assert [each[:2] for each in told] == expected
    assert [each[2] for each in told] == [day(index + 1) for index, _ in expected]


def test_the_episode_counts_from_the_first_window_that_held():
    world = books(2, 2)
    reported(world, ".xxx.")
    track = world.stage.correlator.joined["books", '{"c":"a"}'].track
    run = track.steps[4].after
    assert (run.begin, run.fired, run.since, run.opened, run.clear) == (1, 3, day(2), day(4), day(5))
    assert (run.windows, run.first, run.last) == (3, day(1), day(4))


def test_a_window_restated_within_a_pending_run_sets_it_back_and_the_alert_never_was():
    world = books(2, 0, idle=5 * DAY)
    assert reported(world, "xxx") == [(2, "opened", day(3), None)]
    put(world, "traffic", 1, 100.0, revision=1)
    world.tick(73)
    assert world.told() == [("withdrawn", day(3), "a later measurement changed the verdict")]
    assert reported(world, "xx", 3)[-1] == (4, "opened", day(5), None)


def test_a_window_restated_while_it_recovers_keeps_the_alert_or_ends_it_earlier():
    world = books(0, 2, idle=5 * DAY)
    assert [each[1] for each in reported(world, "x.x.")] == ["opened"]
    put(world, "traffic", 2, 100.0, revision=1)
    world.tick(97)
    assert [each[:2] for each in world.told()] == [("resolved", day(4))]
    put(world, "traffic", 2, 50.0, revision=2)
    world.tick(98)
    assert [each[0] for each in world.told()] == ["reopened"]


def test_a_conflict_waits_and_recovers_as_well():
    world = World(rule_set(rule("clash", "traffic", conflict(improves=BY_5), **lasting(1, 1))))
    told = play(world, [100] * 4 + [120, 140, 100, 160, 100, 100], [10] * 4 + [12, 14, 10, 16, 10, 10])
    # The 5th and 6th day hold; the 7th does not, the 8th does again; the 9th and 10th do not.
    assert told == [(5, "opened", day(6), None), (9, "resolved", day(10), None)]


def test_a_forecast_waits_and_recovers_as_well():
    for wanted, kept, fires, ends in ((0, 0, 15, 20), (3, 2, 18, 22)):
        fields = lasting(wanted, kept, window=Window(DAY, DAY))
        world, told = World(rule_set(rule("pace", "traffic", target(100.0), **fields))), []
        for index in range(24):
            # The sixteenth day is the first with a forecast; from the twenty-first on it is far beyond the target.
            world.write(windowed(index, 10.0 + index % 3 if index < 20 else 5_000.0), 0)
            world.tick(24 * (index + 1))
            told += [each[:2] for each in world.told()]
        assert told == [("opened", day(fires + 1)), ("resolved", day(ends + 1))]


def test_what_got_worse_while_it_was_pending_is_no_step_beyond_what_was_told():
    review = spec(renotify=Step(0.5, relative=True))
    world = World(rule_set(rule("books", "traffic", BOOKS, **lasting(2, review=review))))
    told = []
    for index, value in enumerate((80.0, 70.0, 60.0, 55.0, 30.0)):
        put(world, "traffic", index, value)
        put(world, "tickets", index, 100.0)
        world.tick(24 * (index + 1))
        told += [(index, *each) for each in world.told()]
    assert [each[:2] for each in told] == [(2, "opened"), (4, "renotified")]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["books", "merged"]), st.integers(0, 10**9), st.integers(0, 3), st.integers(0, 3))
def test_in_the_end_the_alerts_are_those_of_the_twin_in_any_order_between_partitions(
    name: str, seed: int, wanted: int, kept: int
):
    condition, said = CONDITIONS[name], set()
    rules = rule_set(rule("books", "traffic", condition, idle=30 * DAY, **lasting(wanted, kept)))
    for partitions, order in ((1, 0), (3, 1)):
        streams, truth = drawn(seed, partitions, kpis_of(condition))
        world, random = World(rules, partitions=partitions), Random(order)
        world.write_mixed(streams, random)
        outputs = apply(world.stage, world.log, 0)
        said.add(tuple(output.record.value for output in outputs))
        joined = world.stage.correlator.joined.get(("books", '{"c":"a"}'))
        told = [] if joined is None else [(each.begin, each.end) for each in joined.track.said]
        states = {index: STATES[each] for index, each in verdicts(condition, "traffic", truth).items()}
        assert told == alerts(states, wanted, kept)
        world.stage.close()
    assert len(said) == 1


def test_without_either_nothing_is_another_than_before():
    assert rules_of(BOOKS).rules[0].for_ == 0
    states = dict(enumerate(["off", "on", "on", "off", "inconclusive", "on"]))
    assert alerts(states, 0, 0) == [(1, 3), (5, None)]
