"""A leading KPI that its outcome never followed: its changes say nothing about later ones of that."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from engine.correlate.governance.statistics import rho_interval, spearman
from engine.model.governance import LagCorrelation, Unfollowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def unfollowed(
    leading: Sequence[float], outcome: Sequence[float], good: int, lag: int, below: float
) -> tuple[bool | None, Unfollowed] | None:
    """Whether the outcome never followed over these aligned windows: (None, ...) where it may have, and what was said
    stands; None where one of both does not move: nothing can follow then.

    `good` is 1 where both are better in the same direction, -1 where they are better in opposite ones.
    """
    lags = list(_lags(_changes(leading), _changes(outcome), good, lag))
    if len(lags) <= lag:
        return None
    found = Unfollowed(tuple(lags), below)
    if any(each.rho >= below for each in lags):
        return False, found
    return True if all(each.high < below for each in lags) else None, found


def _changes(values: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(values)]


def _lags(leading: list[float], outcome: list[float], good: int, lag: int) -> Iterator[LagCorrelation]:
    for by in range(lag + 1):
        pairs = len(leading) - by
        rho = spearman(leading[:pairs], outcome[by:])
        if rho is not None:
            low, high = rho_interval(good * rho, pairs)
            yield LagCorrelation(by, pairs, good * rho, low, high)
