"""Reviews of many series: sources that fall silent, and composites, from findings to the exact list of triggers."""

from __future__ import annotations

from typing import Any

from stage2_world import (
    World,
    day,
    finding,
    rule_set,
    short,
    signal,
    standard,
    tick_time,
)

from engine.model.records import Activate

RULES = standard()


def silent(c: str, at: int = 3, rules: Any = RULES, **fields: Any):
    return finding("firing", at, rules=rules, name="quiet", c=c, **fields)


def heard(c: str, at: int, opened: Any = 3, **fields: Any):
    return finding("resolved", at, opened, rules=RULES, name="quiet", c=c, **fields)


def test_a_silent_source_is_one_review_with_its_members():
    world = World(RULES)
    for number in range(250):
        world.write(silent(f"{number:03d}"), 0)
    assert world.run() == []
    world.tick(73)
    [opened] = world.run()
    evidence = opened.data.evidence
    assert (opened.subject, opened.time, opened.data.event_time) == ("quiet|source:crm", tick_time(73), day(3))
    assert (evidence.count, len(evidence.listed), evidence.listed[0].series) == (250, 100, 'traffic{"c":"000"}')
    world.write(heard("000", 4), 0)
    world.write(silent("zzz", 4), 0)
    world.tick(74)
    [updated] = world.run()
    assert (short(updated), updated.data.evidence.count, updated.data.cause) == ("updated", 250, "1 joined, 1 left")
    for number in [*range(1, 250), "zzz"]:
        world.write(heard(number if number == "zzz" else f"{number:03d}", 5), 0)
    world.tick(75)
    assert world.told() == [("resolved", day(5), None)]
    world.write(silent("001", 9), 0)
    world.tick(76)
    [again] = world.run()
    assert (short(again), again.data.review == opened.data.review) == ("opened", False)


def test_silence_that_begins_and_ends_between_two_barriers_is_not_lost():
    world = World(RULES)
    world.write(silent("a"), 0)
    world.write(heard("a", 4), 0)
    world.tick(73)
    assert world.told() == [("opened", day(3), None), ("resolved", day(4), None)]


def test_a_group_whose_members_never_were_silent_is_withdrawn():
    world = World(RULES)
    world.write(silent("a"), 0)
    world.tick(73)
    world.write(
        finding("firing", 3, None, rules=RULES, name="quiet", status="withdrawn", revision=1, replaces=silent("a")), 0
    )
    world.tick(74)
    assert [each[0] for each in world.told()] == ["opened", "withdrawn"]


def test_a_member_whose_return_is_withdrawn_takes_the_resolution_back():
    world = World(RULES)
    world.write(silent("a"), 0)
    world.tick(73)
    world.write(heard("a", 4), 0)
    world.tick(74)
    world.write(heard("a", 4, status="withdrawn", revision=1, replaces=heard("a", 4)), 0)
    world.tick(75)
    triggers = world.run()
    assert [short(each) for each in triggers] == ["opened", "resolved", "reopened"]
    assert len({each.data.review for each in triggers}) == 1


def test_a_silence_rule_that_is_removed_ends_its_review_once():
    world = World(RULES)
    empty = rule_set()
    world.sets[empty.hash] = empty
    world.write(silent("a"), 0)
    world.tick(73)
    world.write(Activate(0, empty.hash, 74))
    world.tick(74)
    world.write(silent("a", rules=empty, status="withdrawn", revision=1, replaces=silent("a"), cause="rule removed"), 0)
    world.tick(75)
    assert world.told() == [("opened", day(3), None), ("withdrawn", day(3), "rule removed")]


def test_a_composite_of_all_needs_each_of_its_rules_somewhere_in_the_scope():
    world = World(RULES)
    for record in (signal("high", "firing", 3, series="x"), signal("high", "firing", 4, series="y")):
        world.write(record, 0)
    world.tick(1)
    assert world.told() == []
    world.write(signal("low", "firing", 5), 0)
    world.write(signal("low", "firing", 5, c="b"), 0)
    world.tick(2)
    [opened] = world.run()
    assert (opened.subject, opened.data.event_time, opened.data.evidence.count) == ('{"c":"a"}', day(5), 3)
    assert (opened.data.owner, opened.data.participants) == ("traffic-owner", ("nps-owner",))
    world.write(signal("high", "inactive", 6, series="x"), 0)
    world.tick(3)
    assert world.told() == [("updated", day(6), "0 joined, 1 left")]
    world.write(signal("high", "inactive", 7, series="y"), 0)
    world.tick(4)
    assert world.told() == [("resolved", day(7), None)]


def test_a_composite_holds_where_its_members_fired_at_one_time_though_their_partitions_say_so_at_different_barriers():
    """The first has long ceased to fire when the second is heard of."""
    world = World(RULES, partitions=2)
    world.write(signal("high", "firing", 3), 0)
    world.write(signal("high", "inactive", 5), 0)
    world.tick(1)
    assert world.told() == []
    world.write(signal("low", "firing", 4), 1)
    world.tick(2)
    opened, resolved = world.run()
    assert [short(opened), opened.data.event_time] == ["opened", day(4)]
    assert [short(resolved), resolved.data.event_time] == ["resolved", day(5)]
    assert [member.rule for member in opened.data.evidence.listed] == ["high", "low"]


def test_a_composite_of_any_needs_one():
    world = World(RULES)
    world.write(signal("low", "firing", 3, name="either"), 0)
    world.tick(1)
    world.write(signal("high", "firing", 4, name="either"), 0)
    world.write(signal("low", "inactive", 4, name="either"), 0)
    world.tick(2)
    world.write(signal("high", "inactive", 5, name="either"), 0)
    world.tick(3)
    assert [each[0] for each in world.told()] == ["opened", "updated", "resolved"]
