"""What things are called: series keys, scopes, ids. Pure functions of contents, never of positions or clocks."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import xxhash

if TYPE_CHECKING:
    from collections.abc import Mapping

_encoder = msgspec.json.Encoder(order="sorted")


def scope_key(dimensions: Mapping[str, str]) -> str:
    """Dimensions as compact JSON with sorted names: `{"origin":"EWR"}`; `{}` for none."""
    return _encoder.encode(dict(dimensions)).decode()


def series_key(kpi: str, dimensions: Mapping[str, str]) -> str:
    """The canonical key of a series: `flights.delay{"origin":"EWR"}`. Its UTF-8 bytes decide the partition."""
    return kpi + scope_key(dimensions)


def id_hash(identifier: bytes) -> int:
    """XXH64 (seed 0) of a measurement id's UTF-8 bytes; evidence sums these modulo 2**64."""
    return xxhash.xxh64_intdigest(identifier)


def digest(*parts: str | int) -> str:
    """A 128-bit BLAKE2b digest of the parts as JSON, in hex: the form of every id that the engine makes."""
    return blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def digest_of(value: object) -> str:
    """The same digest of one JSON value with sorted keys: names a part of the evidence, or a rule set."""
    return blake2b(_encoder.encode(value), digest_size=16).hexdigest()


def finding_id(rule: str, series: str, event_time: int, transition: str, revision: int) -> str:
    """A finding is one verdict: the same verdict always has the same id."""
    return digest("finding", rule, series, event_time, transition, revision)


def review_id(rule: str, scope: str, opened_event_time: int) -> str:
    """A review is one rule's obligation on one scope from one event time on."""
    return digest("review", rule, scope, opened_event_time)


def trigger_id(review: str, ordinal: int) -> str:
    """The `ordinal`-th transition in a review's life, from 1."""
    return f"{review}-{ordinal}"


def derived_measurement_id(kpi: str, dimensions: Mapping[str, str], time: int) -> str:
    """The id of a measurement that came without one: the same KPI, dimensions and time is the same measurement."""
    return digest("measurement", series_key(kpi, dimensions), time)


def derived_id_beginning(kpi: str, dimensions: Mapping[str, str]) -> bytes:
    """Of the JSON that `derived_measurement_id` digests what stands before the time; a bracket follows that."""
    return msgspec.json.encode(("measurement", series_key(kpi, dimensions)))[:-1] + b","
