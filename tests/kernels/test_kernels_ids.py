"""The ledger of ids against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels.ids import ABSENT, find, index_all, index_one, place_of
from engine.kernels.layout import ID

HASHES = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 8), st.integers(0, 8).map(lambda low: low << 32))
IDS = st.lists(st.tuples(st.integers(0, 5), HASHES), unique=True, max_size=32)
LEDGER = 32


def ledger(entries: list[tuple[int, int]]) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    ids = np.zeros(LEDGER, ID)
    for position, (row, hashed) in enumerate(entries):
        ids[position]["row"], ids[position]["hash"] = row, hashed
    return ids


@given(IDS, st.lists(st.tuples(st.integers(0, 5), HASHES), max_size=20))
def test_ids_are_found_where_they_stand_and_nowhere_else(entries: list[tuple[int, int]], others: list[tuple[int, int]]):
    """Half of the places are in use when the ledger is full."""
    ids, places = ledger(entries), np.zeros(2 * LEDGER, np.uint32)
    for position in range(len(entries)):
        index_one(ids, places, position)
    stand = {entry: position for position, entry in enumerate(entries)}
    for row, hashed in (*entries, *others):
        assert find(ids, places, np.int32(row), np.uint64(hashed)) == stand.get((row, hashed), ABSENT)


@given(IDS)
def test_an_index_of_all_at_once_is_that_of_one_after_the_other(entries: list[tuple[int, int]]):
    ids = ledger(entries)
    one, all_ = np.zeros(2 * LEDGER, np.uint32), np.zeros(2 * LEDGER, np.uint32)
    for position in range(len(entries)):
        index_one(ids, one, position)
    index_all(ids, all_, len(entries))
    assert one.tolist() == all_.tolist()


def test_an_id_whose_place_and_mark_another_one_has_is_told_apart():
    """Two of one place: the ledger itself has the last word."""
    ids, places = ledger([(0, 1)]), np.zeros(2 * LEDGER, np.uint32)
    index_one(ids, places, 0)
    [taken] = np.flatnonzero(places)
    strangers = [hashed for hashed in range(2, 20_000) if place_of(np.uint64(hashed), np.int32(0), 64) == taken]
    assert len(strangers) > 100
    assert {find(ids, places, np.int32(0), np.uint64(hashed)) for hashed in strangers} == {ABSENT}
