"""Series with human labels, and how far alarms agree with them.

`f1` and `covering` are those of the Turing Change Point Dataset (van den Burg & Williams 2020), `scored` that of the
Numenta Anomaly Benchmark (Lavin & Ahmad 2015).
"""

from __future__ import annotations

import csv
import json
import math
from datetime import datetime
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MARGIN = 5
Annotations = dict[str, list[int]]


class Annotated(NamedTuple):
    """A series, and where each annotator saw it change."""

    values: NDArray[np.float64]
    annotations: Annotations


class Labelled(NamedTuple):
    """A series by the seconds of its rows, and the first and last row of each labelled window."""

    seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    windows: list[tuple[int, int]]


class Weights(NamedTuple):
    """What an anomaly found, one missed, and a false alarm weigh."""

    hit: float
    miss: float
    false: float


PROFILES = {
    "standard": Weights(1.0, 1.0, 0.11),
    "few false positives": Weights(1.0, 1.0, 0.22),
    "few false negatives": Weights(1.0, 2.0, 0.11),
}


def annotated(folder: Path) -> dict[str, Annotated]:
    """The series of a folder `tcpd`."""
    labels = json.loads((folder / "annotations.json").read_text("utf-8"))
    found = {}
    for path in sorted(folder.glob("*.json")):
        if path.stem in labels:
            raw = json.loads(path.read_text("utf-8"))["series"][0]["raw"]
            values = np.array([math.nan if value is None else value for value in raw], float)
            found[path.stem] = Annotated(values, labels[path.stem])
    return found


def labelled(folder: Path) -> dict[str, Labelled]:
    """The series of a folder `nab`."""
    labels = json.loads((folder / "combined_windows.json").read_text("utf-8"))
    found = {}
    for path in sorted((folder / "data").glob("*/*.csv")):
        name = f"{path.parent.name}/{path.name}"
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        times = [datetime.fromisoformat(row["timestamp"]) for row in rows]
        bounds = [[datetime.fromisoformat(time) for time in window] for window in labels[name]]
        windows = [
            (next(n for n, time in enumerate(times) if time >= first), sum(time <= last for time in times) - 1)
            for first, last in bounds
        ]
        seconds = np.array([(time - datetime(1970, 1, 1)).total_seconds() for time in times])  # noqa: DTZ001
        found[name] = Labelled(seconds, np.array([float(row["value"]) for row in rows]), windows)
    return found


def f1(annotations: Mapping[str, Sequence[int]], predicted: Sequence[int]) -> float:
    """Precision against all annotators, recall as the mean over them; index 0 counts as known to everyone."""
    own = [{0, *points} for points in annotations.values()]
    guesses = {0, *predicted}
    precision = _matched(set().union(*own), guesses) / len(guesses)
    recall = mean(_matched(points, guesses) / len(points) for points in own)
    return 2 * precision * recall / (precision + recall)


def _matched(true: set[int], predicted: set[int]) -> int:
    """How many of `true` have a prediction within the margin; each is used once, the nearest first."""
    free, found = set(predicted), 0
    for point in sorted(true):
        near = [guess for guess in free if abs(guess - point) <= MARGIN]
        if near:
            free.remove(min(near, key=lambda guess: (abs(guess - point), guess)))
            found += 1
    return found


def covering(annotations: Mapping[str, Sequence[int]], predicted: Sequence[int], length: int) -> float:
    """How well the predicted segments overlap each annotator's, by the best Jaccard index of each."""
    guesses = _segments(predicted, length)
    return mean(
        sum((e - b) * max(_jaccard((b, e), guess) for guess in guesses) for b, e in _segments(points, length)) / length
        for points in annotations.values()
    )


def _segments(points: Sequence[int], length: int) -> list[tuple[int, int]]:
    return list(pairwise(sorted({0, length, *(point for point in points if 0 < point < length)})))


def _jaccard(one: tuple[int, int], other: tuple[int, int]) -> float:
    both = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return both / (max(one[1], other[1]) - min(one[0], other[0])) if both else 0.0


def scored(series: Mapping[str, Labelled], raised: Mapping[str, Sequence[int]], weights: Weights) -> float:
    """0 for never alarming, 100 for an alarm at the first row of each labelled window and nowhere else."""
    windows = sum(len(each.windows) for each in series.values())
    got = sum(_score(each, raised[name], weights) for name, each in series.items())
    null, best = -weights.miss * windows, weights.hit * windows
    return 100 * (got - null) / (best - null)


def _score(series: Labelled, raised: Sequence[int], weights: Weights) -> float:
    probation = min(int(0.15 * len(series.values)), 750)
    best: dict[tuple[int, int], float] = {}
    total = 0.0
    for row in sorted(row for row in raised if row >= probation):
        inside = next((window for window in series.windows if window[0] <= row <= window[1]), None)
        if inside is None:
            total += weights.false * _after(series.windows, row)
        else:
            reached = -(inside[1] - row + 1) / (inside[1] - inside[0] + 1)
            best.setdefault(inside, weights.hit * _sigmoid(reached) / _sigmoid(-1.0))
    missed = len(series.windows) - len(best)
    return total + sum(best.values()) - weights.miss * missed


def _after(windows: Sequence[tuple[int, int]], row: int) -> float:
    """What a false alarm costs: the less, the closer it follows a labelled window."""
    before = [window for window in windows if window[1] < row]
    if not before:
        return -1.0
    first, last = before[-1]
    return _sigmoid((row - last) / (last - first))


def _sigmoid(place: float) -> float:
    return -1.0 if place > 3.0 else 2.0 / (1.0 + math.exp(5.0 * place)) - 1.0
