"""What stage 2 works out of formulas goes back to stage 1, where one process has both.

A worker sends it to the topic of measurements; there it comes behind the tick at which it was worked out, and here as
well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.topics import MEASUREMENTS
from engine.wire.batch import Batch
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.runtime.ports import Output


def batch_of(outputs: Iterable[Output], offsets: Callable[[int], int]) -> Batch | None:
    """What of the outputs of stage 2 is measured, as a batch; `offsets` gives so many, from the one returned on. None
    where there is nothing.
    """
    records = [output.record for output in outputs if output.topic == MEASUREMENTS]
    if not records:
        return None
    base = offsets(len(records))
    end = base + len(records)
    return Batch(MEASUREMENTS, 0, base, end - 1, end, encode_batch(records, base))
