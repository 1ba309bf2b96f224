"""The reference decoder's quick way: measurements of series seen before, in a spelling that was accepted before.

It says yes only where `item.item_of` would accept the same bytes with the same result, and no wherever it cannot tell
cheaply. What it asks of a message beyond the JSON library: no backslash (then every quotation mark begins or ends a
string), and as many quotation marks as the fields that were found need. A name that stands twice, of which the library
keeps the last one silently, gives itself away by its quotation marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from engine.errors import WireError
from engine.model.identity import digest
from engine.model.time import SECOND
from engine.wire.columns import SELF_REPORTED
from engine.wire.item import ID_LENGTH_MAX, REVISION_MAX
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from engine.wire.stretch import Stretch

_NO_DIMENSIONS = Raw(b"{}")
_SECONDS = {f"{second:02d}Z": second * SECOND for second in range(60)}
_MINUTE_LENGTH = len("2013-02-08T05:00:")
_MEMORY_MAX = 1_000_000
"""Spellings, and minutes, that are remembered; past it the memory starts anew."""
_QUOTES = 8
"""Quotation marks of `{"kpi":"","time":0,"value":0}`."""


class _Quick(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A measurement with its dimensions as they were spelt; unset tells an absent field from one with its default."""

    kpi: str
    time: str | int | float
    value: float
    dimensions: Raw = _NO_DIMENSIONS
    id: str | UnsetType | None = UNSET
    source: str | UnsetType | None = UNSET
    provenance: Literal["automated", "self_reported"] | UnsetType = UNSET
    revision: int | UnsetType = UNSET


class _Known(NamedTuple):
    """An accepted spelling: the series' row and canonical key, the quotation marks of what is not in every message."""

    row: int
    key: str
    quotes: int


Spelling = tuple[str, bytes, str | UnsetType | None]
"""KPI, dimensions as spelt (empty when absent), source: what the row of a series depends on."""

_decoder = msgspec.json.Decoder(_Quick)


class QuickReader:
    """Remembers spellings of series and minutes; takes what it can tell to be right."""

    def __init__(self) -> None:
        self._known: dict[Spelling, _Known] = {}
        self._minutes: dict[str, int] = {}

    def forget(self) -> None:
        """Know no series any more."""
        self._known.clear()

    def learn(self, spelling: Spelling, row: int, key: str) -> None:
        """`item_of` accepted a message with this spelling of the series `key`, and its row is `row`."""
        if len(self._known) >= _MEMORY_MAX:
            self._known.clear()
        _, dimensions, source = spelling
        quotes = _QUOTES + (2 + dimensions.count(b'"') if dimensions else 0)
        quotes += 0 if source is UNSET else 2 if source is None else 4
        self._known[spelling] = _Known(row, key, quotes)

    def take(self, stretch: Stretch, offset: int, index: int, data: bytes) -> Spelling | bool:
        """Add the measurement in `data` and say True; or say False; or give the spelling that is not known yet."""
        try:
            quick = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        if b"\\" in data:
            return False
        dimensions = quick.dimensions
        spelling = (quick.kpi, b"" if dimensions is _NO_DIMENSIONS else bytes(dimensions), quick.source)
        known = self._known.get(spelling)
        if known is None:
            return spelling
        try:
            return self._add(stretch, offset, index, data, quick, known)
        except WireError:
            return False

    def _add(self, stretch: Stretch, offset: int, index: int, data: bytes, quick: _Quick, known: _Known) -> bool:
        row, key, quotes = known
        written = quick.time
        if isinstance(written, str):
            quotes += 2
            time = self._time(written)
        else:
            time = parse_time(written)
        identifier = quick.id
        if not identifier:  # an empty one adds no quotation marks here, so that the count refuses it
            quotes += 0 if identifier is UNSET else 2
            identifier = digest("measurement", key, time)
        else:
            quotes += 4
        flags = revision = 0
        if quick.provenance is not UNSET:
            quotes += 4
            flags = SELF_REPORTED if quick.provenance == "self_reported" else 0
        if quick.revision is not UNSET:
            quotes += 2
            revision = quick.revision
        if data.count(b'"') != quotes or not 0 <= revision <= REVISION_MAX or len(identifier) > ID_LENGTH_MAX:
            return False
        stretch.add(row, time, quick.value, identifier.encode(), revision, flags, offset, index)
        return True

    def _time(self, text: str) -> int:
        """`parse_time`, with the minutes remembered: 2013-02-08T05:00: and 07Z."""
        second = _SECONDS.get(text[_MINUTE_LENGTH:])
        if second is None:
            return parse_time(text)
        minute = self._minutes.get(text[:_MINUTE_LENGTH])
        if minute is None:
            minute = parse_time(text) - second
            if len(self._minutes) >= _MEMORY_MAX:
                self._minutes.clear()
            self._minutes[text[:_MINUTE_LENGTH]] = minute
        return minute + second
