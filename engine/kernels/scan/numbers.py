"""Numbers of JSON as the double that is nearest: exact, or not taken at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.scan.powers import EXACT, HIGH, LARGEST, LOW, SMALLEST
from engine.kernels.words import as_float, high_product, leading_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ZERO, _NINE, _MINUS, _PLUS, _POINT = 0x30, 0x39, 0x2D, 0x2B, 0x2E
_E, _SMALL_E = 0x45, 0x65
_DIGITS_MAX = 19
"""So many always fit into 64 bits."""
_EXPONENT_MAX = 9_999
_EXACT_MAX = np.uint64(2**53)
_NINE_BITS = np.uint64(0x1FF)


@jit
def _is_digit(byte: int) -> bool:
    return _ZERO <= byte <= _NINE


@jit
def number(data: NDArray[np.uint8], position: int) -> tuple[int, float, bool]:
    """(the place after the number, its value, whether it is written as an integer) of the number at `position`.

    The place is -1 for what is no number or not taken: more than 19 digits, minus zero, infinite, below the smallest
    normal double. The number must end before the data does.
    """
    negative = data[position] == _MINUS
    if negative:
        position += 1
    position, mantissa, exponent, whole = _decimal(data, position)
    if position < 0:
        return -1, 0.0, False
    if mantissa == np.uint64(0):
        return (-1 if negative else position), 0.0, whole
    value = nearest(mantissa, exponent)
    return (position if value > 0.0 else -1), (-value if negative else value), whole


@jit
def _decimal(data: NDArray[np.uint8], position: int) -> tuple[int, np.uint64, int, bool]:
    """(place after it, digits, power of ten, whether an integer) of a number without its sign; a place of -1: none."""
    start = position
    mantissa = np.uint64(0)
    while _is_digit(data[position]):
        mantissa = mantissa * np.uint64(10) + np.uint64(data[position] - _ZERO)
        position += 1
    digits = position - start
    if digits == 0 or (digits > 1 and data[start] == _ZERO):
        return -1, mantissa, 0, False
    exponent, whole = 0, True
    if data[position] == _POINT:
        first = position + 1
        position, mantissa = _fraction(data, first, mantissa)
        exponent, whole = first - position, False
        if exponent == 0:
            return -1, mantissa, 0, False
        digits += position - first
    if digits > _DIGITS_MAX and digits - _zeros_before(data, start) > _DIGITS_MAX:
        return -1, mantissa, 0, False
    if data[position] in (_E, _SMALL_E):
        position, written = _exponent(data, position + 1)
        exponent, whole = exponent + written, False
    return position, mantissa, exponent, whole


@jit
def _fraction(data: NDArray[np.uint8], position: int, mantissa: np.uint64) -> tuple[int, np.uint64]:
    while _is_digit(data[position]):
        mantissa = mantissa * np.uint64(10) + np.uint64(data[position] - _ZERO)
        position += 1
    return position, mantissa


@jit
def _zeros_before(data: NDArray[np.uint8], position: int) -> int:
    """How many zeros stand before the first other digit: they fill no bits."""
    zeros = 0
    while data[position] in (_ZERO, _POINT):
        zeros += data[position] == _ZERO
        position += 1
    return zeros


@jit
def _exponent(data: NDArray[np.uint8], position: int) -> tuple[int, int]:
    """(place after it, value) of what follows an E; a place of -1 where no exponent stands, or a monstrous one."""
    negative = data[position] == _MINUS
    if negative or data[position] == _PLUS:
        position += 1
    start, exponent = position, 0
    while _is_digit(data[position]) and exponent <= _EXPONENT_MAX:
        exponent = exponent * 10 + np.int64(data[position] - _ZERO)
        position += 1
    if position == start or exponent > _EXPONENT_MAX:
        return -1, 0
    return position, -exponent if negative else exponent


@jit
def nearest(mantissa: np.uint64, exponent: int) -> float:
    """The double nearest to `mantissa` * 10**`exponent` (mantissa not zero); -1 where it is not a normal one.

    Source of the short way: Clinger, How to Read Floating Point Numbers Accurately (1990); both factors are exact, and
    so there is one rounding.
    """
    if mantissa <= _EXACT_MAX and -23 < exponent < 23:
        return np.float64(mantissa) * EXACT[exponent] if exponent >= 0 else np.float64(mantissa) / EXACT[-exponent]
    if exponent < SMALLEST or exponent > LARGEST:
        return -1.0
    return _eisel_lemire(mantissa, exponent)


@jit
def _eisel_lemire(mantissa: np.uint64, exponent: int) -> float:
    """The long way, from the first 128 bits of the product.

    Sources: Lemire, Number Parsing at a Gigabyte per Second (2021), algorithm 1; Mushtak and Lemire, Fast Number
    Parsing Without Fallback (2023), for that these bits always decide.
    """
    shift = leading_zeros(mantissa)
    high, low = _product(mantissa << shift, exponent)
    top = high >> np.uint64(63)
    bits = high >> (top + np.uint64(9))
    power = ((217706 * exponent) >> 16) + 63 + 1023 - np.int64(shift) + np.int64(top)
    in_the_middle = low <= np.uint64(1) and -4 <= exponent <= 23 and bits << (top + np.uint64(9)) == high
    if in_the_middle and bits & np.uint64(3) == np.uint64(1):
        bits -= np.uint64(1)  # to the even one
    bits = (bits + (bits & np.uint64(1))) >> np.uint64(1)
    if bits >> np.uint64(53) != np.uint64(0):
        bits >>= np.uint64(1)
        power += 1
    if power < 1 or power > 2046:
        return -1.0
    return as_float((np.uint64(power) << np.uint64(52)) | (bits & np.uint64(2**52 - 1)))


@jit
def _product(mantissa: np.uint64, exponent: int) -> tuple[np.uint64, np.uint64]:
    """The upper and the lower half of the mantissa times that of the power of ten, as far as it matters."""
    place = exponent - SMALLEST
    high, low = high_product(mantissa, HIGH[place]), mantissa * HIGH[place]
    if high & _NINE_BITS == _NINE_BITS:
        more = high_product(mantissa, LOW[place])
        low += more
        if more > low:
            high += np.uint64(1)
    return high, low
