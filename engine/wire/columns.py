"""The columnar interface between decoders and evaluation: what a stretch of a batch says, as arrays.

A decoder yields chunks; each ends before the end of the batch only because a control record stands there. What it asks
of its caller it asks through a `Resolver`, at once and in log order, so that an activation changes what the next record
means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from engine.errors import WireError
    from engine.model.records import Activate, Ingested, Rebaseline, Tick
    from engine.wire.batch import Batch

FOREIGN = -1
"""What a resolver answers for a series that another partition owns."""

SELF_REPORTED = 1
"""Bit in `flags`: provenance is self_reported."""


class Columns(NamedTuple):
    """Measurements of one stretch of the log, in log order; every array has one entry a measurement.

    `row` int32 series row, `time` int64 microseconds, `value` float64 finite, `id_hash` uint64 XXH64 of the id's bytes,
    `revision` int32, `flags` uint8, `offset` int64 of the record, `item` int32 index in its array or NDJSON (0 if
    single). The id's bytes are `ids[id_start : id_start + id_length]` (int32 both, `ids` uint8).
    """

    row: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    id_hash: NDArray[np.uint64]
    revision: NDArray[np.int32]
    flags: NDArray[np.uint8]
    offset: NDArray[np.int64]
    item: NDArray[np.int32]
    id_start: NDArray[np.int32]
    id_length: NDArray[np.int32]
    ids: NDArray[np.uint8]


class Rejected(NamedTuple):
    """An input that is refused; becomes a dead letter. `message` are the record's value bytes, whole."""

    offset: int
    error: WireError
    message: bytes


class Foreign(NamedTuple):
    """A measurement of a series that another partition owns: `key` its series key, `value` it alone as JSON."""

    offset: int
    item: int
    key: bytes
    value: bytes


class Control(NamedTuple):
    """A control record."""

    offset: int
    record: Tick | Activate | Ingested | Rebaseline


class Chunk(NamedTuple):
    """Measurements, what stood aside among them, and the control record that ended the stretch (None: end of batch).

    `asides` are in log order.
    """

    columns: Columns
    asides: tuple[Rejected | Foreign, ...]
    control: Control | None


class Resolver(Protocol):
    """Finds the row of a series, makes one for a new series, or refuses."""

    def __call__(self, kpi: str, dimensions: dict[str, str], source: str | None) -> int:
        """Row, or FOREIGN. WireError: unknown KPI, dimension or source not the KPI's, too many series."""


class Decoder(Protocol):
    """Turns batches into chunks. `message_at` gives back a record's value bytes of the batch last decoded."""

    def forget(self) -> None:
        """Ask the resolver anew for every series: rows were given out anew, or mean something else."""

    def decode(self, batch: Batch, resolve: Resolver) -> Iterator[Chunk]:
        """Yield the chunks of the batch. The generator resolves the next stretch only when asked for the next chunk.

        A chunk's arrays are void then, and when the next batch is decoded: who keeps them copies them.
        """

    def message_at(self, offset: int) -> bytes:
        """The value bytes of the record at `offset`, KeyError if it is not in the batch last decoded."""
