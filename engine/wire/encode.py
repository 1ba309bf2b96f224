"""What senders and stages write, as canonical JSON, and the findings topic read back."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import msgspec

from engine.errors import WireError
from engine.model.finding import Finding
from engine.model.measurement import Measurement, Provenance
from engine.model.records import Activate, Answered, JoinRecord, Progress, ReviewCommand, Signal, Tick
from engine.model.time import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

FindingRecord = Finding | JoinRecord | Signal | ReviewCommand | Answered | Progress | Activate | Tick
"""What may stand on the findings topic, told apart by `type`."""

_encoder = msgspec.json.Encoder(order="deterministic")
_findings = msgspec.json.Decoder(FindingRecord)


def encode_measurement(
    kpi: str,
    time: int | str,
    value: float,
    dimensions: Mapping[str, str] | None = None,
    *,
    id: str | None = None,  # noqa: A002 (the field's name in the contract)
    source: str | None = None,
    provenance: Provenance = "automated",
    revision: int = 0,
) -> bytes:
    """One measurement as JSON. `time` is microseconds since the epoch, or a time as it shall stand (RFC 3339).

    The same arguments give the same bytes. WireError `not_finite` for a value that no measurement may have.
    """
    if not isfinite(value):
        raise WireError("not_finite", f"expected a finite number, found {value}", path="$.value")
    written = time if isinstance(time, str) else format_time(time)
    return _encoder.encode(
        Measurement(kpi, written, value, dict(dimensions or {}), id, source, provenance, revision),
    )


def encode_record(record: msgspec.Struct) -> bytes:
    """Any of our structs as JSON: fields in their order, names of mappings sorted."""
    return _encoder.encode(record)


def decode_finding_record(value: bytes | None) -> FindingRecord:
    """A record of the findings topic; WireError `empty`, `not_utf8` or `not_json` when it is none."""
    if not value:
        raise WireError("empty", "a record of the findings topic has a value")
    try:
        record: FindingRecord = _findings.decode(value)
    except UnicodeDecodeError as error:
        raise WireError("not_utf8", str(error)) from error
    except msgspec.MsgspecError as error:
        raise WireError("not_json", f"expected a record of the findings topic: {error}") from error
    return record
