"""Reviews of one series, from records of the findings topic to the exact list of triggers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from stage2_world import (
    World,
    apply,
    day,
    finding,
    rule_set,
    short,
    spec,
    standard,
    tick_time,
    triggers_of,
)

from engine.model.limits import Limits
from engine.model.records import Tick
from engine.model.time import DAY
from engine.runtime.ports import Position
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from engine.model.trigger import ReviewTrigger

RULES = standard()
ANSWER = standard(review=spec("on_answer", participants=("sales",), question="Why?", runbook="https://r"))
LATE = "late measurement"


def f(transition: str, at: int, opened: Any = None, rules: Any = RULES, **fields: Any):
    return finding(transition, at, opened, rules=rules, **fields)


FIRED, CLEARED = f("firing", 3), f("resolved", 5, 3)
REFIRED = f("firing", 8)

SCENARIOS = {
    "fires and recovers": ([FIRED, CLEARED], [("opened", 3), ("resolved", 5)]),
    "a second alert is a second review": (
        [FIRED, CLEARED, REFIRED],
        [("opened", 3), ("resolved", 5), ("opened", 8)],
    ),
    "an equal finding again is nothing": ([FIRED, FIRED, CLEARED, CLEARED], [("opened", 3), ("resolved", 5)]),
    "amended while it fires": (
        [FIRED, f("firing", 3, status="amended", revision=1, replaces=FIRED)],
        [("opened", 3), ("updated", 3)],
    ),
    "amended to begin elsewhere, then recovers": (
        [FIRED, f("firing", 2, 2, status="amended", revision=1, replaces=FIRED), f("resolved", 5, 2)],
        [("opened", 3), ("updated", 2), ("resolved", 5)],
    ),
    "amended after it recovered": (
        [FIRED, CLEARED, f("firing", 3, status="amended", revision=1, replaces=FIRED)],
        [("opened", 3), ("resolved", 5), ("updated", 3)],
    ),
    "withdrawn while it fires": (
        [FIRED, f("firing", 3, status="withdrawn", revision=1, replaces=FIRED)],
        [("opened", 3), ("withdrawn", 3)],
    ),
    "withdrawn after it recovered, with its recovery": (
        [
            FIRED,
            CLEARED,
            f("firing", 3, status="withdrawn", revision=1, replaces=FIRED),
            f("resolved", 5, 3, status="withdrawn", revision=1, replaces=CLEARED),
        ],
        [("opened", 3), ("resolved", 5), ("withdrawn", 3)],
    ),
    "withdrawn, then fires at the same time after all": (
        [
            FIRED,
            f("firing", 3, status="withdrawn", revision=1, replaces=FIRED),
            f("firing", 3, revision=2),
            f("resolved", 5, 3),
        ],
        [("opened", 3), ("withdrawn", 3), ("reopened", 3), ("resolved", 5)],
    ),
    "the recovery is withdrawn: it fires on": (
        [FIRED, CLEARED, f("resolved", 5, 3, status="withdrawn", revision=1, replaces=CLEARED), f("resolved", 6, 3)],
        [("opened", 3), ("resolved", 5), ("reopened", 5), ("resolved", 6)],
    ),
    "the recovery is amended": (
        [FIRED, CLEARED, f("resolved", 5, 3, status="amended", revision=1, replaces=CLEARED)],
        [("opened", 3), ("resolved", 5), ("updated", 5)],
    ),
    "two alerts turn out to be one": (
        [
            FIRED,
            CLEARED,
            REFIRED,
            f("resolved", 9, 8),
            f("resolved", 5, 3, status="withdrawn", revision=1, replaces=CLEARED),
            f("firing", 8, status="withdrawn", revision=1, replaces=REFIRED),
            f("resolved", 9, 3, status="amended", revision=1, replaces=f("resolved", 9, 8)),
        ],
        [
            ("opened", 3),
            ("resolved", 5),
            ("opened", 8),
            ("resolved", 9),
            ("reopened", 5),
            ("withdrawn", 8),
            ("resolved", 9),
        ],
    ),
    "one alert turns out to be two": (
        [
            FIRED,
            f("resolved", 9, 3),
            f("resolved", 5, 3, revision=1),
            f("firing", 8, revision=1),
            f("resolved", 9, 8, status="amended", revision=1, replaces=f("resolved", 9, 3)),
        ],
        [("opened", 3), ("resolved", 9), ("updated", 5), ("opened", 8), ("resolved", 9)],
    ),
    "a recovery of nothing is nothing": ([CLEARED], []),
    "a withdrawal of nothing is nothing": ([f("firing", 3, status="withdrawn", revision=1, replaces=FIRED)], []),
    "an amended alert that nobody knew opens": (
        [f("firing", 3, status="amended", revision=1, replaces=FIRED)],
        [("opened", 3)],
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str):
    findings, expected = SCENARIOS[name]
    world = World(RULES)
    for each in findings:
        world.write(each, 0)
    assert [(kind, when) for kind, when, _ in world.told()] == [(kind, day(at)) for kind, at in expected]


def test_amendments_carry_their_cause_and_stay_in_the_review():
    world = World(RULES)
    world.write(FIRED, 0)
    world.write(f("firing", 3, status="amended", revision=1, replaces=FIRED), 0)
    first, second = world.run()
    assert (first.data.review, first.data.ordinal, first.data.cause) == (second.data.review, 1, None)
    assert (second.data.ordinal, second.data.cause, second.id) == (2, LATE, f"{first.data.review}-2")


def test_a_trigger_says_who_by_when_and_why():
    world = World(ANSWER)
    world.write(f("firing", 3, rules=ANSWER, tick=80), 0)
    [trigger] = world.run()
    data = trigger.data
    assert (trigger.specversion, trigger.source, trigger.type) == (
        "1.0",
        "/counterpoint",
        "counterpoint.review.opened.v1",
    )
    assert (trigger.subject, trigger.time, data.opened) == ('traffic{"c":"a"}', tick_time(80), tick_time(80))
    assert (data.owner, data.participants, data.objective, data.due) == (
        "traffic-owner",
        ("sales",),
        "growth",
        tick_time(80 + 30 * 24),
    )
    assert (data.kpi.id, data.question, data.runbook, data.rule_set) == ("traffic", "Why?", "https://r", ANSWER.hash)
    assert data.explanation == "Traffic of {c a} was 12 on 2024-01-03, above 10."


def test_before_the_first_tick_the_event_time_stands_in():
    world = World(RULES)
    world.write(f("firing", 3, tick_time=None), 0)
    [trigger] = world.run()
    assert (trigger.time, trigger.data.due) == (day(3), day(33))


def without_rule_set(trigger: ReviewTrigger) -> bytes:
    """Without what names the mode of the rule: the set, its excerpt, and the digests over them."""
    data = msgspec.structs.replace(trigger.data, excerpt={}, digests={})
    told = encode_record(msgspec.structs.replace(trigger, data=data))
    return re.sub(rb'"rule_set":"[0-9a-f]+"', b'"rule_set":""', told)


def test_shadow_rules_are_counted_and_tell_nobody_what_they_would_have_told():
    told = {}
    for mode in ("on", "shadow"):
        rules = standard(mode=mode)
        world = World(rules)
        world.write(f("firing", 3, rules=rules), 0)
        world.write(f("resolved", 5, 3, rules=rules), 0)
        world.run()
        told[mode] = triggers_of(world.outputs), triggers_of(world.outputs, "shadow-triggers")
        assert ("reviews", "high", "shadow") in world.stage.counters or mode == "on"
    loud, silent = told["on"][0], told["shadow"][1]
    assert told["on"][1] == told["shadow"][0] == []
    assert [each.type for each in loud] == ["counterpoint.review.opened.v1", "counterpoint.review.resolved.v1"]
    assert [without_rule_set(each) for each in silent] == [without_rule_set(each) for each in loud]
    assert world.stage.counters["reviews", "high", "shadow"] == 2
    assert world.stage.counters["findings", "high", "firing", "new"] == 1


def test_history_is_marked_only_live_and_by_the_last_tick_of_the_partition():
    for domain, expected in (("live", [True, False]), ("replay", [False, False])):
        world = World(RULES, domain=domain, notify_within=2 * DAY)
        world.write(Tick("live", 100, day(20)))
        world.write(f("firing", 3), 0)
        world.write(f("firing", 18, c="b"), 0)
        triggers = world.run()
        assert [each.data.historical for each in triggers] == expected
        world.write(Tick("live", 99, day(2)))
        world.write(f("resolved", 5, 3), 0)
        [resolved] = world.run()
        assert resolved.data.historical == expected[0]


def test_a_rule_is_looked_up_in_the_set_that_its_finding_was_made_under():
    world = World(RULES)
    renamed = standard(title="Renamed")
    world.sets[renamed.hash] = renamed
    world.write(f("firing", 3, rules=renamed), 0)
    world.write(f("resolved", 5, 3), 0)
    assert [(each.data.title, each.data.rule_set) for each in world.run()] == [
        ("Renamed", renamed.hash),
        ("Title of high", RULES.hash),
    ]


def test_a_withdrawal_by_a_set_without_the_rule_still_ends_its_review():
    world = World(RULES)
    empty = rule_set()
    world.sets[empty.hash] = empty
    world.write(FIRED, 0)
    world.write(f("firing", 3, rules=empty, status="withdrawn", revision=1, replaces=FIRED, cause="rule removed"), 0)
    assert world.told()[1] == ("withdrawn", day(3), "rule removed")


def test_past_its_limit_a_review_is_refused_and_counted():
    world = World(RULES)
    context = msgspec.structs.replace(world.context, limits=Limits(reviews_open_max=2))
    stage = Stage2(0, context)
    for c in "abc":
        world.write(f("firing", 3, c=c), 0)
    world.write(f("resolved", 5, 3, c="a"), 0)
    world.write(f("firing", 8, c="d"), 0)
    triggers = triggers_of(apply(stage, world.log, 0))
    assert [(short(each), each.subject[-3]) for each in triggers] == [
        ("opened", "a"),
        ("opened", "b"),
        ("resolved", "a"),
        ("opened", "d"),
    ]
    assert stage.counters["refused", "too_many_reviews"] == 1


def test_a_series_that_flaps_keeps_only_its_newest_reviews():
    world = World(RULES)
    for number in range(60):
        world.write(f("firing", 3 + 2 * number), 0)
        world.write(f("resolved", 4 + 2 * number, 3 + 2 * number), 0)
    assert len(world.run()) == 120
    assert len(world.stage.book.reviews["high", 'traffic{"c":"a"}']) == 8


def test_what_is_no_record_becomes_a_dead_letter_and_its_neighbours_count():
    world = World(RULES)
    for junk in (b"", b"\xff", b"{", b'{"type":"finding"}', b'{"type":"nothing"}', b"null"):
        world.write(junk)
    world.write(FIRED)
    bad_time = msgspec.structs.replace(FIRED, event_time="yesterday")
    naive_time = msgspec.structs.replace(FIRED, event_time="2024-01-01T00:00:00")
    world.write(bad_time, 0)
    world.write(naive_time, 0)
    elsewhere = (Position.HEADER, Position(1, world.partitions, 0, 0).encode())
    world.log.append(Record(b"k", encode_record(FIRED), (elsewhere,)))
    world.write(FIRED, 0)
    assert [each[0] for each in world.told()] == ["opened"]
    letters = [msgspec.json.decode(each.record.value) for each in world.outputs if each.topic == "dead-letters"]
    assert [(each["offset"], each["reason"]) for each in letters] == [
        (0, "empty"),
        (1, "not_json"),
        (2, "not_json"),
        (3, "not_json"),
        (4, "not_json"),
        (5, "not_json"),
        (6, "bad_position"),
        (7, "bad_time"),
        (8, "bad_time"),
        (9, "bad_position"),
    ]


def test_repeats_by_a_stage_1_that_was_restarted_are_dropped():
    world = World(RULES)
    world.write(FIRED, 0)
    world.log.append(world.log[0])
    world.write(CLEARED, 0)
    world.log.extend(world.log[:3])
    assert [each[0] for each in world.told()] == ["opened", "resolved"]
    assert world.stage.counters["repeats_dropped"] == 4
