"""Pages: the state of a partition as named pieces of bytes, of which only the changed ones are written again.

`meta` is the small things, `series/N` all rows of the N-th block of series, `ids/N` a stretch of the ledger. Rows are
written as they lie in memory (little endian), compressed: a fifth as long, for less than it costs to send the rest. A
page is only read under the rule set that it was written under, and the manifest names that.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from engine.errors import StateError, WireError
from engine.kernels import layout
from engine.kernels.layout import LEDGER, SERIES_A_BLOCK
from engine.model.finding import Finding
from engine.model.records import Activate
from engine.state.partition import RANGES, EmittedKey, PartitionState
from engine.wire.compression import compress_block, decompress_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from engine.model.limits import Limits
    from engine.rules.compiler import Plan

if sys.byteorder != "little":
    raise StateError("pages are written as they lie in memory, for little-endian machines")

IDS_A_PAGE = 4_096
META = "meta"


class Meta(msgspec.Struct, frozen=True):
    """What is not in the tables. `series` and `ids` say how much the other pages must add up to."""

    rule_set: str
    series: int
    ids: int
    tick_number: int | None
    tick_time: int | None
    marks: dict[str, int]
    activation: int
    pending: list[Activate]


Emitted = dict[int, list[tuple[EmittedKey, Finding]]]
"""Findings that are not final, by slot."""


class Block(msgspec.Struct, frozen=True):
    """All rows of up to 256 series: their `keys` with the `lengths` (int64), and a stretch of each table.

    By slot, counted from the block's first: `base` where it is in use, raw `points`, and `emitted`.
    """

    keys: memoryview
    lengths: memoryview
    series: memoryview
    slots: memoryview
    cells: memoryview
    sketches: memoryview
    instances: memoryview
    history: memoryview
    base: dict[int, memoryview]
    points: dict[int, memoryview]
    emitted: Emitted


_encode = msgspec.msgpack.Encoder().encode


def meta_page(state: PartitionState) -> bytes:
    """The page `meta` as it stands now."""
    return _encode(
        Meta(
            rule_set=state.plan.rule_set.hash,
            series=len(state.series),
            ids=int(state.tables.counters[LEDGER]),
            tick_number=state.tick_number,
            tick_time=state.tick_time,
            marks=state.marks,
            activation=state.activation,
            pending=state.pending,
        )
    )


def read_meta(pages: Mapping[str, bytes]) -> Meta:
    """The page `meta`; StateError when there is none or it is damaged."""
    try:
        return msgspec.msgpack.decode(pages[META], type=Meta)
    except (KeyError, msgspec.DecodeError) as error:
        raise StateError(f"expected a readable page {META!r}, found {error!r}") from error


def changed_pages(state: PartitionState) -> dict[str, bytes]:
    """Pages that changed since the last call, and `meta`; an empty value where a page is gone."""
    pages = {META: meta_page(state)}
    blocks = -(-len(state.series) // SERIES_A_BLOCK)
    emitted = _emitted_by_block(state)
    for block in np.flatnonzero(state.tables.dirty[:blocks]).tolist():
        pages[f"series/{block}"] = compress_block(_encode(_block(state, block, emitted.get(block, {}))))
    state.tables.dirty[:] = 0
    pages.update((f"series/{block}", b"") for block in range(blocks, state.block_pages))
    state.block_pages = blocks
    pages.update(_id_pages(state))
    return pages


def every_page(state: PartitionState) -> dict[str, bytes]:
    """All pages; they count as written."""
    state.tables.dirty[:] = 1
    state.ids_written = 0
    state.id_revisions.clear()
    state.id_pages = state.block_pages = 0
    return changed_pages(state)


def _id_pages(state: PartitionState) -> Iterator[tuple[str, bytes]]:
    count = int(state.tables.counters[LEDGER])
    pages = -(-count // IDS_A_PAGE)
    for page in range(state.ids_written // IDS_A_PAGE, pages):
        entries = state.tables.ids[page * IDS_A_PAGE : min(count, (page + 1) * IDS_A_PAGE)]
        yield f"ids/{page}", compress_block(entries.tobytes())
    for page in range(pages, state.id_pages):
        yield f"ids/{page}", b""
    if state.restated:
        yield from _restated_pages(state, state.ids_written // IDS_A_PAGE)
    state.ids_written, state.id_pages, state.restated = count, pages, False
    _note_revisions(state, count)


def _restated_pages(state: PartitionState, whole: int) -> Iterator[tuple[str, bytes]]:
    """Of the first `whole` pages, which were full when they were written, those in which a revision has grown since."""
    for page in range(whole):
        entries = state.tables.ids[page * IDS_A_PAGE : (page + 1) * IDS_A_PAGE]
        if int(entries["revision"].sum()) != state.id_revisions[page]:
            state.id_revisions[page] = int(entries["revision"].sum())
            yield f"ids/{page}", compress_block(entries.tobytes())


def _note_revisions(state: PartitionState, count: int) -> None:
    """What the revisions of each full page sum to as it stands written."""
    del state.id_revisions[count // IDS_A_PAGE :]
    for page in range(len(state.id_revisions), count // IDS_A_PAGE):
        entries = state.tables.ids[page * IDS_A_PAGE : (page + 1) * IDS_A_PAGE]
        state.id_revisions.append(int(entries["revision"].sum()))


def _bounds(state: PartitionState, block: int) -> dict[str, slice]:
    """The rows of the block in each of RANGES."""
    first, last = block * SERIES_A_BLOCK, min(len(state.series), (block + 1) * SERIES_A_BLOCK)
    begin, end = _row_starts(state, first), _row_starts(state, last)
    return {name: slice(begin[name], end[name]) for name in RANGES}


def _row_starts(state: PartitionState, row: int) -> dict[str, int]:
    """Where the rows of series `row` begin; the ends of the tables for the row after the last.

    A slot without instances still says where its instances would begin; only histories need a look for the next user.
    """
    tables, used = state.tables, state.arrays.used
    if row >= len(state.series):
        return used
    slot = int(tables.series[row]["slot"])
    cell, instance = int(tables.slots[slot]["cell"]), int(tables.slots[slot]["instance"])
    history = int(tables.instances[instance]["history"]) if instance < used["instances"] else used["history"]
    return {
        "series": row,
        "slots": slot,
        "cells": cell,
        "sketches": int(tables.cells[cell]["sketch"]),
        "instances": instance,
        "history": history,
    }


def _block(state: PartitionState, block: int, emitted: Emitted) -> Block:
    tables, bounds = state.tables, _bounds(state, block)
    keys, lengths = state.series.keys(bounds["series"].start, bounds["series"].stop)
    slots = bounds["slots"]
    return Block(
        keys=keys,
        lengths=_bytes_of(lengths),
        **{name: _bytes_of(getattr(tables, name)[rows]) for name, rows in bounds.items()},
        base={n - slots.start: _bytes_of(tables.base[state.instances_of(n)]) for n in state.with_base(slots).tolist()},
        points={
            n - slots.start: _bytes_of(tables.points[state.points_of(n)]) for n in state.with_points(slots).tolist()
        },
        emitted={number - slots.start: entries for number, entries in emitted.items()},
    )


def _emitted_by_block(state: PartitionState) -> dict[int, Emitted]:
    by_block: dict[int, Emitted] = {}
    for number, entries in state.emitted.items():
        block = int(state.tables.slots[number]["series"]) // SERIES_A_BLOCK
        by_block.setdefault(block, {})[number] = list(entries.items())
    return by_block


def _bytes_of(rows: NDArray[Any]) -> memoryview:
    return rows.view(np.uint8).data


def restored(plan: Plan, partition: int, partitions: int, limits: Limits, pages: Mapping[str, bytes]) -> PartitionState:
    """The state that was written as `pages`. StateError when they do not fit together."""
    meta = read_meta(pages)
    state = PartitionState(plan, partition, partitions, limits, declare=False)
    state.tick_number, state.tick_time = meta.tick_number, meta.tick_time
    state.marks = dict(meta.marks)
    state.activation, state.pending = meta.activation, meta.pending
    for block in range(-(-meta.series // SERIES_A_BLOCK)):
        _restore_block(state, _read_block(pages, block))
    if len(state.series) != meta.series:
        raise StateError(f"expected {meta.series} series in the pages, found {len(state.series)}")
    _restore_ids(state, meta.ids, pages)
    state.tables.dirty[:] = 0
    state.block_pages = -(-meta.series // SERIES_A_BLOCK)
    return state


def _read_block(pages: Mapping[str, bytes], block: int) -> Block:
    name = f"series/{block}"
    try:
        return msgspec.msgpack.decode(_unpacked(pages, name), type=Block)
    except msgspec.DecodeError as error:
        raise StateError(f"expected a readable page {name}, found {error!r}") from error


def _unpacked(pages: Mapping[str, bytes], name: str) -> bytes:
    try:
        return decompress_block(pages[name])
    except (KeyError, WireError) as error:
        raise StateError(f"expected a readable page {name}, found {error!r}") from error


def _restore_block(state: PartitionState, page: Block) -> None:
    kpis = np.frombuffer(page.series, layout.SERIES)["kpi"]
    firsts = state.take_series(page.keys, np.frombuffer(page.lengths, np.int64), kpis)
    bounds = {name: slice(first, state.arrays.used[name]) for name, first in zip(RANGES, firsts, strict=True)}
    for name, rows in bounds.items():
        _write(getattr(state.tables, name)[rows], getattr(page, name), name)
    first = bounds["slots"].start
    for number, base in page.base.items():
        _write(state.tables.base[state.instances_of(first + number)], base, "base")
    for number in state.with_points(bounds["slots"]).tolist():
        state.tables.slots[number]["points"] = 0
        state.move_points(number, int(state.tables.slots[number]["room"]))
        points = page.points[number - first]
        state.tables.slots[number]["points"] = len(points) // layout.POINT.itemsize
        _write(state.tables.points[state.points_of(number)], points, "points")
    for number, entries in page.emitted.items():
        state.emitted[first + number] = dict(entries)


def _write(rows: NDArray[Any], data: memoryview, name: str) -> None:
    if len(data) != rows.nbytes:
        raise StateError(f"expected {rows.nbytes} bytes of {name} in a page, found {len(data)}")
    rows.view(np.uint8)[:] = np.frombuffer(data, np.uint8)


def _restore_ids(state: PartitionState, count: int, pages: Mapping[str, bytes]) -> None:
    number = -(-count // IDS_A_PAGE)
    entries = np.frombuffer(b"".join(_unpacked(pages, f"ids/{page}") for page in range(number)), layout.ID)
    if len(entries) != count:
        raise StateError(f"expected {count} ids in the pages, found {len(entries)}")
    state.arrays.make_room("ids", count)
    state.tables.ids[:count] = entries
    state.index_ids(count)
    state.ids_written, state.id_pages = count, number
    _note_revisions(state, count)
