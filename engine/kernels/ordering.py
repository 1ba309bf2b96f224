"""Medians of many values, without sorting them and without memory of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels._jit import jit_apart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@jit_apart
def median_within(values: NDArray[np.float64], first: int, count: int) -> float:
    """The median of `count` values from `first` on, which are reordered."""
    upper = nth(values, first, count, count // 2)
    if count % 2 == 1:
        return upper
    lower = values[first]
    for place in range(first, first + count // 2):
        lower = max(lower, values[place])
    return lower / 2.0 + upper / 2.0


@jit_apart
def nth(values: NDArray[np.float64], first: int, count: int, wanted: int) -> float:
    """The value with `wanted` smaller or equal ones before it (Hoare's selection); these come to stand before it."""
    low, high, target = first, first + count - 1, first + wanted
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if target <= right:
            high = right
        elif target >= left:
            low = left
        else:
            break
    return values[target]
