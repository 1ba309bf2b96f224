"""A log told once more by a stage that nothing happens to, and how what is said is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.runtime.ports import Position
from engine.simulate.watch import require
from engine.simulate.world import finish

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.runtime.memory_log import MemoryLog
    from engine.runtime.ports import Output, Stage

Said = tuple[str, bytes | None, bytes | None]
"""Topic, key and value: what of an output is promised."""


def tell(log: MemoryLog, topic: str, partition: int, stage: Stage) -> list[Output]:
    """All that a fresh stage says to one partition of a log."""
    outputs: list[Output] = []
    offset = 0
    while (batch := finish(log.read(topic, partition, offset, records_max=1_000_000))) is not None:
        outputs += stage.apply(batch)
        offset = batch.next_offset
    stage.close()
    return outputs


def position_of(headers: Iterable[tuple[str, bytes]]) -> Position | None:
    """The position that a record carries, if any."""
    return next((Position.decode(value) for name, value in headers if name == Position.HEADER), None)


def require_equal(what: str, found: set[Said], expected: set[Said]) -> None:
    """InvariantError with an example of what is missing or too many."""
    missing, extra = expected - found, found - expected
    require(
        not missing and not extra,
        f"{what}: {len(missing)} are missing, such as {next(iter(missing), None)}; "
        f"{len(extra)} are too many, such as {next(iter(extra), None)}",
    )
