"""No false alarm: whatever the simulated worlds put out, through crashes, disorder and other rules, is consistent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from explain_world import explained
from sim_stages import rule_set, stages_subject

from engine.offline.explain.given import given
from engine.offline.explain.log_check import Question, ask_log
from engine.runtime.context import StageContext
from engine.simulate.run import simulate

if TYPE_CHECKING:
    from engine.offline.explain.log_verdict import LogVerdict
    from engine.simulate.world import World

BLOCK = 20
SEEDS = 200
ASKED_OF_EACH = 2
STORED = {each.hash: each for each in (rule_set(), rule_set(other=True))}


def triggers(world: World) -> list[bytes]:
    count = world.subject.partitions["findings"]
    records = [record for each in range(count) for record in world.memory.records("review-triggers", each)]
    return sorted({record.value for record in records if record.value is not None})


def asked(world: World, value: bytes) -> LogVerdict:
    def context(_: object, first: str, measurements: int, findings: int) -> StageContext:
        return StageContext(STORED, first, measurements, findings)

    return asyncio.run(ask_log(Question(world.memory, context), given(msgspec.json.decode(value))))


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_all_that_a_simulated_world_puts_out_is_consistent_and_comes_out_of_its_log_again(first: int):
    count = 0
    for seed in range(first, first + BLOCK):
        world = simulate(seed, stages_subject)
        said = triggers(world)
        for value in said:
            assert explained(value).failures == (), (seed, value)
        for value in said[:: max(1, len(said) // ASKED_OF_EACH)]:
            assert asked(world, value).verdict == "same bytes", (seed, value)
        count += len(said)
    assert count > BLOCK
