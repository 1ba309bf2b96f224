"""Reconciliations, slow and obvious: from what each series put into each window to the windows that depart, and their
runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.rules.resolved.condition import Reconciliation

Shares = dict[tuple[str, str, int], float]
"""The newest sum of (KPI, series, window)."""


def total(shares: Shares, kpi: str, index: int, over: int) -> float | None:
    """None where the KPI has nothing in this window, or began only within the windows that are merged."""
    windows = {window for name, _, window in shares if name == kpi}
    if index not in windows or index - over + 1 < min(windows):
        return None
    return sum(value for (name, _, window), value in shares.items() if name == kpi and index - over < window <= index)


def verdicts(condition: Reconciliation, own: str, shares: Shares) -> dict[int, str]:
    """What each window says."""
    found = {}
    for index in sorted({window for kpi, _, window in shares if kpi in (own, condition.record[0])}):
        reported = total(shares, own, index, condition.over)
        parts = [total(shares, kpi, index, condition.over) for kpi in condition.record]
        if reported is None or None in parts:
            found[index] = "inconclusive"
            continue
        record = sum(each for each in parts if each is not None)
        away = abs(reported - record)
        allowed = condition.tolerance * abs(record) if condition.relative else condition.tolerance
        # Where nothing is recorded, a share of it is reached by anything.
        departs = away > allowed if record or not condition.relative else away > 0 and condition.tolerance < 1
        found[index] = "departs" if departs else "agrees"
    return found


def runs(condition: Reconciliation, own: str, shares: Shares) -> list[tuple[int, int | None]]:
    """From the first window that departs to the first that agrees; what is inconclusive changes nothing."""
    found: list[tuple[int, int | None]] = []
    for index, verdict in verdicts(condition, own, shares).items():
        is_on = bool(found) and found[-1][1] is None
        if verdict == "departs" and not is_on:
            found.append((index, None))
        elif verdict == "agrees" and is_on:
            found[-1] = (found[-1][0], index)
    return found
