"""Powers of ten as 128-bit mantissas, for numbers: a table that is computed, not typed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST, LARGEST = -342, 308
_BITS = 128
_SHORT_RECIPROCALS = -27
"""From here on 5**-power fits into 64 bits."""


def _mantissa(power: int) -> int:
    """The first 128 bits of 10**power, which are those of 5**power; of a negative one rounded up where that matters.

    Source: Lemire, Number Parsing at a Gigabyte per Second (2021), appendix B.
    """
    five = 5 ** abs(power)
    length = five.bit_length()
    if power >= 0:
        return five << (_BITS - length) if length <= _BITS else five >> (length - _BITS)
    if power >= _SHORT_RECIPROCALS:
        return (1 << (length + _BITS - 1)) // five + 1
    found = (1 << (2 * length + _BITS)) // five + 1
    return found >> (found.bit_length() - _BITS)


def _halves(take: int) -> NDArray[np.uint64]:
    mantissas = (_mantissa(power) for power in range(SMALLEST, LARGEST + 1))
    return np.array([(mantissa >> take) & (2**64 - 1) for mantissa in mantissas], np.uint64)


HIGH, LOW = _halves(64), _halves(0)
"""By power - SMALLEST."""
EXACT = np.array([10.0**power for power in range(23)])
"""Those that a double holds exactly."""
