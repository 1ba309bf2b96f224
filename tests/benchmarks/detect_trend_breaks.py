"""How often `trend_break: {}` is wrong and how soon it is right: prints the tables of docs/detection.md.

    python tests/benchmarks/detect_trend_breaks.py --series 1000
    python tests/benchmarks/detect_trend_breaks.py --data FOLDER

The first puts years of hours of six stationary kinds through the kernel, with and without a lasting shift of three
sigma. The second measures series with human labels, which are no part of this project: FOLDER holds `tcpd` and `nab`.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from trend_labels import PROFILES, Annotated, Labelled, annotated, covering, f1, labelled, scored
from trend_series import KINDS, quiet, shifted
from trend_walk import alarms_of

from engine.model.time import SECOND
from engine.offline.detect.rows import SeriesRow
from engine.offline.detect.run import Detection
from engine.offline.detect.times import Place
from engine.offline.detect.trend import TrendDetector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from engine.offline.detect.run import Alarm

HOUR = 3_600.0
SIZE = 3.0
SOON, NEAR = 12, 2


class Outcome(NamedTuple):
    """False alarms in a quiet year; hours from a shift to its alarm, and from its true to its located onset."""

    false: int
    delay: float
    off: float


def outcome(kind: int, seed: int) -> Outcome:
    """One series of a kind, and one with a shift."""
    false = len(alarms_of(quiet(KINDS[kind], seed), HOUR).raised)
    values, first = shifted(KINDS[kind], seed, SIZE)
    found = alarms_of(values, HOUR)
    after = [place for place, row in enumerate(found.raised) if row >= first]
    if not after:
        return Outcome(false, np.inf, np.inf)
    return Outcome(false, found.raised[after[0]] - first + 1, abs(found.onsets[after[0]] - first))


def table_of_kinds(series: int, first: int) -> Iterable[str]:
    """A line a kind."""
    heads = (
        "false alarms a year: median",
        "95 %",
        "mean",
        "found within 12 hours",
        "median delay",
        "90 %",
        "onset ± 2 h",
    )
    yield f"| kind of series | {' | '.join(heads)} |"
    yield "|---|" + "---:|" * len(heads)
    with ProcessPoolExecutor() as pool:
        for number, kind in enumerate(KINDS):
            seeds = range(first, first + series)
            yield f"| {kind.name} | {line(list(pool.map(partial(outcome, number), seeds, chunksize=25)))} |"


def line(outcomes: list[Outcome]) -> str:
    """The figures of one kind."""
    false = [each.false for each in outcomes]
    delays = [each.delay for each in outcomes]
    cells = [
        f"{np.median(false):g}",
        f"{np.percentile(false, 95):g}",
        f"{mean(false):.2f}",
        f"{mean(delay <= SOON for delay in delays):.1%}",
        f"{np.median(delays):g}",
        f"{np.percentile(delays, 90, method='higher'):g}",
        f"{mean(each.off <= NEAR for each in outcomes):.1%}",
    ]
    return " | ".join(cells)


def change_points(series: Mapping[str, Annotated]) -> Iterable[str]:
    """F1 and covering of the located onsets; rows are only numbered, for none of these series has a week."""
    yield "| change points | F1 | covering |"
    yield "|---|---:|---:|"
    found = {name: [alarm.onset_row for alarm in alarms(np.arange(len(each.values)), each.values, is_time=False)]
             for name, each in series.items()}  # fmt: skip
    for name, rows in {"trend_break": found, "never alarming": {name: [] for name in series}}.items():
        score = mean(f1(each.annotations, rows[key]) for key, each in series.items())
        cover = mean(covering(each.annotations, rows[key], len(each.values)) for key, each in series.items())
        yield f"| {name}, mean of {len(series)} | {score:.3f} | {cover:.3f} |"


def anomalies(series: Mapping[str, Labelled]) -> Iterable[str]:
    """Scores of the alarms."""
    yield f"| anomalies | {' | '.join(PROFILES)} |"
    yield "|---|" + "---:|" * len(PROFILES)
    found = {name: raised(each) for name, each in series.items()}
    for name, rows in {"trend_break": found, "never alarming": {name: [] for name in series}}.items():
        cells = " | ".join(f"{scored(series, rows, weights):.1f}" for weights in PROFILES.values())
        yield f"| {name}, {len(series)} files | {cells} |"


def raised(series: Labelled) -> list[int]:
    """The rows of the alarms."""
    return [alarm.row for alarm in alarms(series.seconds * SECOND, series.values, is_time=True)]


def alarms(places: NDArray[np.float64], values: NDArray[np.float64], *, is_time: bool) -> list[Alarm]:
    """What `counterpoint detect` finds."""
    rows = (
        SeriesRow(str(place), Place(float(place), is_time), None if np.isnan(value) else float(value))
        for place, value in zip(places, values, strict=True)
    )
    return [each.alarm for each in Detection(TrendDetector).judge(rows) if each.alarm is not None]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1_000, help="series of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--data", type=Path, help="a folder with `tcpd` and `nab`: measure these instead")
    arguments = parser.parse_args()
    tables = [table_of_kinds(arguments.series, arguments.first)]
    if arguments.data is not None:
        tables = [change_points(annotated(arguments.data / "tcpd")), [""], anomalies(labelled(arguments.data / "nab"))]
    for table in tables:
        for row in table:
            sys.stdout.write(row + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
