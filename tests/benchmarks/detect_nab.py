"""How well `anomaly: {}` finds what people have marked: prints the tables of docs/rules/anomaly.md.

    python tests/benchmarks/detect_nab.py FOLDER
    python tests/benchmarks/detect_nab.py --series 60

FOLDER holds the Numenta Anomaly Benchmark, or a part of it (`data/GROUP/FILE.csv` and `combined_windows.json`), which
is no part of this project. One setting goes through all series; rows are taken as `counterpoint detect` takes them.
The second puts years of hours in which nothing happens through the kernel.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from trend_labels import PROFILES, Labelled, labelled, scored
from trend_series import KINDS, quiet

from engine.model.time import HOUR, SECOND
from engine.offline.detect.anomaly import DEFAULT, AnomalyDetector
from engine.offline.detect.rows import SeriesRow
from engine.offline.detect.run import Detection
from engine.offline.detect.times import Place
from engine.rules.bind_condition import SCORE_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Raised = dict[str, list[int]]
SPIKE, SPIKES = 8.0, 7_000


def raised(series: Labelled, sensitivity: str) -> list[int]:
    """The rows where incidents begin."""
    condition = msgspec.structs.replace(DEFAULT, limit=SCORE_LIMITS[sensitivity])
    rows = (
        SeriesRow(str(time), Place(float(time), is_time=True), None if np.isnan(value) else float(value))
        for time, value in zip(series.seconds * SECOND, series.values, strict=True)
    )
    judged = Detection(lambda step: AnomalyDetector(step, condition)).judge(rows)
    return [each.alarm.row for each in judged if each.alarm is not None]


def found_of(series: Mapping[str, Labelled], found: Raised) -> str:
    """Labelled windows with an alarm in them, and alarms outside, both after the part that is not scored."""
    hits = false = windows = 0
    for name, each in series.items():
        rows = [row for row in found[name] if row >= min(int(0.15 * len(each.values)), 750)]
        inside = [any(first <= row <= last for row in rows) for first, last in each.windows]
        hits, windows = hits + sum(inside), windows + len(inside)
        false += sum(all(not first <= row <= last for first, last in each.windows) for row in rows)
    return f"{hits} of {windows} | {false}"


def table_of_limits(series: Mapping[str, Labelled]) -> Iterable[str]:
    """A line a sensitivity, and never alarming beside them."""
    yield f"| {len(series)} series | {' | '.join(PROFILES)} | windows found | false alarms |"
    yield "|---|" + "---:|" * (len(PROFILES) + 2)
    every = {
        f"`{name}`": {key: raised(each, name) for key, each in series.items()} for name in ("low", "normal", "high")
    }
    for name, found in {**every, "never alarming": {key: [] for key in series}}.items():
        cells = " | ".join(f"{scored(series, found, weights):.1f}" for weights in PROFILES.values())
        yield f"| {name} | {cells} | {found_of(series, found)} |"


def table_of_groups(series: Mapping[str, Labelled]) -> Iterable[str]:
    """A line a group of series, and all but that group."""
    yield "| group | standard | all but that group | windows found | false alarms |"
    yield "|---|---:|---:|---:|---:|"
    found = {key: raised(each, "normal") for key, each in series.items()}
    for group in sorted({name.split("/", maxsplit=1)[0] for name in series}):
        own = {name: each for name, each in series.items() if name.startswith(f"{group}/")}
        rest = {name: each for name, each in series.items() if name not in own}
        cells = [f"{scored(part, found, PROFILES['standard']):.1f}" if _windows(part) else "-" for part in (own, rest)]
        yield f"| {group} | {' | '.join(cells)} | {found_of(own, found)} |"


def _windows(series: Mapping[str, Labelled]) -> int:
    return sum(len(each.windows) for each in series.values())


def quiet_year(kind: int, seed: int) -> tuple[int, bool]:
    """Incidents in a year of hours without any, and whether a spike of eight sigma in one hour is one."""
    values = quiet(KINDS[kind], seed)
    detector = AnomalyDetector(HOUR)
    false = sum(detector.step(hour, float(value)).found is not None for hour, value in enumerate(values))
    detector, sigma = AnomalyDetector(HOUR), float(np.std(values))
    for hour, value in enumerate(values[:SPIKES]):
        detector.step(hour, float(value))
    return false, detector.step(SPIKES, float(values[SPIKES]) + SPIKE * sigma).found is not None


def table_of_kinds(series: int, first: int) -> Iterable[str]:
    """A line a kind."""
    yield "| kind of series | false alarms a year: median | 95 % | mean | a spike of 8 sigma found |"
    yield "|---|---:|---:|---:|---:|"
    with ProcessPoolExecutor() as pool:
        for number, kind in enumerate(KINDS):
            seeds = range(first, first + series)
            false, hits = zip(*pool.map(partial(quiet_year, number), seeds, chunksize=10), strict=True)
            cells = f"{np.median(false):g} | {np.percentile(false, 95):g} | {mean(false):.2f} | {mean(hits):.0%}"
            yield f"| {kind.name} | {cells} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="a folder with the series and their labels")
    parser.add_argument("--series", type=int, default=60, help="without a folder: series of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    tables = [table_of_kinds(arguments.series, arguments.first)]
    if arguments.folder is not None:
        series = labelled(arguments.folder)
        tables = [table_of_limits(series), [""], table_of_groups(series)]
    for table in tables:
        for row in table:
            sys.stdout.write(row + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
