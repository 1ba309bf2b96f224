"""Off track, over what each series put into each window: when it begins and ends, and what is said; against a slow twin
that forecasts each window from the list of all before it.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from forecast_twin import forecast as slow
from hypothesis import given, settings
from hypothesis import strategies as st
from stage2_world import World, apply, day, rule, rule_set, share, short, tick_time, triggers_of

from engine.correlate.forecast import forecast
from engine.correlate.off_track import due_index, judge
from engine.deliver.evidence import evidence_lines
from engine.model.records import Progress
from engine.model.time import DAY, HOUR
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given as read
from engine.rules.resolved.condition import OffTrack
from engine.rules.resolved.timing import Window

if TYPE_CHECKING:
    from engine.model.records import JoinRecord
    from engine.rules.ruleset import RuleSet

FIRST = 19_723
"""2024-01-01 in days since 1970: windows of a day without a zone are numbered so."""
LAST = 9_000


def target(value: float, by: str = "2024-02-29", *, higher: bool = True, learn: int = 16) -> OffTrack:
    return OffTrack(value, by, higher, 0.9, learn, ("c",))


def rules_of(condition: OffTrack, idle: int = 2 * HOUR, printed: str = "one", of: str = "traffic") -> RuleSet:
    return rule_set(rule("pace", of, condition, idle=idle, window=Window(DAY, DAY), fingerprint=printed))


def told(index: int, value: float, of: str = "traffic", **fields: object) -> JoinRecord:
    record = share(of, index, value, name="pace", **fields)
    return msgspec.structs.replace(record, window=msgspec.structs.replace(record.window, index=FIRST + index))


def fed(condition: OffTrack, values: list[float | None]) -> tuple[World, list[tuple[str, str]]]:
    """A world that was told one value a day, and what it said at which event time."""
    world, said = World(rules_of(condition)), []
    for index, value in enumerate(values):
        if value is not None:
            world.write(told(index, value), 0)
        world.tick(24 * (index + 1))
        said += [(short(each), each.data.event_time) for each in world.run()]
    return world, said


def twin(condition: OffTrack, values: dict[int, float]) -> list[tuple[int, int | None]]:
    """From the first window that misses to the first that does not; windows are days since 2024-01-01."""
    found: list[tuple[int, int | None]] = []
    due = 59  # 2024-02-29
    for index in sorted(values):
        points = [(at, values[at]) for at in sorted(values) if index - 120 < at <= index]
        is_on = bool(found) and found[-1][1] is None
        if index < due and len(points) < condition.learn:
            continue
        misses = False
        if index < due:
            _, low, high = slow(points, due - index, condition.confidence)
            misses = high < condition.target if condition.higher_is_better else low > condition.target
        if misses and not is_on:
            found.append((index, None))
        elif is_on and not misses:
            found[-1] = (found[-1][0], index)
    return found


def levels(seed: int, days: int) -> list[float]:
    """A slow or a quick rise, which some seeds see wander and some turn."""
    random, level, found = Random(f"level-{seed}"), 20.0, []
    drift, turns = random.choice([0.02, 0.2]), random.choice([35, days])
    for index in range(days):
        level += (drift if index < turns else 0.22 - drift) + random.gauss(0, random.choice([0, 0.05]))
        found.append(level)
    return found


def drawn(seed: int, partitions: int) -> tuple[list[list[object]], dict[int, float]]:
    """What partitions say of two series, restated at times, and the means in the end."""
    days, barriers = 70, 8
    streams, truth = [[] for _ in range(partitions)], {}
    for number, member in enumerate(("x", "y")):
        random, stream = Random(f"{seed}-{member}"), streams[number % partitions]
        for index, level in enumerate(levels(seed, days)):
            for revision, barrier in enumerate(sorted(random.choices(range(barriers), k=random.choice([0, 1, 1, 2])))):
                value = level + random.gauss(0, 0.2)
                truth[member, index] = value
                stream.append((barrier, 0, told(index, value, of="nps", member=member, revision=revision)))
    for partition, stream in enumerate(streams):
        stream += [(tick, 1, Progress(partition, tick, tick_time(tick))) for tick in [*range(barriers), LAST]]
        stream.sort(key=lambda entry: entry[:2])
    means: dict[int, list[float]] = {}
    for (_, index), value in truth.items():
        means.setdefault(index, []).append(value)
    found = {index: sum(values) / len(values) for index, values in means.items()}
    return [[record for *_, record in stream] for stream in streams], found


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**9), st.booleans())
def test_in_the_end_the_runs_are_those_of_the_twin_in_any_order_between_partitions(seed: int, higher: bool):  # noqa: FBT001
    condition, said = target(28 if higher else 25, higher=higher), set()
    for partitions, order in ((1, 0), (2, 1)):
        streams, truth = drawn(seed, partitions)
        # Nothing is final before all has come: then what was restated late counts in full.
        world, random = World(rules_of(condition, 100 * DAY, of="nps"), partitions=partitions), Random(order)
        world.write_mixed(streams, random)
        outputs = apply(world.stage, world.log, 0)
        said.add(tuple(output.record.value for output in outputs))
        joined = world.stage.correlator.joined.get(("pace", '{"c":"a"}'))
        runs = [] if joined is None else [(each.begin, each.end) for each in joined.track.said]
        expected = twin(condition, truth)
        assert runs == [(FIRST + begin, None if end is None else FIRST + end) for begin, end in expected]
        world.stage.close()
    assert len(said) == 1


def noisy(seed: int, start: float, drift: float, days: int) -> list[float | None]:
    random = Random(f"noisy-{seed}")
    return [start + drift * at + random.gauss(0, 1) for at in range(days)]


def test_what_keeps_exactly_to_its_line_towards_the_target_never_fires():
    for start, drift in ((40.0, 10 / 59), (40.0, 0.2), (60.0, -0.1)):
        assert fed(target(50.0), [start + drift * at for at in range(75)])[1] == []
    assert fed(target(50.0, higher=False), [60 - at * 10 / 59 for at in range(75)])[1] == []


@pytest.mark.parametrize("seed", range(5))
def test_what_stands_still_far_from_it_fires_a_month_before_the_date(seed: int):
    _, said = fed(target(60.0), noisy(seed, 40.0, 0.0, 30))
    assert said[0][0] == "opened"
    assert said[0][1] <= day(30)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_to_the_target_seen_through_noise_is_let_be(seed: int):
    assert fed(target(50.0), noisy(seed, 40.0, 0.2, 59))[1] == []


def test_nothing_is_said_before_it_has_learned_and_gaps_are_not_windows():
    still = [40.0] * 15
    assert fed(target(60.0), still)[1] == []
    assert fed(target(60.0), [*still, None, None])[1] == []
    assert fed(target(60.0), [*still, None, 40.0])[1] == [("opened", day(17))]


def test_it_ends_with_the_window_in_which_the_target_is_due_and_says_what_that_came_to():
    world, said = fed(target(60.0, by="2024-01-20"), [40.0] * 25)
    assert said == [("opened", day(16)), ("resolved", day(20))]
    told_ = triggers_of(world.outputs)
    assert told_[0].data.explanation == (
        "Traffic of {c a} is on course for 40 (40 to 40) by 2024-01-20, short of 60: 40 over 2024-01-16T00:00:00Z to "
        "2024-01-17T00:00:00Z, going by 0 a window where +5 is needed."
    )
    assert "the target was due by 2024-01-20; Traffic of {c a} came to 40, short of 60" in told_[1].data.explanation
    evidence = told_[0].data.evidence
    assert (evidence.verdict, evidence.points_count, evidence.ahead, evidence.needed) == ("misses", 16, 4, 5.0)
    assert evidence_lines(told_[0].data) == [
        "40 n of 1 measurements; 16 windows in all",
        "forecast 40 (40 to 40 at 0.9) by 2024-01-20, target 60",
        "drift 0 a window, 5 needed for 4 windows",
    ]
    assert told_[1].data.evidence.verdict == "date_passed"
    assert told_[1].data.evidence.forecast is None


def test_it_ends_when_the_target_comes_into_reach_again():
    random = Random("again")
    values = [40 + random.gauss(0, 0.3) for _ in range(20)] + [40 + 0.8 * at for at in range(20)]
    assert [each for each, _ in fed(target(60.0), values)[1]] == ["opened", "resolved"]


def test_a_target_that_is_changed_withdraws_what_fires_and_learns_anew():
    world, said = fed(target(60.0), [40.0] * 20)
    assert [each for each, _ in said] == ["opened"]
    lower = rules_of(target(50.0), printed="another")
    world.sets[lower.hash] = lower
    world.activate(1, lower.hash, 500)
    world.tick(500)
    [withdrawn] = world.run()
    assert (short(withdrawn), withdrawn.data.cause) == ("withdrawn", "rule changed")
    for index in range(20, 37):
        world.write(told(index, 40.0), 0)
        world.tick(501 + index)
        expected = ["opened"] if index == 35 else []
        assert [short(each) for each in world.run()] == expected


def test_a_worker_that_dies_forecasts_what_it_would_have():
    world, said = fed(target(60.0), noisy(3, 40.0, 0.0, 25))
    assert [each for each, _ in said] == ["opened"]
    pages = world.stage.all_pages()
    world.stage.restore(pages)
    assert world.stage.all_pages() == pages


def test_the_window_that_counts_is_the_last_that_ends_by_the_end_of_the_day():
    assert due_index("2024-01-01", Window(DAY, DAY)) == FIRST
    assert due_index("2024-01-01", Window(HOUR, HOUR)) == FIRST * 24 + 23
    assert due_index("2024-01-08", Window(7 * DAY, 7 * DAY)) == (FIRST + 8) // 7 - 1
    assert due_index("1990-01-03", Window(DAY, DAY, "Europe/Vienna")) == 2


def test_on_which_side_is_bad_the_direction_says():
    points = [(at, 40.0 + 0.1 * (at % 2)) for at in range(30)]
    course = forecast(points, 20, 0.9)
    for value, higher, verdict in (
        (course.high + 0.01, True, "worsened"),
        (course.high - 0.01, True, "flat"),
        (course.low - 0.01, False, "worsened"),
        (course.low + 0.01, False, "flat"),
    ):
        condition = target(value, higher=higher)
        assert judge(points, 29, 49, condition).verdict == verdict
    assert judge(points, 30, 49, condition).verdict == "unknown"


def test_it_rests_on_the_newest_120_windows_and_keeps_no_more():
    world, said = fed(target(60.0, by="2024-05-20"), [40.0] * 145)
    assert said[-1] == ("resolved", day(141))
    assert triggers_of(world.outputs)[-1].data.evidence.points_count == 120
    [joined] = world.stage.correlator.joined.values()
    assert len(joined.track.rings["traffic"].windows) < 130


def test_of_a_course_the_newer_half_of_the_windows_is_held_against_the_older_and_the_sentence_names_who_carries_it():
    """Two members from 40 each: one falls by half a point a day, the other stays."""
    world, opened = World(rules_of(target(90.0))), []
    for index in range(20):
        for member, value in (("x", 40.0 - 0.5 * index), ("y", 40.0)):
            world.write(told(index, value, member=member), 0)
        world.tick(24 * (index + 1))
        opened += world.run()
    trigger = opened[0]
    count = trigger.data.evidence.points_count
    assert (short(trigger), count) == ("opened", 16)
    bottleneck = trigger.data.evidence.measured.bottleneck
    newer, older = 80 - 0.5 * 11.5, 80 - 0.5 * 3.5  # the means of days 8 to 15, and 0 to 7
    assert (bottleneck.now, bottleneck.before, bottleneck.change) == (newer, older, -4.0)
    assert (bottleneck.windows_now, bottleneck.windows_before) == (8, 8)
    assert [(each.value, each.change) for each in bottleneck.dimensions[0].values] == [("x", -4.0), ("y", 0.0)]
    words = "the newer half of its windows against the older, most of it in m=x: -4 of -4."
    assert trigger.data.explanation.endswith(words)
    assert explain(read(msgspec.to_builtins(trigger))).failures == ()
