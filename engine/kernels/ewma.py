"""The exponentially weighted moving average: a mean that forgets (Roberts 1959; NIST/SEMATECH e-Handbook 6.3.2.4)."""

from __future__ import annotations

from engine.kernels._jit import jit


@jit
def ewma(mean: float, value: float, gain: float) -> float:
    """`mean` moved by the share `gain` of the way towards `value`; with gain 1/n it is the mean of n values."""
    return mean + gain * (value - mean)
