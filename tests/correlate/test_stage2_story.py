"""Composites by event time within the stage: on any partitions, in any order between them, through any crash."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from composite_twin import FOREVER, Episode, composite_twin
from hypothesis import given, settings
from hypothesis import strategies as st
from stage2_world import World, apply, short, tick_time
from story_world import CONDITIONS, RULES, Member, drawn_episodes, rules_of, told_by

from engine.model.records import Progress
from engine.model.time import HOUR
from engine.runtime.stage2 import Stage2

SERIES = ("x", "y")
TICKS = 6
LAST = 2_000


def streams_of(seed: int, partitions: int):
    """What each stage 1 partition says: a series' findings are the same whichever partition it stands in."""
    streams, truth = [[] for _ in range(partitions)], []
    for number, (rule, series) in enumerate((rule, series) for rule in RULES for series in SERIES):
        random = Random(f"{seed}-{rule}-{series}")
        member, partition = Member(rule, series, random), number % partitions
        episodes = drawn_episodes(random, rule, series)
        truth += episodes
        for tick in range(TICKS):
            guess = drawn_episodes(random, rule, series) if random.random() < 0.3 else episodes
            told = member.tells(guess) if random.random() < 0.5 or tick == TICKS - 1 else []
            told += member.tells(episodes) if tick == TICKS - 1 else []
            streams[partition] += [(tick, 0, each) for each in told]
    for partition, stream in enumerate(streams):
        stream += [(tick, 1, Progress(partition, tick, tick_time(tick))) for tick in [*range(TICKS), LAST]]
        stream.sort(key=lambda entry: entry[:2])
    return [[record for *_, record in stream] for stream in streams], truth


def world_of(name: str, streams: list, random: Random) -> World:
    world = World(rules_of(CONDITIONS[name]), partitions=len(streams))
    left = [list(enumerate_partition) for enumerate_partition in streams]
    while any(left):
        partition = random.choice([each for each, stream in enumerate(left) if stream])
        world.write(left[partition].pop(0), partition)
    return world


def values(outputs: list) -> list[bytes]:
    return [each.record.value for each in outputs]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(CONDITIONS)), st.integers(0, 10**9))
def test_partitions_and_their_order_show_in_nothing_that_is_said(name: str, seed: int):
    said = set()
    for partitions in (1, 3):
        streams, truth = streams_of(seed, partitions)
        for order in range(2):
            world = world_of(name, streams, Random(order))
            said.add(tuple(values(apply(world.stage, world.log, 0))))
            joined = world.stage.correlator.joined.get(("told", "{}"))
            condition = msgspec.structs.replace(CONDITIONS[name], within=CONDITIONS[name].within // HOUR)
            assert ([] if joined is None else told_by(joined.story)) == composite_twin(condition, truth)
            world.stage.close()
    assert len(said) == 1


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(CONDITIONS)), st.integers(0, 10**9), st.randoms())
def test_a_worker_that_dies_goes_on_as_if_it_had_not(name: str, seed: int, random: Random):
    plain = world_of(name, streams_of(seed, 2)[0], Random(seed))
    expected = apply(plain.stage, plain.log, 0)
    stage, outputs, at, pages = Stage2(0, plain.context), [], 0, None
    while at < len(plain.log):
        size = random.choice([1, 3, 20])
        outputs += apply(stage, plain.log, at, at + size)
        at = min(len(plain.log), at + size)
        if random.random() < 0.4:
            pages = stage.all_pages()
            stage.close()
            stage = Stage2(0, plain.context)
            stage.restore(pages)
            assert stage.all_pages() == pages
    assert outputs == expected
    assert stage.all_pages() == plain.stage.all_pages()
    stage.close()
    plain.stage.close()


@pytest.mark.parametrize(("late", "expected"), [(False, ["opened"]), (True, ["opened", "withdrawn"])])
def test_what_does_not_come_is_absent_at_the_first_barrier_that_says_so(*, late: bool, expected: list[str]):
    """Heard at tick 1, three hours to come: due at tick 4. What came in time and is heard later takes it back."""
    world, random = World(rules_of(CONDITIONS["absent"])), Random(0)
    [began] = Member("a", "x", random).tells([Episode("a", "x", 1, FOREVER)])
    world.write(began, 0)
    told = []
    for tick in (1, 2, 3):
        world.tick(tick)
        assert world.run() == []
    world.tick(4)
    told += world.run()
    assert told[0].data.event_time == tick_time(4)
    assert [member.rule for member in told[0].data.evidence.listed] == ["a"]
    if late:
        world.write(Member("b", "x", random).tells([Episode("b", "x", 4)])[0], 0)
    world.tick(5)
    told += world.run()
    assert [short(each) for each in told] == expected


def test_what_is_known_to_be_absent_is_not_waited_for_again_when_another_series_turns_out_to_have_begun_with_it():
    world, random = World(rules_of(CONDITIONS["absent"])), Random(0)
    for series, tick in (("x", 1), ("y", 6)):
        world.write(Member("a", series, random).tells([Episode("a", series, 1, FOREVER)])[0], 0)
        world.tick(tick)
        world.tick(tick + 3)
    opened, updated = world.run()
    assert [short(opened), short(updated)] == ["opened", "updated"]
    assert [member.series for member in updated.data.evidence.listed] == ["x", "y"]


def test_a_member_that_is_judged_anew_amends_what_it_carried():
    world, member = World(rules_of(CONDITIONS["two-of-three"])), Member("a", "x", Random(0))
    before, after = Episode("a", "x", 1), Episode("a", "x", 2)
    world.write(member.tells([before])[0], 0)
    world.write(Member("b", "x", Random(0)).tells([Episode("b", "x", 3)])[0], 0)
    world.tick(1)
    [opened] = world.run()
    for signal in member.tells([after]):
        world.write(signal, 0)
    world.tick(2)
    [updated] = world.run()
    assert (short(opened), short(updated), updated.data.event_time) == ("opened", "updated", tick_time(3))
    assert updated.data.cause == "a later measurement changed the verdict"
    assert updated.data.evidence.listed[0].event_time == tick_time(2)
