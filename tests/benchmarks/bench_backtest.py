"""A backtest against what an analyst writes instead: five thresholds a series over a Parquet file, reading included.

Each series has a measurement a minute, and all five rules look at each of them: above and below a limit, outside a
band, and two with hysteresis. The script has the columns in memory and goes through them with array operations. Both
say when each rule began and ceased to fire on each series, and these must be equal.

    python tests/benchmarks/bench_backtest.py [--measurements 10000000] [--series 10000] [--runs 3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from engine.client.rows import Columns
from engine.kernels.warm import warm
from engine.model.time import MINUTE, SECOND, Micros
from engine.offline.backtest.files import Reading
from engine.offline.backtest.run import run
from engine.rules.resolved.catalogue import Kpi
from engine.rules.resolved.condition import Threshold
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

START = 1_700_000_040 * SECOND
ROWS_AT_ONCE = 1_000_000
DAY = Window(1_440 * MINUTE, 1_440 * MINUTE)

Episodes = dict[str, set[tuple[str, Micros, Micros | None]]]
"""By rule: series, from when it fired, to when."""


class Limit(NamedTuple):
    """A threshold: above `high` or below `low`; over when the value is back at `back` (the limit where it is null)."""

    low: float | None
    high: float | None
    back: float | None = None


LIMITS = {
    "above": Limit(None, 4.0),
    "above-until": Limit(None, 3.9, 1.0),
    "below": Limit(-4.0, None),
    "below-until": Limit(-3.9, None, -1.0),
    "outside": Limit(-4.1, 4.1),
}


def rule_set() -> RuleSet:
    """One KPI, and the five rules on its raw points."""
    kpi = Kpi(
        id="load", title="Load", owner="o", objective="ob", definition="d", decision=None, direction="in_band",
        role="lagging", unit="u", aggregation="mean", window=DAY, lateness=0, idle=DAY.step, cadence=None,
        sources=(), dimensions=("host",), series=(), rolls_up_to=None, target=None, counterparts=(), publish=False,
    )  # fmt: skip
    rules = [
        Rule(
            id=name, title=name, kpi="load", where={}, condition=_condition(limit), points="raw", window=DAY,
            lateness=0, idle=DAY.step, for_=0, keep_firing_for=0, severity="warning", mode="on", owner=None,
            review=ReviewSpec(None, (), None, None, "on_recovery"), known_gaps=(), declared={}, fingerprint=name,
        )
        for name, limit in LIMITS.items()
    ]  # fmt: skip
    return RuleSet((), (), (kpi,), tuple(rules), (), {})


def _condition(limit: Limit) -> Threshold:
    op = "outside" if None not in (limit.low, limit.high) else "above" if limit.low is None else "below"
    return Threshold(op, limit.low, limit.high, limit.back)


def write_history(path: Path, measurements: int, series: int) -> None:
    """Noise around zero, a little of it past the limits, all series minute by minute."""
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
                pa.array(chance.normal(size=len(numbers))),
                pa.array(numbers).cast(pa.string()),
            ]
            file.write_table(pa.Table.from_arrays(columns, schema=schema))


def by_engine(path: Path) -> Episodes:
    """What the engine says: stretches of its tally."""
    ran = run(rule_set(), [path], Reading((Columns(dimensions={"host": "host"}),)))
    if ran.refusals.counts or ran.clock.behind:
        raise RuntimeError("expected every row to count")
    found = ran.tally.firing()
    return {name: {tuple(stretch) for stretch in found[name]} for name in LIMITS}


def by_script(path: Path) -> Episodes:
    """What array operations say: rows in the order of their series, a state carried forward within each."""
    table = parquet.read_table(path, columns=["host", "time", "value"], read_dictionary=["host"])
    frame = table.to_pandas()
    codes = frame["host"].cat.codes.to_numpy()
    hosts = frame["host"].cat.categories.to_numpy()
    order = np.argsort(codes, kind="stable")
    series = codes[order]
    value = frame["value"].to_numpy()[order]
    times = frame["time"].dt.as_unit("us").astype("int64").to_numpy()[order]
    first = np.concatenate([[True], series[1:] != series[:-1]])
    return {name: _episodes(limit, first, value, times, hosts[series]) for name, limit in LIMITS.items()}


def _episodes(
    limit: Limit,
    first: NDArray[np.bool_],
    value: NDArray[np.float64],
    times: NDArray[np.int64],
    hosts: NDArray[np.str_],
) -> set[tuple[str, Micros, Micros | None]]:
    """The stretches of one rule over all series."""
    breach = np.zeros(len(value), bool)
    if limit.high is not None:
        breach |= value > limit.high
    if limit.low is not None:
        breach |= value < limit.low
    clear = ~breach
    if limit.back is not None:
        clear = value <= limit.back if limit.low is None else value >= limit.back
    known = breach | clear | first
    newest = np.maximum.accumulate(np.where(known, np.arange(len(value)), 0))
    firing = breach[newest]
    before = np.concatenate([[False], firing[:-1]]) & ~first
    begins = np.flatnonzero(firing & ~before)
    ends = np.flatnonzero((~firing & before) | first)
    after = np.append(ends, len(value))[np.searchsorted(ends, begins, side="right")]
    goes_on = np.append(first, True)[after]
    return {
        (f'load{{"host":"{hosts[begin]}"}}', int(times[begin]), None if ended else int(times[end]))
        for begin, end, ended in zip(begins, np.minimum(after, len(value) - 1), goes_on, strict=True)
    }


class Round(NamedTuple):
    """Seconds of both over one file, by the clock and of CPU, and how many stretches they agreed on."""

    engine: float
    script: float
    engine_cpu: float
    script_cpu: float
    episodes: int


def contest(path: Path) -> Round:
    """One run of each; RuntimeError when they disagree."""
    seconds, cpu, found = [], [], []
    for contender in (by_engine, by_script):
        began, used = time.perf_counter(), time.process_time()
        found.append(contender(path))
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    if found[0] != found[1]:
        differs = {name: len(found[0][name] ^ found[1][name]) for name in LIMITS}
        raise RuntimeError(f"expected the same stretches of both, they differ in {differs}")
    return Round(*seconds, *cpu, sum(map(len, found[0].values())))


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
    judged = given.measurements * len(LIMITS)
    what = f"{given.measurements:,} measurements, {given.series:,} series, {len(LIMITS)} rules on each"
    print(f"{what}; median of {given.runs}")
    for name in ("engine", "script"):
        for what, unit in ((name, "second"), (f"{name}_cpu", "core-second")):
            seconds = median(getattr(each, what) for each in rounds)
            print(f"{what:<12} {seconds:7.2f} s {judged / seconds:14,.0f} points x rules a {unit}")
    ratio = median(each.script / each.engine for each in rounds)
    print(f"the engine makes {ratio:.2f} times what the script does")
    print(f"{rounds[0].episodes:,} stretches of firing, equal")


if __name__ == "__main__":
    main()
