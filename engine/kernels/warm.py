"""Compile every kernel once, so that the cache holds it and no measurement waits for a compiler."""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from engine.kernels import layout
from engine.kernels._jit import KERNELS
from engine.kernels.blake2b import HEX, SCRATCH
from engine.kernels.change import change, median
from engine.kernels.ids import forget, index_all
from engine.kernels.ingest import Bounds, Inputs, ingest
from engine.kernels.laying import lay_out
from engine.kernels.layout import Tables
from engine.kernels.lifecycle import advance
from engine.kernels.lines import records_of
from engine.kernels.registry import find, index_rows, murmur2
from engine.kernels.scan.derived import TEXT_BYTES
from engine.kernels.scan.framing import CURSOR, SPAN, begin, frame_some, give_up
from engine.kernels.scan.message import MESSAGE
from engine.kernels.scan.scan import Out, Scope, keep_beginning, learn_from, scan
from engine.kernels.scan.spellings import SPELLING, Spellings
from engine.kernels.scan.spellings import index_all as index_spellings
from engine.kernels.silence import silence
from engine.kernels.slots import floors_of, publish_again, replay
from engine.kernels.texts import BEGINNING, TEXT_ROOM, derive_ids, hash_ids, numbers_of, times_of
from engine.kernels.threshold import threshold
from engine.kernels.ticks import tick
from engine.kernels.windows import aggregate, first_of, index_of, start_of


def empty_tables() -> Tables:
    """Tables with one KPI, one window view and one series, of the types that a partition uses."""
    view = np.zeros(1, layout.VIEW)
    view["step"] = view["span"] = view["cells"] = 1
    view["calendar"] = view["period"] = -1
    kpi = np.zeros(1, layout.KPI)
    kpi["views"] = 1
    slots = np.zeros(1, layout.SLOT)
    slots["final"] = slots["closed"] = slots["newest"] = layout.UNSET
    return Tables(
        kpis=kpi,
        views=view,
        rules=np.zeros(1, layout.RULE),
        calendars=np.zeros((1, 1), np.int64),
        periods=np.zeros((1, 1), np.int64),
        series=np.zeros(1, layout.SERIES),
        slots=slots,
        cells=np.zeros(1, layout.CELL),
        sketches=np.zeros(1, layout.SKETCH),
        points=np.zeros(1, layout.POINT),
        instances=np.zeros(1, layout.INSTANCE),
        base=np.zeros(1, layout.INSTANCE),
        history=np.zeros(1, np.float64),
        ids=np.zeros(4, layout.ID),
        places=np.zeros(8, np.uint32),
        results=np.zeros(4, layout.RESULT),
        result_sketches=np.zeros(1, layout.SKETCH),
        evidence_index=np.zeros(1, np.int64),
        evidence_value=np.zeros(1, np.float64),
        dirty=np.zeros(1, np.uint8),
        counters=np.zeros(layout.COUNTERS, np.int64),
        scratch=np.zeros(1, np.float64),
    )


class Warmth(NamedTuple):
    """What `warm` found: how many kernels had to be compiled, and where they are kept (None: nowhere)."""

    compiled: int
    folder: str | None


def warm() -> Warmth:
    """Call everything that Python calls, with the types that it is called with."""
    _warm_evaluation()
    _warm_scanner()
    _warm_files()
    return Warmth(sum(sum(kernel.stats.cache_misses.values()) for kernel in KERNELS), KERNELS[0].stats.cache_path)


def _warm_scanner() -> None:
    data, longs = np.frombuffer(b"", np.uint8), np.zeros((0, 4), np.int64)
    cursors, messages = np.zeros(1, CURSOR), np.zeros(1, MESSAGE)
    spellings = Spellings(np.zeros(2, np.int32), np.zeros(1, SPELLING), np.zeros(8, np.uint8), np.zeros(2, np.int64))
    integers = np.zeros(1, np.int32)
    out = Out(
        row=integers,
        time=np.zeros(1, np.int64),
        value=np.zeros(1, np.float64),
        id_hash=np.zeros(1, np.uint64),
        revision=integers,
        flags=np.zeros(1, np.uint8),
        offset=np.zeros(1, np.int64),
        id_start=integers,
        id_length=integers,
        made=np.zeros(HEX, np.uint8),
        text=np.zeros(TEXT_BYTES, np.uint8),
        scratch=np.zeros(SCRATCH, np.uint64),
        used=np.zeros(2, np.int64),
    )
    begin(longs, cursors)
    give_up(cursors)
    scan(data, longs, cursors, messages, spellings, Scope(0, 0, 0, 0, 0), out)
    frame_some(data, longs, cursors, np.zeros((1, SPAN), np.int64))
    learn_from(data, messages, spellings, 0)
    keep_beginning(spellings, 0, data)
    index_spellings(spellings)


def _warm_files() -> None:
    data, starts = np.frombuffer(b"", np.uint8), np.frombuffer(b"", np.int32)
    lengths, longs, taken = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8)
    text = np.zeros(TEXT_ROOM, np.uint8)
    numbers_of(data, starts, lengths, text, np.zeros(0, np.float64), taken)
    times_of(data, starts, lengths, 1, text, longs, taken)
    hash_ids(data, starts, lengths, np.zeros(0, np.uint64))
    hash_ids(taken, lengths, lengths, np.zeros(0, np.uint64))
    derived, scratch = np.zeros(TEXT_BYTES, np.uint8), np.zeros(SCRATCH, np.uint64)
    derive_ids(data, np.zeros(1, BEGINNING), lengths, longs, derived, scratch, taken)
    records_of(data, taken, np.zeros(4, np.int64))


def _warm_evaluation() -> None:
    tables = empty_tables()
    bounds = Bounds(2**62, 0, 2**62, 1, 1, 0, 0)
    integers, longs = np.zeros(0, np.int32), np.zeros(0, np.int64)
    inputs = Inputs(
        row=integers.view(np.uint32),
        time=longs,
        value=np.zeros(0, np.float64),
        id_hash=np.zeros(0, np.uint64),
        revision=integers,
        id_start=integers,
        id_length=integers,
        ids=np.frombuffer(b"", np.uint8),
    )
    ingest(tables, inputs, bounds, 0)
    tick(tables, bounds, -1, 0, 1, 0)
    replay(tables, 0)
    publish_again(tables, 0, 0)
    floors_of(tables, np.zeros(1, np.int64))
    index_all(tables.ids, tables.places, 0)
    forget(tables.ids, 0, longs)
    lay_out(tables, integers, 0, 0, 0, 0, 0, 0)
    key, keys = np.frombuffer(b"k", np.uint8), np.zeros(1, np.uint8)
    murmur2(key, 0, 1)
    find(keys, np.zeros(2, np.int64), np.zeros(2, np.int32), key)
    index_rows(keys, np.zeros(2, np.int64), np.zeros(2, np.int32), 0, 0)
    index_of(tables.views[0], tables.calendars, 0)
    start_of(tables.views[0], tables.calendars, 0)
    first_of(tables.views[0], tables.periods, 0)
    aggregate(tables.cells[0], 0)
    threshold(tables.rules[0], 0, 0.0)
    change(tables.rules[0], 0.0, 0.0)
    median(tables.scratch, 1)
    silence(tables.rules[0], 0, 0)
    advance(tables.instances[0], tables.rules[0], True, 0, 0.0, 0.0)  # noqa: FBT003 (compiled code)


if __name__ == "__main__":
    sys.stdout.write("{} kernels compiled, kept in {}\n".format(*warm()))
