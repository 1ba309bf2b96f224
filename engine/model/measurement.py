"""One measurement as it stands on the wire: the contract that producers write."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Provenance = Literal["automated", "self_reported"]


class Measurement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A value of one KPI, for one set of dimension values, at one event time.

    `time` is RFC 3339 with an offset or `Z`, or seconds since the epoch. `value` is a finite number.
    `id` names the measurement: the same id with a revision not seen before restates it, the same id and
    revision is a repeat and counts once. Without an id one is derived from KPI, dimensions and time.
    """

    kpi: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    time: str | int | float
    value: int | float
    dimensions: dict[str, str] = {}
    id: str | None = None
    source: str | None = None
    provenance: Provenance = "automated"
    revision: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
