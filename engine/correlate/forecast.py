"""Where a series will be so many windows on, with an interval: a local level with a drift.

The model is the local level with drift of A. C. Harvey, Forecasting, Structural Time Series Models and the Kalman
Filter (1989): a level that goes on by `drift` a window and wanders, seen through noise. Without wandering it is the
regression on time, without noise the drift method of Hyndman and Athanasopoulos, Forecasting: Principles and Practice
(3rd edition), 5.2. How much of what a series does is noise and how much wandering is not known: each of `RATIOS` is
taken, weighted by its restricted likelihood, as in a multi-process model of class I (West and Harrison, Bayesian
Forecasting and Dynamic Models, 1997, chapter 12), so that an interval is not too narrow because wandering happened
not to show.

Pure functions of numbers, in plain floats and a fixed order: the same values give the same bits.
"""

from __future__ import annotations

from math import exp, frexp, ldexp, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

RATIOS = (0.0, 0.01, 0.1, 0.3, 0.6, 0.9, 0.97, 1.0)
"""Shares of wandering in what happens from one window to the next: 0 is noise about a line, 1 a random walk."""

_PER_FREEDOM = 4
"""Values for each degree of freedom of an interval: neighbours tell of the same two variances, whose ratio is estimated
too. With it, intervals over random walks nearly hold what they say; with one for each value they are a twentieth short.
"""

_PRECISION = 1e-9
"""No series is taken to be known better than to this share of its largest value."""


class Forecast(NamedTuple):
    """`level` now, `drift` a window, `value` after so many windows, and what it lies between with some confidence."""

    level: float
    drift: float
    value: float
    low: float
    high: float


class _Fit(NamedTuple):
    """One ratio: what it makes of the series, the variance of the value ahead, and its likelihood (a logarithm)."""

    level: float
    drift: float
    variance: float
    likelihood: float


def forecast(points: Sequence[tuple[int, float]], ahead: int, confidence: float) -> Forecast:
    """The value `ahead` windows after the last of these (window number, value), at least three in ascending order."""
    # In units of a power of two, which rounds nothing: no square of a value is then too large for a float.
    unit = ldexp(1.0, frexp(max(abs(value) for _, value in points))[1] - 1)
    sized = [(at, value / unit) for at, value in points]
    fits = [_fit(sized, ahead, ratio) for ratio in RATIOS]
    most = max(fit.likelihood for fit in fits)
    weights = [exp(fit.likelihood - most) for fit in fits]
    shares = [weight / sum(weights) for weight in weights]
    level = sum(share * fit.level for share, fit in zip(shares, fits, strict=True))
    drift = sum(share * fit.drift for share, fit in zip(shares, fits, strict=True))
    variance = sum(
        share * (fit.variance + (fit.level - level + ahead * (fit.drift - drift)) ** 2)
        for share, fit in zip(shares, fits, strict=True)
    )
    margin = unit * quantile(confidence, max((len(points) - 2) / _PER_FREEDOM, 1.0)) * sqrt(variance)
    level, drift = unit * level, unit * drift
    value = level + ahead * drift
    return Forecast(level, drift, value, value - margin, value + margin)


def _fit(points: Sequence[tuple[int, float]], ahead: int, ratio: float) -> _Fit:
    """Generalised least squares on the differences, whose covariance is tridiagonal: its Cholesky factor, row by row.

    A difference over k windows is k drifts, k steps of wandering, and the noise at both its ends. What lies ahead is
    one more row.
    """
    noise = 1.0 - ratio
    pivot, spans, moves, spanned, mixed, moved, logs = 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    carry = 0.0
    (before, last), *rest = points
    for at, value in rest:
        span, move = at - before, value - last
        spans, moves = span + carry * spans, move + carry * moves
        pivot = ratio * span + 2.0 * noise - carry * noise
        spanned += spans * spans / pivot
        mixed += spans * moves / pivot
        moved += moves * moves / pivot
        logs += log(pivot)
        carry = noise / pivot
        before, last = at, value
    free = len(points) - 2
    drift = mixed / spanned
    unit = max((moved - drift * mixed) / free, _PRECISION * _PRECISION)
    left = ahead + carry * spans
    variance = unit * (ratio * ahead + 2.0 * noise - carry * noise + left * left / spanned)
    likelihood = -0.5 * (free * log(unit) + logs + log(spanned))
    return _Fit(last - carry * (moves - drift * spans), drift, variance, likelihood)


def quantile(confidence: float, free: float) -> float:
    """Half the width of a central interval of Student's t with so many degrees of freedom.

    Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.5: to 1 % from three degrees on, up to 99 %
    confidence.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    square = z * z
    terms = (
        z,
        z * (square + 1) / 4,
        z * ((5 * square + 16) * square + 3) / 96,
        z * (((3 * square + 19) * square + 17) * square - 15) / 384,
        z * ((((79 * square + 776) * square + 1482) * square - 1920) * square - 945) / 92_160,
    )
    return sum(term / free**power for power, term in enumerate(terms))
