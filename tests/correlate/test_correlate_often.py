"""`at_least` and `warm_up` of rules over aligned windows: counted in order of windows, whatever comes late."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lasting_twin import alerts
from often_twin import often
from reconciliation_twin import verdicts
from stage2_world import BY_5, World, apply, conflict, day, rule, rule_set
from test_correlate_conflict import play
from test_correlate_lasting import STATES, lasting, reported
from test_correlate_off_track import target
from test_correlate_off_track import told as windowed
from test_correlate_reconcile import CONDITIONS, drawn, kpis_of, put

from engine.model.time import DAY, HOUR
from engine.rules.resolved.timing import Window
from engine.runtime.stage2 import Stage2

BOOKS = CONDITIONS["books"]
SCOPE = ("books", '{"c":"a"}')
MOVED = ("opened", "reopened", "resolved")


def books(idle: int = 2 * HOUR, **fields: Any) -> World:
    return World(rule_set(rule("books", "traffic", BOOKS, idle=idle, **fields)))


@pytest.mark.parametrize(
    ("at_least", "warm_up", "text", "expected"),
    [
        ((2, 3), 0, "x..x", []),
        ((2, 3), 0, "x.x..", [(2, "opened"), (3, "resolved")]),
        ((2, 3), 0, "xx.x..", [(1, "opened"), (4, "resolved")]),
        ((3, 5), 0, "x..x.....x.xx", [(12, "opened")]),
        ((1, 2), 0, ".x..", [(1, "opened"), (3, "resolved")]),
        ((2, 2), 0, "x.xx.", [(3, "opened"), (4, "resolved")]),
        ((2, 3), 0, "x?x?...", [(2, "opened"), (5, "resolved")]),
        ((3, 9), 0, "x...x...x.", [(8, "opened"), (9, "resolved")]),
        (None, 2, "xxx.", [(2, "opened"), (3, "resolved")]),
        (None, 2, "x?x.", [(2, "opened"), (3, "resolved")]),
        (None, 3, "xxx.", []),
        ((2, 3), 2, "xxx.x", [(4, "opened")]),
    ],
)
def test_so_many_of_the_last_windows_that_could_be_judged(
    at_least: tuple[int, int] | None, warm_up: int, text: str, expected: list[tuple[int, str]]
):
    told = reported(books(at_least=at_least, warm_up=warm_up), text)
    assert [each[:2] for each in told if each[1] in MOVED] == expected


@pytest.mark.parametrize(
    ("days", "kept", "text", "expected"),
    [
        (2, 0, "x..", [(2, "opened")]),
        (2, 0, "x...", [(2, "opened"), (3, "resolved")]),
        (3, 0, "x..x..", [(3, "opened")]),
        (0, 1, "x...xxx", [(0, "opened")]),
        (0, 2, "x.....", [(0, "opened"), (5, "resolved")]),
    ],
)
def test_for_and_keep_firing_for_go_by_what_is_often_enough(
    days: int, kept: int, text: str, expected: list[tuple[int, str]]
):
    """Once in three windows is enough here."""
    told = reported(books(at_least=(1, 3), **lasting(days, kept)), text)
    assert [each[:2] for each in told if each[1] in MOVED] == expected


def test_the_evidence_has_the_last_windows_and_the_episode_those_at_which_there_were_enough():
    world = books(at_least=(1, 3), **lasting(2))
    for index, value in enumerate((50.0, 100.0, 100.0)):
        put(world, "traffic", index, value)
        put(world, "tickets", index, 100.0)
        world.tick(24 * (index + 1))
    [event] = world.run()
    evidence, episode = event.data.evidence, event.data.episode
    assert evidence.verdict == "agrees"
    assert [(each.end, each.holds) for each in evidence.recent] == [(day(1), True), (day(2), False), (day(3), False)]
    assert (episode.points, episode.first, episode.last, episode.worst) == (3, day(0), day(3), -0.5)
    assert ": agrees on 2024-01-03; " in event.data.explanation
    assert event.data.explanation.endswith("; at least 1 of the last 3 windows departed from the record.")


def test_what_does_not_hold_by_itself_is_neither_the_worst_nor_takes_part():
    world = World(rule_set(rule("clash", "traffic", conflict(improves=BY_5), at_least=(1, 3))))
    # On the sixth day tickets are worse than ever, and traffic has not improved.
    play(world, [100] * 4 + [120, 100, 100, 100], [10] * 4 + [12, 30, 10, 10])
    track = world.stage.correlator.joined["clash", '{"c":"a"}'].track
    run = track.steps[5].after
    assert (run.windows, run.worst, run.last) == (2, pytest.approx(0.2), day(6))


def test_a_conflict_and_a_forecast_wait_as_well():
    world = World(rule_set(rule("clash", "traffic", conflict(improves=BY_5), at_least=(2, 3), warm_up=5)))
    told = play(world, [100] * 4 + [120, 140, 100, 160, 100, 100], [10] * 4 + [12, 14, 10, 16, 10, 10])
    # The 5th day holds as well, and is the last of the warm-up; the 6th and 8th hold.
    assert [each[:2] for each in told] == [(7, "opened"), (8, "resolved")]
    fields = {"window": Window(DAY, DAY), "at_least": (3, 4)}
    world, told = World(rule_set(rule("pace", "traffic", target(100.0), **fields))), []
    for index in range(24):
        # The sixteenth day is the first with a forecast; from the twenty-first on it is far beyond the target.
        world.write(windowed(index, 10.0 + index % 3 if index < 20 else 5_000.0), 0)
        world.tick(24 * (index + 1))
        told += [each[:2] for each in world.told()]
    assert told == [("opened", day(18)), ("resolved", day(22))]


def test_a_window_restated_long_after_it_counted_takes_back_what_it_was_counted_for():
    world = books(idle=9 * DAY, at_least=(2, 4))
    assert reported(world, "x.x.") == [(2, "opened", day(3), None)]
    put(world, "traffic", 0, 100.0, revision=1)
    world.tick(97)
    assert [each[:2] for each in world.told()] == [("withdrawn", day(3))]
    put(world, "traffic", 0, 50.0, revision=2)
    world.tick(98)
    assert [each[:2] for each in world.told()] == [("reopened", day(3))]


def test_a_window_that_comes_late_into_the_warm_up_moves_the_first_that_is_judged():
    world = books(idle=9 * DAY, warm_up=2)
    assert [each[:2] for each in reported(world, "xxx", 1)] == [(3, "opened")]
    for kpi in ("traffic", "tickets"):
        put(world, kpi, 0, 50.0)
    world.tick(97)
    told = world.told()
    assert [each[:2] for each in told] == [("updated", day(3))], told
    world = books(idle=9 * DAY, warm_up=3)
    assert [each[:2] for each in reported(world, "xxx.", 1)] == []


WAITS = st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda pair: (pair[0], max(2, sum(pair))))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["books", "merged", "merged-children"]),
    st.integers(0, 10**9),
    st.none() | WAITS,
    st.integers(0, 3),
    st.sampled_from([(0, 0), (2, 0), (0, 2), (1, 1)]),
)
def test_in_the_end_the_alerts_are_those_of_the_twin_in_any_order_and_over_any_death(
    name: str, seed: int, at_least: tuple[int, int] | None, warm_up: int, waits: tuple[int, int]
):
    condition, said = CONDITIONS[name], set()
    fields = {"at_least": at_least, "warm_up": warm_up, **lasting(*waits)}
    rules = rule_set(rule("books", "traffic", condition, idle=30 * DAY, **fields))
    for partitions, order in ((1, 0), (3, 1)):
        streams, truth = drawn(seed, partitions, kpis_of(condition))
        world, random = World(rules, partitions=partitions), Random(order)
        world.write_mixed(streams, random)
        cut, stage = random.randrange(len(world.log)), Stage2(0, world.context)
        outputs = apply(world.stage, world.log, 0, cut)
        stage.restore({name: page for name, page in world.stage.all_pages().items() if page})
        outputs += apply(stage, world.log, cut)
        said.add(tuple(output.record.value for output in outputs))
        joined = stage.correlator.joined.get(SCOPE)
        told = [] if joined is None else [(each.begin, each.end) for each in joined.track.said]
        states = {index: STATES[each] for index, each in verdicts(condition, "traffic", truth).items()}
        came = {index for kpi, _, index in truth if kpi == "traffic"}
        assert told == alerts(often(states, came, at_least, warm_up), *waits)
        world.stage.close()
        stage.close()
    assert len(said) == 1


@settings(max_examples=60, deadline=None)
@given(st.text("x.?", min_size=8, max_size=40), WAITS, st.integers(0, 4))
def test_windows_that_are_final_are_counted_as_long_as_they_are_among_the_last(
    text: str, at_least: tuple[int, int], warm_up: int
):
    world = books(at_least=at_least, warm_up=warm_up)
    told = [each[:2] for each in reported(world, text) if each[1] in MOVED]
    assert min(world.stage.correlator.joined[SCOPE].track.steps) > 0
    states = {index: {"x": "on", ".": "off", "?": "none"}[letter] for index, letter in enumerate(text)}
    wanted = []
    for begin, end in alerts(often(states, states, at_least, warm_up), 0, 0):
        wanted += [begin] if end is None else [begin, end]
    assert [index for index, _ in told] == wanted


@settings(max_examples=100, deadline=None)
@given(st.text("x.?", min_size=8, max_size=24), WAITS, st.integers(0, 6))
def test_the_oldest_window_that_is_kept_is_judged_again_with_what_was_counted_before_it(
    text: str, at_least: tuple[int, int], warm_up: int
):
    world = books(at_least=at_least, warm_up=warm_up)
    reported(world, text)
    track = world.stage.correlator.joined[SCOPE].track
    oldest = min(track.steps)
    assert oldest > 0
    turned = {"x": ".", ".": "x", "?": "?"}[text[oldest]]
    put(world, "traffic", oldest, 50.0 if turned == "x" else 100.0, revision=1)
    world.tick(24 * len(text) + 13)
    world.run()
    text = text[:oldest] + turned + text[oldest + 1 :]
    states = {index: {"x": "on", ".": "off", "?": "none"}[letter] for index, letter in enumerate(text)}
    wanted = alerts(often(states, states, at_least, warm_up), 0, 0)
    assert [(said.begin, said.end) for said in track.said] == [
        (begin, end) for begin, end in wanted if end is None or end >= oldest
    ]
