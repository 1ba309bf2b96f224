"""Reconciliations, against a slow twin over what each series put into each window; and what is said by hand."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reconciliation_twin import runs
from stage2_world import World, apply, day, rule, rule_set, share, short, spec, tick_time, triggers_of

from engine.correlate.judge import Judged
from engine.correlate.reconcile import judge
from engine.model.records import Progress
from engine.model.time import DAY, HOUR
from engine.rules.resolved.condition import Reconciliation

if TYPE_CHECKING:
    from engine.model.trigger import ReviewTrigger
    from engine.rules.ruleset import RuleSet


def against(*record: str, tolerance: float = 0.1, relative: bool = True, over: int = 1) -> Reconciliation:
    return Reconciliation(record, tolerance, relative, over, ("c",))


CONDITIONS = {
    "books": against("tickets"),
    "absolute": against("tickets", tolerance=12.0, relative=False),
    "merged": against("tickets", over=3),
    "children": against("sessions", "tickets"),
    "merged-children": against("sessions", "tickets", over=2),
}
WINDOWS, BARRIERS, LAST = 8, 5, 9_000
KPIS = ("traffic", "tickets", "sessions")


def rules_of(condition: Reconciliation, idle: int = 2 * HOUR) -> RuleSet:
    return rule_set(rule("books", "traffic", condition, idle=idle))


def world_of(condition: Reconciliation = CONDITIONS["books"], **fields: int) -> World:
    return World(rules_of(condition, **fields))


def put(world: World, kpi: str, index: int, value: float, **fields: object) -> None:
    world.write(share(kpi, index, value, name="books", **fields), 0)


def drawn(seed: int, partitions: int, kpis: tuple[str, ...]):
    """What partitions say, and what is true in the end. A series says the same in whatever partition it stands."""
    streams, truth = [[] for _ in range(partitions)], {}
    for number, (kpi, member) in enumerate((kpi, member) for kpi in kpis for member in ("x", "y")):
        random = Random(f"{seed}-{kpi}-{member}")
        stream = streams[number % partitions]
        for index in range(WINDOWS):
            times = sorted(random.choices(range(BARRIERS), k=random.choice([0, 1, 1, 1, 2])))
            for revision, barrier in enumerate(times):
                value = float(random.choice([50, 50, 50, 55, 60, 0]))
                truth[kpi, member, index] = value
                told = share(kpi, index, value, name="books", member=member, revision=revision)
                stream.append((barrier, 0, told))
    for partition, stream in enumerate(streams):
        stream += [(tick, 1, Progress(partition, tick, tick_time(tick))) for tick in [*range(BARRIERS), LAST]]
        stream.sort(key=lambda entry: entry[:2])
    return [[record for *_, record in stream] for stream in streams], truth


def kpis_of(condition: Reconciliation) -> tuple[str, ...]:
    return ("traffic", *condition.record)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(CONDITIONS)), st.integers(0, 10**9))
def test_in_the_end_the_runs_are_those_of_the_twin_in_any_order_between_partitions(name: str, seed: int):
    condition, said = CONDITIONS[name], set()
    for partitions, order in ((1, 0), (3, 1), (3, 2)):
        streams, truth = drawn(seed, partitions, kpis_of(condition))
        world, random = World(rules_of(condition, 30 * DAY), partitions=partitions), Random(order)
        world.write_mixed(streams, random)
        outputs = apply(world.stage, world.log, 0)
        said.add(tuple(output.record.value for output in outputs))
        joined = world.stage.correlator.joined.get(("books", '{"c":"a"}'))
        told = [] if joined is None else [(each.begin, each.end) for each in joined.track.said]
        assert told == runs(condition, "traffic", truth)
        world.stage.close()
    assert len(said) == 1


JUDGED = [
    ("two per cent are two per cent", CONDITIONS["books"], 90.0, 100.0, False),
    ("too little", CONDITIONS["books"], 89.9, 100.0, True),
    ("too much", CONDITIONS["books"], 110.1, 100.0, True),
    ("below zero a share is one of the magnitude", CONDITIONS["books"], -89.0, -100.0, True),
    ("nothing of nothing", CONDITIONS["books"], 0.0, 0.0, False),
    ("something of nothing", CONDITIONS["books"], 0.001, 0.0, True),
    ("so many units", CONDITIONS["absolute"], 88.0, 100.0, False),
    ("more units", CONDITIONS["absolute"], 87.9, 100.0, True),
    ("so many units of nothing", CONDITIONS["absolute"], 12.0, 0.0, False),
]


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case[0])
def test_the_tolerance_is_what_may_be_missing_or_too_much(case: tuple[str, Reconciliation, float, float, bool]):
    _, condition, reported, record, departs = case
    assert (judge(reported, record, condition).verdict == "worsened") == departs


def test_what_is_not_known_does_not_depart():
    assert judge(None, 1.0, CONDITIONS["books"]) == Judged("unknown", None, 1.0)
    assert judge(1.0, None, CONDITIONS["books"]).verdict == "unknown"


def test_a_tenth_too_little_is_told_with_both_sums_and_what_they_are_made_of():
    world = world_of()
    put(world, "traffic", 0, 80.0)
    for member in ("x", "y"):
        put(world, "tickets", 0, 50.0, member=member)
    world.tick(24)
    [opened] = world.run()
    evidence = opened.data.evidence
    assert (short(opened), opened.data.event_time, opened.data.participants) == ("opened", day(1), ("tickets-owner",))
    assert (evidence.reported.value, evidence.record.value, evidence.record.count) == (80.0, 100.0, 2)
    assert (evidence.difference, evidence.departure, evidence.tolerance) == (-20.0, -0.2, 0.1)
    assert [each.parts.sum for each in evidence.record.shares] == [50.0, 50.0]
    assert opened.data.explanation == (
        "Traffic of {c a} came to 80, 20 % below the 100 of Tickets, on 2024-01-01 (tolerance 10 %)."
    )
    put(world, "traffic", 1, 100.0)
    put(world, "tickets", 1, 100.0)
    put(world, "tickets", 1, 0.0, member="x")
    put(world, "tickets", 1, 0.0, member="y")
    world.tick(48)
    [resolved] = world.run()
    assert (short(resolved), resolved.data.event_time, resolved.data.evidence.verdict) == ("resolved", day(2), "agrees")


def test_what_waited_from_another_window_on_is_told_though_it_fires_with_the_same():
    """Two days of it: the second and the fourth window depart, and in the end the first does too; the third is not."""
    world = World(rule_set(rule("books", "traffic", CONDITIONS["books"], for_=2 * DAY)))
    for index in (1, 3):
        put(world, "traffic", index, 80.0)
        put(world, "tickets", index, 100.0)
    world.tick(96)
    [opened] = world.run()
    assert (opened.data.event_time, opened.data.episode.first) == (day(4), day(1))
    put(world, "traffic", 0, 80.0)
    put(world, "tickets", 0, 100.0)
    world.tick(97)
    [updated] = world.run()
    assert (short(updated), updated.data.event_time, updated.data.episode.first) == ("updated", day(4), day(0))
    assert updated.data.cause == "a later measurement changed the verdict"


def opened_late(world: World, tick: int) -> list[ReviewTrigger]:
    world.tick(tick)
    return world.run()


def test_what_is_only_late_is_waited_for_and_is_no_alarm():
    """Half of the books comes with the report, the other half two barriers later: it was there the day before."""
    world = world_of()
    for index in (0, 1):
        put(world, "traffic", index, 100.0)
        put(world, "tickets", index, 50.0, member="x")
        if index == 0:
            put(world, "tickets", index, 50.0, member="y")
        assert opened_late(world, 24 * (index + 1)) == []
    assert opened_late(world, 49) == []
    put(world, "tickets", 1, 50.0, member="y")
    for tick in (50, 60, 600):
        assert opened_late(world, tick) == []


def test_a_side_that_never_comes_is_inconclusive_and_no_alarm_until_it_does_come():
    world = world_of()
    put(world, "traffic", 0, 100.0)
    for tick in (24, 25, 26, 27):
        assert opened_late(world, tick) == []
    steps = world.stage.correlator.joined["books", '{"c":"a"}'].track.steps
    assert {index: step.state for index, step in steps.items()} == {0: "inconclusive"}
    put(world, "tickets", 0, 200.0)
    [opened] = opened_late(world, 28)
    assert (short(opened), opened.data.event_time) == ("opened", day(1))
    put(world, "tickets", 0, 100.0, revision=1)
    [withdrawn] = opened_late(world, 29)
    assert (short(withdrawn), withdrawn.data.cause) == ("withdrawn", "a later measurement changed the verdict")


def test_an_alarm_whose_record_falls_silent_says_so_once_and_goes_on():
    world = world_of()
    put(world, "traffic", 0, 50.0)
    put(world, "tickets", 0, 100.0)
    assert [short(each) for each in opened_late(world, 24)] == ["opened"]
    put(world, "traffic", 1, 50.0)
    assert opened_late(world, 48) == []
    [updated] = opened_late(world, 60)
    assert (short(updated), updated.data.cause) == ("updated", "a side of the reconciliation cannot be judged")
    assert updated.data.explanation == (
        "Title of books of {c a}: cannot be judged on 2024-01-02, nothing known of Tickets."
    )
    put(world, "traffic", 2, 50.0)
    assert opened_late(world, 90) == []


def test_children_are_added_and_each_of_them_must_have_come():
    world = world_of(CONDITIONS["children"])
    put(world, "traffic", 0, 100.0)
    put(world, "tickets", 0, 30.0)
    assert opened_late(world, 24) == []
    put(world, "sessions", 0, 30.0)
    [opened] = opened_late(world, 25)
    assert (opened.data.evidence.record.kpis, opened.data.evidence.record.value) == (("sessions", "tickets"), 60.0)
    assert opened.data.participants == ("sessions-owner", "tickets-owner")


def test_a_worker_that_dies_knows_what_it_said():
    world = world_of()
    put(world, "traffic", 0, 50.0)
    put(world, "tickets", 0, 100.0)
    world.tick(24)
    assert [short(each) for each in world.run()] == ["opened"]
    pages = world.stage.all_pages()
    world.stage.restore(pages)
    assert world.stage.all_pages() == pages
    put(world, "traffic", 1, 100.0)
    put(world, "tickets", 1, 100.0)
    world.tick(48)
    assert [short(each) for each in triggers_of(apply(world.stage, world.log, 3))] == ["resolved"]


def test_an_alert_that_is_split_again_leaves_no_two_of_one_name():
    """It fires on the fourth day, turns out to have fired on the second, and then not to have been one with that."""
    rules = rule_set(rule("books", "traffic", CONDITIONS["books"], idle=9 * DAY, review=spec(reopen_within=0)))
    world, told = World(rules), []
    for index, value in enumerate((100.0, 100.0, 100.0, 50.0)):
        put(world, "traffic", index, value)
        put(world, "tickets", index, 100.0)
    for tick, changed in enumerate([{}, {1: 50.0, 2: 50.0}, {2: 100.0}]):
        for index, value in changed.items():
            put(world, "traffic", index, value, revision=tick)
        world.tick(96 + tick)
        told += [(each.data.first_event_time, each.data.alert, short(each)) for each in world.run()]
    assert told == [
        (day(4), "on", "opened"),
        (day(4), "on", "updated"),
        (day(4), "on", "updated"),
        (day(2), "on", "opened"),
        (day(2), "over", "resolved"),
    ]
