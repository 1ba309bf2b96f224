"""One measurement as it stands on the wire: the contract that producers write."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Provenance = Literal["automated", "self_reported"]

Rfc3339 = Annotated[
    str,
    msgspec.Meta(
        extra_json_schema={
            "format": "date-time",
            "pattern": r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$",
            "examples": ["2013-02-08T05:00:00Z", "2013-02-08T00:00:00-05:00"],
        }
    ),
]
"""For the schema; what a time must be in full says `wire.times`."""

EpochSeconds = Annotated[
    int | float, msgspec.Meta(extra_json_schema={"minimum": -1e11, "maximum": 1e11, "examples": [1360299600]})
]


class Measurement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A value of one KPI, for one set of dimension values, at one event time.

    `time` is RFC 3339 with an offset or `Z`, or seconds since the epoch. `value` is a finite number.
    `id` names the measurement: the same id with a revision not seen before restates it, the same id and
    revision is a repeat and counts once. Without an id one is derived from KPI, dimensions and time.
    """

    kpi: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    time: Rfc3339 | EpochSeconds
    value: int | float
    dimensions: dict[str, str] = {}
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)] | None = None
    source: str | None = None
    provenance: Provenance = "automated"
    revision: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
