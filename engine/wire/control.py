"""Control records among the measurements: only a record with our header is one, so that none is made by accident."""

from __future__ import annotations

import msgspec

from engine.errors import WireError
from engine.model.records import Activate, Ingested, Rebaseline, Tick
from engine.wire.batch import Record

HEADER = "counterpoint-control"
"""A record with this header, whatever its value, is a control record."""

ControlRecord = Tick | Activate | Ingested | Rebaseline

_decoder = msgspec.json.Decoder(ControlRecord)
_encoder = msgspec.json.Encoder()


def encode_control(record: ControlRecord) -> Record:
    """The record as it is appended to a measurements partition: no key, marked by the header."""
    return Record(None, _encoder.encode(record), ((HEADER, b"1"),))


def is_control(headers: tuple[tuple[str, bytes], ...]) -> bool:
    """Whether a record with these headers is a control record."""
    return any(name == HEADER for name, _ in headers)


def decode_control(value: bytes | None) -> ControlRecord:
    """The control record that a marked record's value holds; WireError `bad_control`."""
    try:
        record: ControlRecord = _decoder.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError("bad_control", f"expected a tick, activate, ingested or rebaseline record: {error}") from error
    return record
