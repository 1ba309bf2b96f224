"""A backtest against what an analyst writes instead: thresholds and CUSUM charts over a Parquet file, reading included.

Each series has a measurement a minute, and all five rules look at the mean of each minute: above and below a limit,
with hysteresis, and two control charts of declared centre and sigma, one of them on both sides, the other with a head
start. One series in a hundred is shifted by a sigma and a half for a tenth of the time. The scripts are in
`polars_script.py`; they take a row for a minute. All say when each rule began and ceased to fire on each series, and
these must be equal: values are multiples of a power of two, so that sums are exact in any order.

    python tests/benchmarks/bench_backtest.py [--measurements 10000000] [--series 10000] [--runs 3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from polars_script import Limit, Sums, by_group, by_sorting, episodes
from pyarrow import parquet

from engine.client.rows import Columns
from engine.kernels.warm import warm
from engine.model.time import MINUTE, SECOND, Micros
from engine.offline.backtest.files import Reading
from engine.offline.backtest.run import run
from engine.rules.resolved.catalogue import Kpi
from engine.rules.resolved.condition import Threshold
from engine.rules.resolved.control import ControlChart, Cusum
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray
    from polars_script import Rules

START = 1_700_000_040 * SECOND
ROWS_AT_ONCE = 1_000_000
EACH_MINUTE = Window(MINUTE, MINUTE)
CENTRE, SIGMA = 50.0, 2.0
STEP = 1 / 256
"""Values are multiples of it: every sum of them is exact, in whatever order they are added."""

Episodes = dict[str, set[tuple[str, Micros, Micros | None]]]
"""By rule: series, from when it fired, to when."""

CONDITIONS: dict[str, Threshold | ControlChart] = {
    "above": Threshold("above", None, 58.0, None),
    "above-until": Threshold("above", None, 57.75, 52.0),
    "below": Threshold("below", 42.0, None, None),
    "shift": ControlChart(Cusum(0.5, 8.0, 0.0), None, CENTRE, SIGMA, "moving_range", 20),
    "shift-up": ControlChart(Cusum(0.75, 6.0, 3.0), "up", CENTRE, SIGMA, "moving_range", 20),
}


def rule_set() -> RuleSet:
    """One KPI, and the five rules on its mean of each minute."""
    kpi = Kpi(
        id="load", title="Load", owner="o", objective="ob", definition="d", decision=None, direction="in_band",
        role="lagging", unit="u", aggregation="mean", window=EACH_MINUTE, lateness=0, idle=60 * MINUTE, cadence=None,
        sources=(), dimensions=("host",), series=(), rolls_up_to=None, target=None, counterparts=(), publish=False,
    )  # fmt: skip
    rules = [
        Rule(
            id=name, title=name, kpi="load", where={}, condition=condition, points="window", window=EACH_MINUTE,
            lateness=0, idle=60 * MINUTE, for_=0, keep_firing_for=0, severity="warning", mode="on", owner=None,
            review=ReviewSpec(None, (), None, None, "on_recovery"), known_gaps=(), declared={}, fingerprint=name,
        )
        for name, condition in CONDITIONS.items()
    ]  # fmt: skip
    return RuleSet((), (), (kpi,), tuple(rules), (), {})


def write_history(path: Path, measurements: int, series: int) -> None:
    """Noise around a level, a little of it past the limits, all series minute by minute."""
    chance = np.random.default_rng(7)
    hosts = pa.array([f"host-{number:06d}" for number in range(series)])
    schema = pa.schema(
        [("kpi", pa.string()), ("host", pa.string()), ("time", pa.timestamp("us", "UTC")), ("value", pa.float64()),
         ("id", pa.string())]
    )  # fmt: skip
    with parquet.ParquetWriter(path, schema) as file:
        for first in range(0, measurements, ROWS_AT_ONCE):
            numbers = np.arange(first, min(first + ROWS_AT_ONCE, measurements))
            columns = [
                pa.array(["load"]).take(np.zeros(len(numbers), np.int64)),
                hosts.take(numbers % series),
                pa.array(START + numbers // series * MINUTE, pa.timestamp("us", "UTC")),
                pa.array(
                    np.rint((_levels(numbers, measurements, series) + SIGMA * chance.normal(size=len(numbers))) / STEP)
                    * STEP
                ),
                pa.array(numbers).cast(pa.string()),
            ]
            file.write_table(pa.Table.from_arrays(columns, schema=schema))


def _levels(numbers: NDArray[np.int64], measurements: int, series: int) -> NDArray[np.float64]:
    """What each measurement scatters about."""
    begin = 0.4 * measurements
    shifted = (numbers % series % 100 == 0) & (begin <= numbers) & (numbers < begin + 0.1 * measurements)
    return CENTRE + np.where(shifted, 1.5 * SIGMA, 0.0)


def by_engine(path: Path) -> Episodes:
    """Stretches of its tally."""
    ran = run(rule_set(), [path], Reading((Columns(dimensions={"host": "host"}),)))
    if ran.refusals.counts or ran.clock.behind:
        raise RuntimeError("expected every row to count")
    found = ran.tally.firing()
    return {name: {tuple(stretch) for stretch in found[name]} for name in CONDITIONS}


def by_polars(way: Callable[[Path, Rules], dict[str, pl.DataFrame]], path: Path) -> Episodes:
    """What one of the scripts says. The time of a window is its end, a minute after that of its row."""
    found = way(path, {name: _for_script(condition) for name, condition in CONDITIONS.items()})
    return {
        name: {(f'load{{"host":"{host}"}}', begin, end) for host, begin, end in episodes(changes, MINUTE)}
        for name, changes in found.items()
    }


def _for_script(condition: Threshold | ControlChart) -> Limit | Sums:
    if isinstance(condition, Threshold):
        return Limit(condition.high, condition.low, condition.recover_at)
    chart = condition.chart
    if not isinstance(chart, Cusum):
        raise TypeError(f"expected a CUSUM, found {chart}")
    return Sums(chart.slack, chart.limit, chart.head_start, condition.direction is None, CENTRE, SIGMA)


CONTENDERS: dict[str, Callable[[Path], Episodes]] = {
    "engine": by_engine,
    "polars, group_by": partial(by_polars, by_group),
    "polars, sorted": partial(by_polars, by_sorting),
}


class Run(NamedTuple):
    """Seconds of a contender over the file, by the clock and of CPU, all threads."""

    seconds: float
    cpu: float


class Round(NamedTuple):
    """A run of each, and how many stretches of firing all of them found."""

    runs: dict[str, Run]
    episodes: int


def contest(path: Path) -> Round:
    """One run of each; RuntimeError when they disagree."""
    runs, found = {}, {}
    for name, contender in CONTENDERS.items():
        began, used = time.perf_counter(), time.process_time()
        found[name] = contender(path)
        runs[name] = Run(time.perf_counter() - began, time.process_time() - used)
    ours = found["engine"]
    for name, theirs in found.items():
        differs = {rule: len(ours[rule] ^ theirs[rule]) for rule in CONDITIONS if ours[rule] != theirs[rule]}
        if differs:
            raise RuntimeError(f"expected the same stretches of all, {name} differs in {differs}")
    return Round(runs, sum(map(len, ours.values())))


def bench(folder: Path, measurements: int, series: int, runs: int) -> list[Round]:
    """The rounds over one generated file."""
    warm()
    path = folder / "history.parquet"
    write_history(path, measurements, series)
    return [contest(path) for _ in range(runs)]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measurements", type=int, default=10_000_000)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rounds = bench(Path(folder), given.measurements, given.series, given.runs)
    judged = given.measurements * len(CONDITIONS)
    what = f"{given.measurements:,} measurements, {given.series:,} series, {len(CONDITIONS)} rules on each"
    print(f"{what}; median of {given.runs}, points x rules a second")
    print(f"{'':<18}{'seconds':>9}{'a second':>14}{'CPU s':>9}{'a core-second':>15}   engine makes (CPU)")
    for name in CONTENDERS:
        seconds = median(each.runs[name].seconds for each in rounds)
        cpu = median(each.runs[name].cpu for each in rounds)
        by_clock = median(each.runs[name].seconds / each.runs["engine"].seconds for each in rounds)
        by_cpu = median(each.runs[name].cpu / each.runs["engine"].cpu for each in rounds)
        figures = f"{seconds:>9.2f}{judged / seconds:>14,.0f}{cpu:>9.2f}{judged / cpu:>15,.0f}"
        print(f"{name:<18}{figures}   {by_clock:.2f} ({by_cpu:.2f}) times as many")
    print(f"{rounds[0].episodes:,} stretches of firing, the same of all")


if __name__ == "__main__":
    main()
