"""What the log says: the same bytes, where they differ, and what is gone."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from explain_world import World, make_world, world
from memory_installation import PARTITIONS
from test_explain_golden import CASES
from test_explain_tampered import at, instead, leaves, with_leaf, written

from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.offline.explain.given import given
from engine.offline.explain.log_check import Question, ask_log
from engine.offline.explain.log_stages import first_activation
from engine.runtime.context import StageContext
from engine.runtime.ports import Output
from engine.wire.batch import Record

if TYPE_CHECKING:
    from engine.offline.explain.log_verdict import LogVerdict


def asked(there: World, event: bytes | dict[str, Any], **question: Any) -> LogVerdict:
    told = given(msgspec.json.decode(event) if isinstance(event, bytes) else event)
    return asyncio.run(ask_log(Question(there.log, StageContext, **question), told))


@pytest.mark.parametrize("name", CASES)
def test_a_trigger_of_every_kind_comes_out_of_the_log_again(name: str):
    verdict = asked(world(), world().of(*CASES[name]))
    assert (verdict.verdict, verdict.differences) == ("same bytes", ())
    assert "of stage 1 that it rests on" in str(verdict.detail)


@pytest.mark.parametrize("name", ["threshold_above_for", "change_relative", "missing_data", "composite_any"])
def test_every_leaf_that_was_changed_is_named_by_the_log(name: str):
    event = msgspec.json.decode(world().of(*CASES[name]))
    paths = list(leaves(event))
    for path in paths[::9]:
        value = at(event, path)
        other = next(each for each in instead(value) if each != value)
        verdict = asked(world(), with_leaf(event, path, other))
        assert verdict.verdict == "differs", written(path)
        assert [each.path for each in verdict.differences] == [written(path)]


def test_white_space_and_order_of_a_file_are_no_difference():
    event = json.loads(world().of("orders-fall", "opened"))
    assert asked(world(), json.dumps(event, indent=4, sort_keys=True).encode()).verdict == "same bytes"


def test_a_trigger_that_was_never_written_is_not_in_the_log():
    event = msgspec.json.decode(world().of("orders-fall", "opened"))
    event["id"], event["data"]["review"] = "0" * 32 + "-1", "0" * 32
    verdict = asked(world(), event)
    assert verdict.verdict == "differs"
    assert "puts out no trigger" in str(verdict.detail)


def test_what_retention_took_is_said_by_its_offset():
    there = make_world()
    trigger = there.of("orders-fall", "opened")
    for partition in range(PARTITIONS):
        there.log.lose_below(MEASUREMENTS, partition, 40)
    verdict = asked(there, trigger)
    assert verdict.verdict == "gone"
    assert f"records before offset 40 of {MEASUREMENTS}" in str(verdict.detail)
    assert "from the findings on: same bytes" in str(verdict.detail)
    for partition in range(PARTITIONS):
        there.log.lose_below(FINDINGS, partition, 30)
    verdict = asked(there, trigger)
    assert verdict.verdict == "gone"
    assert f"records before offset 30 of {FINDINGS}" in str(verdict.detail)


def test_a_trigger_that_the_topic_no_longer_holds_still_comes_out_of_the_log():
    there = make_world()
    trigger = there.of("growth-paid-for", "opened")
    for partition in range(PARTITIONS):
        there.log.lose_below(TRIGGERS, partition, 10_000)
    assert asked(there, trigger).verdict == "same bytes"


def test_since_begins_later_and_says_so():
    there = world()
    trigger = there.of("latency-above", "opened")

    async def begin(_: int) -> int:
        return 5

    verdict = asked(there, trigger, begin=begin, since=True)
    assert verdict.verdict == "same bytes"
    assert "what stood before --since was not read" in str(verdict.detail)


def test_another_measurement_in_the_log_is_seen_in_what_stage_1_says_of_it():
    there, honest = make_world(orders_eu_15=101.5), world()
    for topic in (FINDINGS, TRIGGERS):
        there.log.recreate(topic)
        for partition in range(PARTITIONS):
            records = [Record(*record[1:]) for record in honest.log.records(topic, partition)]
            there.log.append_now([Output(topic, partition, record) for record in records])
    verdict = asked(there, honest.of("orders-fall", "opened"))
    assert verdict.verdict == "differs"
    assert "than stage 1 says of measurements" in str(verdict.detail)
    assert "evidence.baseline_points[3].value" in [each.path for each in verdict.differences]


def test_a_worker_that_was_to_begin_at_the_end_began_at_its_first_activation():
    there = world()
    places = [asyncio.run(first_activation(there.log, partition)) for partition in range(PARTITIONS)]
    for partition, place in enumerate(places):
        [record] = [each for each in there.log.records(MEASUREMENTS, partition) if b'"activate"' in (each.value or b"")]
        assert place == record.offset
