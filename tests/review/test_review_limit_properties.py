"""Against the slow twin, in whatever order partitions come, wherever the worker dies."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from limit_twin import NaiveLimit
from limited import SCOPE, f, limited
from msgspec import to_builtins
from stage2_world import T0, World, apply, short, tick_time, triggers_of

from engine.correlate.barrier import in_order
from engine.model.records import Progress
from engine.model.time import DAY, parse_own_time
from engine.model.trigger import GroupEvidence
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given as told_of
from engine.runtime.stage2 import Stage2

SERIES = [f"s{number:02d}" for number in range(14)]
BARRIERS = 8
Events = list[tuple[int, str, str]]


def history(random: Random) -> list[Events]:
    """By barrier, in order of event time, what becomes of each series; several event times lie between two barriers."""
    alerts: dict[str, list[int]] = {name: [] for name in SERIES}
    on = dict.fromkeys(SERIES, False)
    found = []
    for barrier in range(BARRIERS):
        mood, events = random.choice([0.05, 0.3, 0.9]), []
        for time in range(1 + 3 * barrier, 4 + 3 * barrier):
            for name in SERIES:
                if on[name] and random.random() < 0.5 - mood / 2:
                    events.append((time, name, "never" if random.random() < 0.2 else "ends"))
                    on[name] = False
                    if events[-1][2] == "never":
                        alerts[name].pop()
                elif not on[name] and random.random() < mood / 2:
                    back = alerts[name] and random.random() < 0.2
                    events.append((time, name, "not over" if back else "fires"))
                    on[name] = True
                    if not back:
                        alerts[name].append(time)
        found.append(events)
    return found


def findings(rules: Any, barriers: list[Events]) -> list[list[Any]]:
    """The same as stage 1 says it."""
    opened: dict[str, list[Any]] = {name: [] for name in SERIES}
    ended: dict[str, Any] = {}
    found = []
    for events in barriers:
        said = []
        for time, name, what in events:
            if what == "fires":
                each = f(rules, "firing", time, c=name)
                opened[name].append(each)
            elif what == "ends":
                each = ended[name] = f(rules, "resolved", time, at_of(opened[name][-1]), c=name)
            else:
                last = opened[name].pop() if what == "never" else ended[name]
                each = taken_back(rules, last, name)
            said.append(each)
        found.append(said)
    return found


def at_of(finding: Any) -> int:
    return int((parse_own_time(finding.event_time) - T0) // DAY)


def taken_back(rules: Any, last: Any, name: str) -> Any:
    opened = int((parse_own_time(last.opened_event_time) - T0) // DAY)
    more: dict[str, Any] = {"status": "withdrawn", "revision": 1, "replaces": last}
    return f(rules, last.transition, at_of(last), opened, c=name, **more)


def as_ordered(said: list[Any]) -> Events:
    """What the barrier hands on, at the event times by which it is ordered."""
    found, latest = [], 0
    for each in in_order(said):
        latest = max(latest, at_of(each))
        what = {("firing", False): "fires", ("resolved", False): "ends", ("firing", True): "never"}
        taken_back = each.status == "withdrawn"
        found.append((latest, each.dimensions["c"], what.get((each.transition, taken_back), "not over")))
    return found


def written(world: World, barriers: list[list[Any]], partitions: int, random: Random) -> None:
    """Series are spread over partitions, which come in any order between two barriers."""
    for number, said in enumerate(barriers, 1):
        streams = [
            [each for each in said if int(each.dimensions["c"][1:]) % partitions == p] for p in range(partitions)
        ]
        for partition, stream in enumerate(streams):
            stream.append(Progress(partition, number, tick_time(number)))
        world.write_mixed(streams, random)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 9), st.integers(1, 3))
def test_every_alert_is_where_the_twin_has_it(seed: int, limit: int, partitions: int):
    rules = limited(limit)
    said = findings(rules, history(Random(seed)))
    world, twin = World(rules, partitions=partitions), NaiveLimit(limit)
    own: set[tuple[str, int]] = set()
    for barrier in range(BARRIERS):
        written(world, [[]] * barrier + [said[barrier]], partitions, Random(seed))
        for each in world.run():
            if each.data.scope != SCOPE and short(each) == "opened":
                own.add((each.data.dimensions["c"], int((parse_own_time(each.data.first_event_time) - T0) // DAY)))
            elif each.data.scope == SCOPE and isinstance(each.data.evidence, GroupEvidence):
                last = each
                assert explain(told_of(to_builtins(each))).failures == (), each.data.explanation
        twin.barrier(as_ordered(said[barrier]))
        assert twin.own() <= own
        storm = [review for review in world.stage.book.of(("high", SCOPE)) if review.alert == "on"]
        assert len(storm) == (1 if twin.storm() else 0)
        if twin.storm():
            evidence = last.data.evidence
            assert {each.series[len('traffic{"c":"') : -2] for each in evidence.listed} == twin.storm()
            assert (evidence.count, evidence.storm.rages) == (len(twin.storm()), twin.rages)


def bytes_of(outputs: list[Any]) -> list[Any]:
    return sorted((each.topic, each.record.key or b"", each.record.value) for each in outputs)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 6))
def test_however_series_are_spread_and_partitions_come_and_workers_die_the_bytes_are_the_same(seed: int, limit: int):
    rules = limited(limit)
    said = findings(rules, history(Random(seed)))
    found = []
    for partitions in (1, 2, 3):
        world, random = World(rules, partitions=partitions), Random(f"{seed}-{partitions}")
        written(world, said, partitions, random)
        stage, outputs, at = Stage2(0, world.context), [], 0
        while at < len(world.log):
            size = random.choice([1, 5, 40])
            outputs += apply(stage, world.log, at, at + size)
            at = min(len(world.log), at + size)
            if random.random() < 0.3:
                pages, stage = stage.all_pages(), Stage2(0, world.context)
                stage.restore(pages)
        found.append(bytes_of(outputs))
    assert found[0] == found[1] == found[2]


def test_the_histories_of_these_properties_reach_storms_and_all_that_becomes_of_them():
    told = set()
    for seed in range(12):
        rules = limited(4)
        world = World(rules)
        written(world, findings(rules, history(Random(seed))), 1, Random(seed))
        told |= {(each.data.scope == SCOPE, short(each)) for each in triggers_of(apply(world.stage, world.log, 0))}
    storms = {"opened", "updated", "renotified", "resolved", "reopened"}
    assert {(True, happening) for happening in storms} <= told
    assert {(False, happening) for happening in ("opened", "resolved", "withdrawn", "reopened")} <= told
