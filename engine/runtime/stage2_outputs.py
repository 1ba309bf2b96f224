"""What stage 2 says, as records of the topics that it goes to."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from engine.model.audit import CommandEntry
from engine.model.formula import SOURCE
from engine.model.identity import series_key
from engine.model.outputs import DeadLetter, WorkedOut
from engine.model.records import Answered
from engine.model.time import format_time
from engine.model.topics import AUDIT, DEAD_LETTERS, FINDINGS, MEASUREMENTS, SHADOW_TRIGGERS, TRIGGERS
from engine.review.telling import Telling
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.encode import encode_measurement, encode_record

if TYPE_CHECKING:
    from engine.correlate.formulas import Derived
    from engine.errors import WireError
    from engine.review.advance import Said
    from engine.wire.batch import LogRecord

    Headers = tuple[tuple[str, bytes], ...]

_BYTES_KEPT = 1_000


def told(said: Said, headers: Headers) -> Output:
    """A trigger, an answer to a command, or word of a verdict."""
    match said:
        case Telling():
            key = said.trigger.data.review.encode()
            topic = SHADOW_TRIGGERS if said.shadow else TRIGGERS
            return Output(topic, None, Record(key, encode_record(said.trigger), headers))
        case CommandEntry():
            return Output(AUDIT, 0, Record(said.command.review.encode(), encode_record(said), headers))
        case Answered():
            return Output(FINDINGS, None, Record(said.about.encode(), encode_record(said), headers))


def measured(value: Derived) -> Output:
    """What was worked out goes the way of what is measured; the header says from what, for people."""
    message = encode_measurement(
        value.kpi, value.window.start, value.value, value.dimensions, source=SOURCE, revision=value.revision
    )
    worked_out = encode_record(WorkedOut(format_time(value.at), value.inputs))
    key = series_key(value.kpi, value.dimensions).encode()
    return Output(MEASUREMENTS, None, Record(key, message, ((WorkedOut.HEADER, worked_out),)))


def refused(record: LogRecord, error: WireError, partition: int, headers: Headers) -> Output:
    """The dead letter of a record of the findings topic."""
    letter = DeadLetter(
        reason=error.reason,
        detail=error.detail,
        path=error.path,
        topic=FINDINGS,
        partition=partition,
        offset=record.offset,
        index=None,
        bytes=b64encode((record.value or b"")[:_BYTES_KEPT]).decode(),
    )
    return Output(DEAD_LETTERS, 0, Record(None, encode_record(letter), headers))
