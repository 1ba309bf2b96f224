"""Emitting measurements from a running service: thousands a second from one core, kept while the broker is away.

Library: kafka-python, because it is pure Python: a service that emits needs no compiler and no librdkafka. Its `send`
costs twice of all else that is done here for a measurement; `engine.client.producer` says what stands in its place.
"""

from __future__ import annotations

import atexit
import logging
import threading
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from engine.client.connect import connect
from engine.client.outbox import MESSAGE_BYTES_MAX, BufferFullError, Outbox
from engine.errors import BrokerError, WireError
from engine.model.identity import derived_id_beginning, series_key
from engine.model.time import SECOND, format_time, from_datetime
from engine.model.topics import MEASUREMENTS, full_name
from engine.wire.encode import encode_measurement
from engine.wire.partition import owner
from engine.wire.times import parse_time, within_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from engine.client.waiting import Full
    from engine.model.measurement import Provenance
    from engine.model.time import Micros

_log = logging.getLogger(__name__)

BUFFER_BYTES = 32 * 1024 * 1024
"""Some 150,000 measurements."""
_SERIES_MAX = 100_000
"""Series whose key and partition are remembered; past it they are forgotten and found again."""


class _Series(NamedTuple):
    key: bytes
    partition: int
    id_beginning: bytes


class MeasurementEmitter:
    """Sends measurements to the installation `prefix`; a context manager, for any number of threads.

    What is emitted goes out in batches within `linger_ms`, and waits in at most `buffer_bytes` of memory until the
    broker has it, however long it is away. `full` says what `emit` does when there is no room: "block" up to `seconds`
    and then raise BufferFullError, "raise" it at once, or "drop" the measurement and count it in `dropped`. `seconds`
    is how long any call may wait for the broker. When the program ends it is flushed, as `close` does.

    BrokerError when no broker or no topic is found to begin with. `api_version` is the broker's, asked for where it is
    not given.
    """

    def __init__(
        self,
        brokers: Sequence[str],
        *,
        prefix: str,
        source: str | None = None,
        full: Full = "block",
        seconds: float = 30.0,
        buffer_bytes: int = BUFFER_BYTES,
        linger_ms: int = 20,
        compression: str | None = None,
        api_version: tuple[int, ...] | None = None,
    ) -> None:
        self._brokers, self._source, self._seconds = ",".join(brokers), source, seconds
        self._topic = full_name(prefix, MEASUREMENTS)
        self._full = full
        self._patience = seconds if full == "block" else 0.0
        self._dropped = 0
        self._refused = 0
        self._counting = threading.Lock()
        self._series: dict[tuple[object, ...], _Series] = {}
        connected = partial(
            connect,
            list(brokers),
            self._topic,
            buffer_bytes,
            linger_ms=linger_ms,
            compression_type=compression,
            max_block_ms=int(seconds * 1_000),
            bootstrap_timeout_ms=int(seconds * 1_000),
            api_version=api_version,
        )
        self._outbox = Outbox(connected, buffer_bytes)
        self._at_exit = partial(_close_at_exit, self._outbox, seconds)
        atexit.register(self._at_exit)

    @property
    def pending(self) -> int:
        """Measurements that the broker has not acknowledged yet."""
        return self._outbox.pending

    @property
    def dropped(self) -> int:
        """Measurements that found no room, with `full="drop"`."""
        return self._dropped

    @property
    def failed(self) -> int:
        """Measurements that the broker refused: sent again they would be refused again."""
        return self._outbox.failed

    def emit(
        self,
        kpi: str,
        dimensions: Mapping[str, str],
        time: datetime | str | float,
        value: float,
        *,
        id: str | None = None,  # noqa: A002 (the field's name in the contract)
        provenance: Provenance = "automated",
        revision: int = 0,
    ) -> None:
        """Put one on its way. `time` is an aware datetime, RFC 3339, or seconds since the epoch.

        Without an id it gets the one that KPI, dimensions and time give. WireError for a time, value or length that no
        measurement may have; BufferFullError as `full` says; BrokerError when closed.
        """
        series = self._series.get((kpi, *dimensions.items())) or self._remember(kpi, dimensions)
        micros = _micros(time)
        message = encode_measurement(
            kpi,
            written_time(micros),
            value,
            dimensions,
            id=id if id is not None else derived_id(series.id_beginning, micros),
            source=self._source,
            provenance=provenance,
            revision=revision,
        )
        if len(message) > MESSAGE_BYTES_MAX:
            raise WireError("too_long", f"expected at most {MESSAGE_BYTES_MAX} bytes, found {len(message)}")
        if not self._outbox.send(series.partition, series.key, message, self._patience):
            self._tell_full()

    def _remember(self, kpi: str, dimensions: Mapping[str, str]) -> _Series:
        key = series_key(kpi, dimensions).encode()
        found = _Series(key, owner(key, self._outbox.partitions), derived_id_beginning(kpi, dimensions))
        if len(self._series) >= _SERIES_MAX:
            self._series = {}
        self._series[kpi, *dimensions.items()] = found
        return found

    def _tell_full(self) -> None:
        if self._full != "drop":
            raise BufferFullError(
                f"expected room for a measurement within {self._patience:g} s, found {self.pending} that "
                f"{self._brokers} has not acknowledged; is it away, or slower than what is emitted?"
            )
        with self._counting:
            self._dropped += 1
            first = self._dropped == 1
        if first:
            _log.warning("measurements are dropped: %d wait for %s", self.pending, self._brokers)

    def flush(self) -> None:
        """Return when everything emitted so far is acknowledged.

        BrokerError when it is not in time: it is kept and sent on. BrokerError when the broker refused some since the
        last flush: they are gone.
        """
        self._require_settled(self._outbox.flush(self._seconds), "; they are sent on")

    def close(self) -> None:
        """Flush, and let go of the connections. BrokerError as `flush`; what is not acknowledged is gone then."""
        atexit.unregister(self._at_exit)
        self._require_settled(self._outbox.close(self._seconds), "; they are lost")

    def _require_settled(self, settled: bool, otherwise: str) -> None:  # noqa: FBT001 (what was found)
        if not settled:
            raise BrokerError(
                f"expected {self._topic} to be acknowledged within {self._seconds:g} s, found {self.pending} "
                f"measurements that are not{otherwise}"
            )
        refused, self._refused = self.failed - self._refused, self.failed
        if refused:
            raise BrokerError(f"{refused} measurements for {self._topic} were refused: {self._outbox.last_error!r}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _micros(time: datetime | str | float) -> Micros:
    if isinstance(time, str | int | float):
        return parse_time(time)
    if time.tzinfo is None:
        return parse_time(time.isoformat())  # which says what is wrong with it
    return within_range(from_datetime(time), time, "$.time")


def written_time(micros: Micros) -> str:
    """As `format_time`, for many times of few seconds."""
    seconds, fraction = divmod(micros, SECOND)
    whole = _second(seconds)
    return f"{whole}.{fraction:06d}".rstrip("0") + "Z" if fraction else whole + "Z"


@lru_cache(maxsize=4_096)
def _second(seconds: int) -> str:
    return format_time(seconds * SECOND)[:-1]


def derived_id(beginning: bytes, micros: Micros) -> str:
    """As `derived_measurement_id`, with what all ids of a series begin with at hand."""
    return blake2b(b"%b%d]" % (beginning, micros), digest_size=16).hexdigest()


def _close_at_exit(outbox: Outbox, seconds: float) -> None:
    """A program that ends without `close` has its measurements sent all the same, or is told how many were not."""
    if not outbox.close(seconds):
        left = outbox.pending
        _log.error("at the end: %d measurements were not acknowledged within %g s; they are lost", left, seconds)
