"""The value of a window from the values in it, by cell and in the order in which they came, written out."""

from __future__ import annotations

from math import ceil, floor, log2, sqrt

Cells = list[list[float]]


def aggregate(aggregation: str, cells: Cells, last: float, seconds: float) -> float:
    values = [value for cell in cells for value in cell]
    # cells are summed first, and then merged, as the engine does: floating sums depend on it
    total = 0.0
    for cell in cells:
        total += summed(cell)
    if aggregation == "deviation":
        return sqrt(squares(cells) / len(values))
    if aggregation == "p90":
        return ninety_percent(values)
    return {
        "count": float(len(values)),
        "sum": total,
        "mean": total / len(values),
        "min": min(values),
        "max": max(values),
        "last": last,
        "share": sum(value != 0 for value in values) / len(values),
        "rate": total / seconds,
        "distinct": float(len(set(values))),
    }[aggregation]


def summed(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def squares(cells: Cells) -> float:
    """Squared distances from the mean, updated value by value and merged cell by cell (Chan, Golub and LeVeque)."""
    whole, count, total = 0.0, 0, 0.0
    for cell in cells:
        own, mean = 0.0, cell[0]
        for number, value in enumerate(cell[1:], 1):
            before, mean = summed(cell[:number]) / number, summed(cell[: number + 1]) / (number + 1)
            own += (value - before) * (value - mean)
        whole += own
        if count:
            apart = summed(cell) / len(cell) - total / count
            whole += apart * apart * (count * len(cell) / (count + len(cell)))
        count, total = count + len(cell), total + summed(cell)
    return whole


def ninety_percent(values: list[float]) -> float:
    """The nearest rank, moved to the middle of its bucket: 128 between two powers of two, each of these values at the
    lower edge of one.
    """
    rank = ceil(len(values) * 9 / 10)
    value = sorted(values)[rank - 1]
    if rank in (1, len(values)) or value == 0:
        return value
    return min(value + 2 ** floor(log2(value)) / 256, max(values))
