from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sim_stages import rule_set

from engine.errors import LogError, StateError
from engine.model.records import Activate, Tick
from engine.model.time import MINUTE, SECOND
from engine.runtime.acquire import acquire, live_tick, write_activations
from engine.runtime.cadence import Cadence, CadenceLimits
from engine.runtime.ports import Output
from engine.runtime.rule_sets import (
    first_rule_set,
    read_activations,
    read_rule_sets,
    request_activation,
    store_rule_set,
)
from engine.wire.batch import Record
from engine.wire.control import decode_control, is_control

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.runtime.memory_log import MemoryLog
    from engine.runtime.processor import Processor


def controls(log: MemoryLog, topic: str) -> list[object]:
    return [decode_control(r.value) for r in log.records(topic, 0) if is_control(r.headers)]


def test_rule_sets_are_read_back_by_hash(log: MemoryLog) -> None:
    for each in (rule_set(), rule_set(other=True), rule_set()):
        asyncio.run(store_rule_set(log, each))
    assert asyncio.run(read_rule_sets(log)) == {each.hash: each for each in (rule_set(), rule_set(other=True))}


def test_a_set_under_a_wrong_hash_is_refused(log: MemoryLog) -> None:
    log.append_now([Output("rule-sets", 0, Record(b"beef", rule_set().encoded))])
    with pytest.raises(StateError, match="store it again"):
        asyncio.run(read_rule_sets(log))


def test_the_offset_of_a_request_is_its_number(log: MemoryLog) -> None:
    numbers = [asyncio.run(request_activation(log, name, tick)) for name, tick in (("a", 0), ("b", 7))]
    assert numbers == [0, 1]
    assert asyncio.run(read_activations(log)) == [Activate(0, "a", 0), Activate(1, "b", 7)]
    assert asyncio.run(read_activations(log, after=0)) == [Activate(1, "b", 7)]
    assert asyncio.run(first_rule_set(log)) == "a"


def test_lost_requests_and_none_at_all_are_refused(log: MemoryLog) -> None:
    with pytest.raises(StateError, match="no rule set was ever activated"):
        asyncio.run(first_rule_set(log))
    asyncio.run(request_activation(log, "a", 0))
    log.lose_below("control", 0, 1)
    with pytest.raises(LogError, match="those below 1 are gone"):
        asyncio.run(read_activations(log))


def test_an_owner_writes_the_tick_first_and_then_what_its_partition_lacks(
    log: MemoryLog, make_processor: Callable[..., Processor]
) -> None:
    before = len(controls(log, "measurements"))
    for name in ("a", "b"):
        asyncio.run(request_activation(log, name, 0))
    tick = live_tick(125 * SECOND, MINUTE)
    processor = make_processor()
    assert asyncio.run(acquire(log, processor, tick)) == 0
    assert tick == Tick("live", 2, "1970-01-01T00:02:00Z")
    assert controls(log, "measurements")[before:] == [tick, Activate(0, "a", 0), Activate(1, "b", 0)]
    assert controls(log, "findings") == [tick]


def test_an_activation_is_not_written_again_by_a_successor(
    log: MemoryLog, make_processor: Callable[..., Processor]
) -> None:
    asyncio.run(request_activation(log, "a", 0))
    first, successor = make_processor(), make_processor()
    asyncio.run(acquire(log, first, None))
    asyncio.run(first.checkpoint())
    asyncio.run(acquire(log, successor, None))
    asyncio.run(request_activation(log, "b", 0))
    assert asyncio.run(write_activations(log, successor)) == 1
    written = [each for each in controls(log, "measurements") if isinstance(each, Activate)]
    assert [each.number for each in written] == [0, 1]


def test_partitions_take_turns_with_the_longest_replay_first() -> None:
    cadence: Cadence[str] = Cadence(CadenceLimits(cpu_share=0.1, replay_max=30 * SECOND, rest_min=SECOND))
    for place in "ab":
        cadence.joined(place)
    assert cadence.due(now=0) is None
    cadence.worked("a", 2 * SECOND)
    cadence.worked("b", 3 * SECOND)
    assert (cadence.due(now=0), cadence.replay) == ("b", 3 * SECOND)
    cadence.written("b", now=10 * SECOND, duration=SECOND)
    assert cadence.due(now=19 * SECOND) is None
    assert cadence.due(now=20 * SECOND) == "a"


def test_a_long_replay_does_not_wait_for_the_rest() -> None:
    cadence: Cadence[str] = Cadence(CadenceLimits(cpu_share=0.01, replay_max=30 * SECOND))
    cadence.joined("a")
    cadence.written("a", now=0, duration=60 * SECOND)
    cadence.worked("a", 30 * SECOND)
    assert cadence.due(now=1) == "a"
    cadence.left("a")
    assert cadence.due(now=1) is None
