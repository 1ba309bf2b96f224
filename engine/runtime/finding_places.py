"""Where a record of the findings topic comes from, and whether it is one that this engine wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import WireError
from engine.model.finding import Finding
from engine.model.records import Answered, JoinRecord, Progress, ReviewCommand, Signal, Tick
from engine.model.time import parse_own_time
from engine.runtime.ports import Position

if TYPE_CHECKING:
    from engine.wire.batch import LogRecord
    from engine.wire.encode import FindingRecord

Place = tuple[int, int, int, int]
"""(semantics version, partition, offset, ordinal) of what caused a record."""

FROM_STAGE_1 = (Finding, JoinRecord, Signal, Progress)


def place_of(record: LogRecord, decoded: FindingRecord, measurements: int, findings: int) -> Place | None:
    """What caused a record, by its header: something in one of so many partitions of measurements or, for what
    stage 2 tells itself, of findings. None for what people and the tick writer send. WireError for a bad header.
    """
    if not isinstance(decoded, (*FROM_STAGE_1, Answered)):
        return None
    partitions = findings if isinstance(decoded, Answered) else measurements
    header = next((value for name, value in record.headers if name == Position.HEADER), None)
    if header is None:
        raise WireError("bad_position", f"expected the header {Position.HEADER} on what stages write, found none")
    try:
        semantics, partition, offset, ordinal = Position.decode(header)
    except ValueError as error:
        found = f"expected `1:0:4711:2` in the header {Position.HEADER}, found {header!r}"
        raise WireError("bad_position", found) from error
    reporter = decoded.partition if isinstance(decoded, Progress) else partition
    if partition not in range(partitions) or reporter != partition:
        raise WireError(
            "bad_position",
            f"expected a partition below {partitions}, found {partition}, {reporter}",
        )
    return semantics, partition, offset, ordinal


def checked(record: FindingRecord) -> FindingRecord:
    """WireError for times that this engine did not write: nothing behind this line meets one."""
    times: tuple[str | None, ...]
    match record:
        case Finding():
            times = (record.event_time, record.opened_event_time, record.tick_time)
        case JoinRecord():
            times = (record.window.start, record.window.end, record.parts.last_time)
        case Signal():
            times = (record.event_time,)
        case Progress() | Tick() | ReviewCommand() | Answered():
            times = (record.time,)
        case _:
            times = ()
    try:
        for time in times:
            if time is not None:
                parse_own_time(time)
    except (ValueError, TypeError) as error:
        raise WireError("bad_time", f"expected times as this engine writes them, found {time!r}") from error
    return record
