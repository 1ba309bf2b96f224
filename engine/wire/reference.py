"""The reference decoder: record by record, obviously right; every other decoder is held against it.

`message.items_of` says which items a message has, `item.item_of` what a measurement must be. `quick` takes only what
these would accept with the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import WireError
from engine.model.identity import derived_measurement_id, series_key
from engine.model.limits import Limits
from engine.wire.columns import FOREIGN, SELF_REPORTED, Control, Foreign, Rejected
from engine.wire.control import decode_control, is_control
from engine.wire.encode import encode_measurement
from engine.wire.item import item_of
from engine.wire.message import items_of, tree_of
from engine.wire.quick import QuickReader
from engine.wire.records import entries
from engine.wire.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.wire.batch import Batch
    from engine.wire.columns import Chunk, Resolver
    from engine.wire.item import Item
    from engine.wire.quick import Spelling
    from engine.wire.records import Entry


class ReferenceDecoder:
    """The `Decoder` that record by record yields what `item_of` accepts; a bad item is rejected by itself.

    It remembers the rows of series: call `forget` when the rule set changes or rows are given out anew.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._bytes_max = limits.message_bytes_max
        self._dimensions_max = limits.dimensions_max
        self._quick = QuickReader()
        self._batch: Batch | None = None
        self._messages: dict[int, bytes] | None = None

    def forget(self) -> None:
        """Ask the resolver anew for every series."""
        self._quick.forget()

    def decode(self, batch: Batch, resolve: Resolver) -> Iterator[Chunk]:
        """As `Decoder.decode`; a last chunk with nothing in it is left out. WireError only for a faulty batch."""
        self.hold(batch)
        stretch = Stretch()
        for entry in entries(batch):
            control = self.take(stretch, entry, resolve)
            if control:
                yield stretch.chunk(control)
                stretch = Stretch()
        if stretch:
            yield stretch.chunk(None)

    def hold(self, batch: Batch) -> None:
        """Make it the batch of which `message_at` speaks."""
        self._batch, self._messages = batch, None

    def take(self, stretch: Stretch, entry: Entry, resolve: Resolver) -> Control | None:
        """Add what one record says to the stretch, or give back the control record that it is."""
        offset, _, value, headers = entry
        if headers and is_control(headers):
            return _control(stretch, offset, value or b"")
        self._message(stretch, offset, value or b"", resolve)
        return None

    def message_at(self, offset: int) -> bytes:
        """As `Decoder.message_at`; a record without a value reads as empty."""
        if self._messages is None:
            self._messages = {entry[0]: entry[2] or b"" for entry in entries(self._batch)} if self._batch else {}
        return self._messages[offset]

    def _message(self, stretch: Stretch, offset: int, message: bytes, resolve: Resolver) -> None:
        """The quick way stands first: nearly every message ends there."""
        items: Sequence[object] | None = None
        try:
            if len(message) > self._bytes_max:
                self._refuse_long(message)
            answer = self._quick.take(stretch, offset, 0, message)
            if answer is True:
                return
            items = items_of(message)
            if items is None:
                self._take(stretch, offset, 0, tree_of(message), answer or None, resolve)
        except WireError as error:
            stretch.asides.append(Rejected(offset, error, message))
        for index, item in enumerate(items or ()):
            try:
                self._item(stretch, offset, index, item, resolve)
            except WireError as error:
                error.index = index
                stretch.asides.append(Rejected(offset, error, message))

    def _refuse_long(self, message: bytes) -> None:
        raise WireError("too_long", f"expected at most {self._bytes_max} bytes, found {len(message)}")

    def _item(self, stretch: Stretch, offset: int, index: int, item: object, resolve: Resolver) -> None:
        """One of several items, as its bytes or as it was parsed already."""
        if not isinstance(item, bytes):
            self._take(stretch, offset, index, item, None, resolve)
            return
        answer = self._quick.take(stretch, offset, index, item)
        if answer is not True:
            self._take(stretch, offset, index, tree_of(item), answer or None, resolve)

    def _take(
        self, stretch: Stretch, offset: int, index: int, tree: object, spelling: Spelling | None, resolve: Resolver
    ) -> None:
        item = item_of(tree, self._dimensions_max)
        identifier = item.id or derived_measurement_id(item.kpi, item.dimensions, item.time)
        row = resolve(item.kpi, item.dimensions, item.source)
        if row == FOREIGN:
            key = series_key(item.kpi, item.dimensions).encode()
            stretch.asides.append(Foreign(offset, index, key, _forwarded(item, identifier)))
            return
        stretch.add(row, item.time, item.value, identifier.encode(), item.revision, item.flags, offset, index)
        if spelling:
            self._quick.learn(spelling, row, series_key(item.kpi, item.dimensions))


def _control(stretch: Stretch, offset: int, message: bytes) -> Control | None:
    try:
        return Control(offset, decode_control(message))
    except WireError as error:
        stretch.asides.append(Rejected(offset, error, message))
        return None


def _forwarded(item: Item, identifier: str) -> bytes:
    return encode_measurement(
        item.kpi,
        item.time,
        item.value,
        item.dimensions,
        id=identifier,
        source=item.source,
        provenance="self_reported" if item.flags & SELF_REPORTED else "automated",
        revision=item.revision,
    )
