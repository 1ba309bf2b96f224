"""Grouping by scope: a storm is one review with members; told again only when it grew by a step."""

from __future__ import annotations

from typing import Any

import msgspec
from stage2_world import ABOVE, World, day, finding, rule, rule_set, short, spec

from engine.model.trigger import GroupEvidence
from engine.rules.resolved.rule import Step

RULES = rule_set(rule("high", "traffic", ABOVE, group_by=(), review=spec(renotify=Step(1.0, relative=True))))
SCOPE = "high|{}"


def f(transition: str, at: int, opened: int | None = None, **fields: Any):
    return finding(transition, at, opened, rules=RULES, scope=SCOPE, **fields)


def test_a_storm_of_5000_series_is_one_review_that_says_how_many():
    world = World(RULES)
    for number in range(5_000):
        world.write(f("firing", 3, c=f"s{number:04d}"), 0)
    world.tick(73)
    [trigger] = world.run()
    evidence = trigger.data.evidence
    assert isinstance(evidence, GroupEvidence)
    assert (short(trigger), evidence.count, len(evidence.listed)) == ("opened", 5_000, 100)
    assert trigger.data.explanation == "Title of high: 5000 series as of 2024-01-04T00:00:00Z."
    for number in range(5_000):
        world.write(f("resolved", 4, 3, c=f"s{number:04d}"), 0)
    world.tick(97)
    assert [short(each) for each in world.run()] == ["resolved"]


def test_a_storm_that_grows_is_told_again_when_it_has_doubled_and_else_only_noted():
    world = World(RULES)
    told = []
    number = 0
    for tick, size in enumerate([10, 14, 19, 20, 39, 40, 41], 73):
        while number < size:
            world.write(f("firing", 3, c=f"s{number:04d}"), 0)
            number += 1
        world.tick(tick)
        told += [(each.data.evidence.count, short(each)) for each in world.run()]
    assert told == [
        (10, "opened"),
        (14, "updated"),
        (19, "updated"),
        (20, "renotified"),
        (39, "updated"),
        (40, "renotified"),
        (41, "updated"),
    ]


def test_what_gets_worse_within_a_storm_is_no_member_more():
    world = World(RULES)
    world.write(f("firing", 3), 0)
    world.tick(73)
    world.write(msgspec.structs.replace(f("worsened", 4, 3), id="w"), 0)
    world.tick(97)
    assert [(short(each), each.data.evidence.count) for each in world.run()] == [("opened", 1)]
    assert day(3) == world.stage.correlator.joined["high", SCOPE].group.opened
