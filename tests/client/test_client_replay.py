from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.client.replay import Replay, Sent
from engine.errors import WireError
from engine.model.identity import series_key
from engine.model.time import HOUR, parse_own_time
from engine.wire.control import is_control
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kept:
    """A sink that keeps what it is sent, by partition."""

    def __init__(self, partitions: int) -> None:
        self.logs: list[list[tuple[bool, dict[str, object]]]] = [[] for _ in range(partitions)]
        self.flushed = False

    def send(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        assert value is not None
        control = is_control(tuple(headers))
        assert control == (key is None)
        self.logs[partition].append((control, msgspec.json.decode(value)))

    def flush(self) -> None:
        self.flushed = True

    def numbers(self, partition: int) -> list[object]:
        return [record["number"] for control, record in self.logs[partition] if control]


def test_each_measurement_goes_to_the_owner_of_its_series() -> None:
    sink = Kept(4)
    replay = Replay(sink, 4, None)
    for number in range(20):
        replay.measurement("k", {"a": str(number)}, HOUR, number)
    for partition, log in enumerate(sink.logs):
        for _, record in log:
            dimensions = record["dimensions"]
            assert isinstance(dimensions, dict)
            assert owner(series_key("k", dimensions).encode(), 4) == partition
    assert sum(map(len, sink.logs)) == 20


def test_without_an_interval_there_are_no_ticks_and_no_order() -> None:
    sink = Kept(1)
    replay = Replay(sink, 1, None)
    replay.measurement("k", {}, 2 * HOUR, 1)
    replay.measurement("k", {}, HOUR, 1)
    assert replay.finish(10 * HOUR) == Sent(2, 0)
    assert sink.flushed


def test_a_tick_stands_behind_what_has_its_time_and_before_what_is_later() -> None:
    sink = Kept(1)
    replay = Replay(sink, 1, HOUR)
    for time in (HOUR // 2, HOUR, HOUR + 1, 3 * HOUR):
        replay.measurement("k", {}, time, 1)
    assert replay.finish(HOUR) == Sent(4, 5)
    shown = [("tick", r["number"]) if control else ("at", r["time"]) for control, r in sink.logs[0]]
    assert shown == [
        ("tick", 0),
        ("at", "1970-01-01T00:30:00Z"),
        ("at", "1970-01-01T01:00:00Z"),
        ("tick", 1),
        ("at", "1970-01-01T01:00:00.000001Z"),
        ("tick", 2),
        ("at", "1970-01-01T03:00:00Z"),
        ("tick", 3),
        ("tick", 4),
    ]


@given(st.lists(st.integers(0, 50 * 10), min_size=1), st.integers(1, 5), st.integers(0, 3))
def test_every_partition_has_the_same_ticks_one_after_the_other(times: list[int], partitions: int, extra: int) -> None:
    sink = Kept(partitions)
    replay = Replay(sink, partitions, 10)
    for number, time in enumerate(sorted(times)):
        replay.measurement("k", {"a": str(number % 3)}, time, 1)
    sent = replay.finish(extra * 10)
    numbers = sink.numbers(0)
    assert len(numbers) == sent.ticks
    assert all(sink.numbers(partition) == numbers for partition in range(partitions))
    first, last = min(times), max(times) + extra * 10
    assert numbers == list(range(-(-first // 10) - 1, last // 10 + 1))
    for log in sink.logs:
        newest = -10
        for control, record in log:
            time = parse_own_time(str(record["time"]))
            assert not control or newest <= time
            newest = max(newest, time)


def test_a_measurement_behind_a_tick_is_refused_with_the_mend() -> None:
    replay = Replay(Kept(1), 1, HOUR)
    replay.measurement("k", {}, 5 * HOUR, 1)
    with pytest.raises(WireError, match="sort them"):
        replay.measurement("k", {}, HOUR, 1)


def test_an_interval_far_too_short_for_the_history_is_refused() -> None:
    replay = Replay(Kept(1), 1, 1)
    replay.measurement("k", {}, 0, 1)
    with pytest.raises(WireError, match="longer tick interval"):
        replay.measurement("k", {}, HOUR, 1)
