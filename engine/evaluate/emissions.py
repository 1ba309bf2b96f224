"""What stage 1 says, before it is bytes: each thing with the offset of the record that caused it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.finding import Finding
from engine.model.outputs import KpiState
from engine.model.records import JoinRecord, Signal

if TYPE_CHECKING:
    from engine.errors import WireError


class Refusal(NamedTuple):
    """A measurement that is refused only when it meets the state: too far in the future, say."""

    item: int
    error: WireError


class Forward(NamedTuple):
    """A measurement that another partition owns: its series key, and it alone as JSON."""

    key: bytes
    value: bytes


class TickPassed(NamedTuple):
    """Everything caused before this tick has been said."""

    number: int
    time: int


Said = Finding | JoinRecord | Signal | KpiState | Refusal | Forward | TickPassed


class Emission(NamedTuple):
    """`said` was caused by the record at `offset`."""

    offset: int
    said: Said
