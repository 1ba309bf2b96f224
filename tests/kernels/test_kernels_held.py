"""A named tuple by its address: the arrays are those that Python sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.held import held

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Shelf(NamedTuple):
    """Arrays of several types, one of two dimensions, and a number."""

    rows: NDArray[np.void]
    grid: NDArray[np.int64]
    weight: float
    told: NDArray[np.float64]


ROW = np.dtype([("place", "u4"), ("value", "f8")], align=True)


@jit_apart
def _weigh(shelf: Shelf, number: int) -> None:
    stay_apart()
    row = shelf.rows[number]
    row.value *= shelf.weight
    shelf.told[number] = row.value + shelf.grid[number, row.place]


@jit_apart
def _weigh_all(shelf: Shelf) -> int:
    stay_apart()
    for number in range(len(shelf.rows)):
        _weigh(shelf, number)
    return shelf.grid.shape[1]


@jit
def weigh(shelf: Shelf) -> int:
    return _weigh_all(held(shelf))


def test_fields_are_read_and_written_where_they_stand():
    rows = np.array([(0, 1.5), (2, 2.5)], ROW)
    shelf = Shelf(rows, np.array([[10, 20, 30], [40, 50, 60]]), 2.0, np.zeros(2))
    assert weigh(shelf) == 3
    assert rows["value"].tolist() == [3.0, 5.0]
    assert shelf.told.tolist() == [13.0, 65.0]


def test_each_call_holds_the_tuple_that_it_is_given():
    """Tables grow between two passes: the arrays are others then."""
    for size in (1, 3, 2):
        shelf = Shelf(np.array([(0, 1.0)] * size, ROW), np.full((size, size), 7), float(size), np.zeros(size))
        assert weigh(shelf) == size
        assert shelf.told.tolist() == [7.0 + size] * size
