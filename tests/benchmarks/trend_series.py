"""Stationary series of the kinds that KPIs come in, and the same with a lasting shift in them: seeded, by the hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

YEAR = 8_760
LEVEL, SIGMA = 100.0, 5.0
MEMORY = 0.7
RATE = 4.0
SHARE, MORE = 0.05, 1.0
"""Mostly zero: the share of hours with something, and how much more than one it is on average."""


class Kind(NamedTuple):
    """`draw(rng, shift)` gives a value an hour; `shift` is in sigma, an hour. `both`: it can also shift down."""

    name: str
    draw: Callable[[np.random.Generator, NDArray[np.float64]], NDArray[np.float64]]
    both: bool = True


def _gaussian(rng: np.random.Generator, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    return LEVEL + SIGMA * (rng.standard_normal(len(shift)) + shift)


def _heavy(rng: np.random.Generator, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Student's t with three degrees of freedom, whose sigma is the root of three."""
    return LEVEL + SIGMA * (rng.standard_t(3, len(shift)) / np.sqrt(3.0) + shift)


def _autoregressive(rng: np.random.Generator, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each hour keeps 0.7 of the deviation before; sigma is that of the values."""
    values, before = np.empty(len(shift)), rng.standard_normal()
    for hour, fresh in enumerate(rng.standard_normal(len(shift)) * np.sqrt(1.0 - MEMORY**2)):
        before = values[hour] = MEMORY * before + fresh
    return LEVEL + SIGMA * (values + shift)


def _weekly(rng: np.random.Generator, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """A daily wave of four sigma, and weekends three sigma lower."""
    hour = np.arange(len(shift)) + rng.integers(168)
    season = 4.0 * np.sin(hour / 24.0 * 2.0 * np.pi) - 3.0 * (hour // 24 % 7 > 4)
    return LEVEL + SIGMA * (season + rng.standard_normal(len(shift)) + shift)


def _counts(rng: np.random.Generator, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    return rng.poisson(RATE + np.sqrt(RATE) * shift).astype(float)


def _mostly_zero(rng: np.random.Generator, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Something in one hour of twenty; a shift is more such hours."""
    mean, square = 1.0 + MORE, MORE + (1.0 + MORE) ** 2
    sigma = np.sqrt(SHARE * square - (SHARE * mean) ** 2)
    some = rng.random(len(shift)) < SHARE + shift * sigma / mean
    return np.where(some, 1.0 + rng.poisson(MORE, len(shift)), 0.0)


KINDS = (
    Kind("Gaussian", _gaussian),
    Kind("heavy tail (t, 3)", _heavy),
    Kind("autoregressive, 0.7", _autoregressive),
    Kind("weekly season", _weekly),
    Kind("counts (Poisson, 4)", _counts, both=False),
    Kind("mostly zero", _mostly_zero, both=False),
)


def quiet(kind: Kind, seed: int) -> NDArray[np.float64]:
    """A year without any break."""
    return kind.draw(np.random.default_rng([seed, 0]), np.zeros(YEAR))


def shifted(kind: Kind, seed: int, size: float) -> tuple[NDArray[np.float64], int]:
    """Up to a fortnight after a lasting shift by `size` sigma, somewhere in the third to the sixth month; and its
    first hour.
    """
    rng = np.random.default_rng([seed, 1])
    first = int(rng.integers(1_500, 4_380))
    shift = np.zeros(first + 336)
    shift[first:] = size * (rng.choice([-1.0, 1.0]) if kind.both else 1.0)
    return kind.draw(rng, shift), first
