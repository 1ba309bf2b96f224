"""What a decoder makes of records, in a form in which two decoders can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import WireError
from engine.model.identity import series_key
from engine.wire.batch import Batch, Record
from engine.wire.columns import FOREIGN, Foreign
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.wire.columns import Chunk, Columns, Decoder
    from engine.wire.compression import Compression


class Rows:
    """A resolver: rows in order of appearance; one KPI is nobody's, one of another partition."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}

    def __call__(self, kpi: str, dimensions: dict[str, str], source: str | None) -> int:
        if kpi not in ("load", "größe", "elsewhere"):
            raise WireError("unknown_kpi", f"no KPI {kpi!r}", path="$.kpi")
        if source == "crm":
            raise WireError("source_not_allowed", "not from there", path="$.source")
        if kpi == "elsewhere":
            return FOREIGN
        return self.rows.setdefault(series_key(kpi, dimensions), len(self.rows))


def batch_of(records: Sequence[Record], base: int = 100, compression: Compression | None = None) -> Batch:
    return Batch(
        "t", 0, base, base + len(records) - 1, base + len(records), encode_batch(records, base, 0, compression)
    )


def said(decoder: Decoder, batch: Batch, rows: Rows) -> list[Any]:
    """Everything that the decoder says of the batch, in plain values; the last of it is the fault that it raised."""
    found: list[Any] = []
    try:
        for chunk in decoder.decode(batch, rows):
            found += _plain(chunk)
    except WireError as error:
        found.append(("raised", error.reason))
    return found


def _plain(chunk: Chunk) -> Iterator[Any]:
    yield from _measurements(chunk.columns)
    for aside in chunk.asides:
        if isinstance(aside, Foreign):
            yield tuple(aside)
        else:
            yield (
                aside.offset,
                aside.error.reason,
                aside.error.path,
                aside.error.index,
                aside.error.detail,
                aside.message,
            )
    yield chunk.control


def _measurements(columns: Columns) -> Iterator[Any]:
    ids, starts, lengths = columns.ids.tobytes(), columns.id_start.tolist(), columns.id_length.tolist()
    named = [ids[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    values = [value.hex() for value in columns.value.tolist()]  # minus zero is another value
    rest = (columns.row, columns.time, columns.id_hash, columns.revision, columns.flags, columns.offset, columns.item)
    return zip(named, values, *(column.tolist() for column in rest), strict=True)
