"""Messages, good and bad, and what the reference decoder makes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.errors import WireError
from engine.model.identity import series_key
from engine.model.time import parse_own_time
from engine.wire.batch import Batch, Record
from engine.wire.columns import FOREIGN, Chunk, Rejected
from engine.wire.records import encode_batch
from engine.wire.reference import ReferenceDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.limits import Limits

GOOD: dict[str, Any] = {"kpi": "k", "time": "2013-02-08T05:00:00Z", "value": 1.5}
NOON = parse_own_time("2013-02-08T05:00:00Z")


class Rows:
    """A resolver that gives out rows in order of appearance, and remembers what it was asked."""

    def __init__(self, foreign: Sequence[str] = ()) -> None:
        self.asked: list[tuple[str, dict[str, str], str | None]] = []
        self.rows: dict[str, int] = {}
        self.foreign = foreign

    def __call__(self, kpi: str, dimensions: dict[str, str], source: str | None) -> int:
        self.asked.append((kpi, dimensions, source))
        if kpi == "nobody's":
            raise WireError("unknown_kpi", "no such KPI", path="$.kpi")
        if kpi in self.foreign:
            return FOREIGN
        return self.rows.setdefault(series_key(kpi, dimensions), len(self.rows))


def batch_of(*values: bytes | Record | None, base: int = 100) -> Batch:
    made = [value if isinstance(value, Record) else Record(None, value) for value in values]
    return Batch("t", 0, base, base + len(made) - 1, base + len(made), encode_batch(made, base))


def decode(
    *values: bytes | Record | None, decoder: ReferenceDecoder | None = None, rows: Rows | None = None
) -> list[Chunk]:
    return list((decoder or ReferenceDecoder()).decode(batch_of(*values), rows or Rows()))


def refusal(value: bytes | None, limits: Limits | None = None) -> tuple[str, str, int | None]:
    (chunk,) = decode(value, decoder=ReferenceDecoder(limits))
    assert len(chunk.columns.row) == 0
    (aside,) = chunk.asides
    assert isinstance(aside, Rejected)
    assert aside.message == (value or b"")
    assert aside.offset == 100
    assert aside.error.detail
    return aside.error.reason, aside.error.path, aside.error.index


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in GOOD.items() if key != name}).encode()


def with_(**fields: Any) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def raw_value(text: str) -> bytes:
    return b'{"kpi":"k","time":1360303200,"value":%s}' % text.encode()
