"""What a series costs: resident memory by part, and how long it takes to make, write and restore all of them.

One partition in one process. Each series has five rules: three thresholds with `for` and `recover_at`, a change against
the median of the last 8 windows, and missing data; windows of 60 s, lateness 0. Ten windows pass, then all are silent
until their windows have closed by idleness, which is when a state holds most. What is restored from the pages must go
on as what it was written from.

    python tests/benchmarks/bench_memory.py [--series 1000000] [--declared]
"""

from __future__ import annotations

import argparse
import gc
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from engine.evaluate.stage import Surroundings, evaluate
from engine.kernels.warm import warm
from engine.model.limits import Limits
from engine.model.records import Tick
from engine.model.time import HOUR, SECOND, Micros, format_time
from engine.rules.compiler import compile_plan
from engine.rules.resolved.catalogue import Kpi
from engine.rules.resolved.condition import Change, MissingData, Threshold
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.state.pages import every_page, restored
from engine.state.partition import RANGES, PartitionState
from engine.wire.columns import Chunk, Columns, Control

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.rules.compiler import Plan
    from engine.rules.resolved.condition import Condition

START = 1_700_000_040 * SECOND
MINUTE = Window(60 * SECOND, 60 * SECOND)
WINDOWS = 10
BATCH = 5_000
ID_LENGTH = 16
AROUND = Surroundings({}, HOUR)


def rule_set(hosts: int) -> RuleSet:
    """One KPI and five rules; the first `hosts` of its series are declared."""
    kpi = Kpi(
        id="load", title="Load", owner="o", objective="ob", definition="d", decision=None, direction="lower_is_better",
        role="lagging", unit="u", aggregation="mean", window=MINUTE, lateness=0, idle=60 * SECOND, cadence=None,
        sources=(), dimensions=("host", "service"), series=tuple(map(dimensions, range(hosts))), rolls_up_to=None,
        target=None, counterparts=(), publish=False,
    )  # fmt: skip
    rules = (
        rule("1-high", Threshold("above", None, 9.0, 8.0), MINUTE.step),
        rule("2-higher", Threshold("above", None, 11.0, 10.0), MINUTE.step),
        rule("3-low", Threshold("below", 0.0, None, 1.0), MINUTE.step),
        rule("4-change", Change("windows", 8, 1.0, None, relative=True)),
        rule("5-missing", MissingData(HOUR)),
    )
    return RuleSet((), (), (kpi,), rules, (), {})


def rule(name: str, condition: Condition, for_: Micros = 0) -> Rule:
    """A rule that looks at the windows of its KPI."""
    return Rule(
        id=name, title=name, kpi="load", where={}, condition=condition, points="window", window=MINUTE, lateness=0,
        idle=60 * SECOND, for_=for_, keep_firing_for=0, severity="warning", mode="on", owner=None,
        review=ReviewSpec(None, (), None, None, "on_recovery"), known_gaps=(), declared={}, fingerprint=name,
    )  # fmt: skip


def dimensions(number: int) -> dict[str, str]:
    """What tells one series from the others."""
    return {"host": f"host-{number:07d}", "service": "checkout"}


def measured(count: int, window: int) -> Iterator[Chunk]:
    """One measurement of each series in a window, in an order of its own, as a decoder hands them over."""
    chance = np.random.default_rng(window)
    order = chance.permutation(count).astype(np.int32)
    for first in range(0, count, BATCH):
        yield Chunk(columns_of(order[first : first + BATCH], window, chance), (), None)


def columns_of(row: NDArray[np.int32], window: int, chance: np.random.Generator) -> Columns:
    """A measurement of each of these rows at the begin of a window."""
    size = len(row)
    hashed = chance.integers(0, 2**64, size, np.uint64)
    return Columns(
        row=row,
        time=np.full(size, START + window * MINUTE.step, np.int64),
        value=chance.normal(5.0, 2.0, size),
        id_hash=hashed,
        revision=np.zeros(size, np.int32),
        flags=np.zeros(size, np.uint8),
        offset=np.arange(size, dtype=np.int64),
        item=np.zeros(size, np.int32),
        id_start=np.arange(0, size * ID_LENGTH, ID_LENGTH, np.int32),
        id_length=np.full(size, ID_LENGTH, np.int32),
        ids=np.frombuffer(b"".join(b"%016x" % each for each in hashed.tolist()), np.uint8),
    )


def ticks(first: int, last: int) -> Iterator[Chunk]:
    """The ticks at the ends of these windows."""
    nothing = columns_of(np.zeros(0, np.int32), 0, np.random.default_rng(0))
    for number in range(first, last):
        record = Tick("replay", number, format_time(START + (number + 1) * MINUTE.step))
        yield Chunk(nothing, (), Control(0, record))


def said(state: PartitionState, chunks: Iterator[Chunk]) -> Iterator[bytes]:
    """What the chunks make the state say."""
    for chunk in chunks:
        _, emissions = evaluate(state, chunk, AROUND)
        yield from (msgspec.json.encode(emission.said) for emission in emissions)


def resident() -> tuple[int, int]:
    """Bytes of the process in memory: now, and at most so far."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, most = (int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


class Figures(NamedTuple):
    """What was measured: bytes by part, CPU seconds by step, bytes of all pages."""

    series: int
    memory: dict[str, int]
    seconds: dict[str, float]
    pages: int


def bench(count: int, *, declared: bool = False) -> Figures:
    """Measure; AssertionError when the restored state goes on differently."""
    warm()
    memory: dict[str, int] = {}
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began = time.process_time()
        yield
        seconds[what] = time.process_time() - began

    def noted(what: str) -> None:
        gc.collect()
        memory[what] = resident()[0]

    noted("the process before")
    plan = compile_plan(rule_set(count if declared else 0))
    noted("with the rule set")
    limits = Limits(series_per_kpi_max=count)
    with timed("series made"):
        state = made(plan, limits, count)
    noted("with all series")
    with timed(f"{WINDOWS} windows of each"):
        windows = [sum(1 for _ in said(state, measured(count, number))) for number in range(WINDOWS)]
    assert windows[-1] > count // 1_000, "the rules say too little"
    noted(f"after {WINDOWS} windows of each")
    memory["at most so far"] = resident()[1]
    with timed("closed by idleness"):
        assert sum(1 for _ in said(state, ticks(WINDOWS, WINDOWS + 2))) > count // 1_000
    noted("after all have been idle")
    memory |= parts(state)
    with timed("all pages made"):
        pages = every_page(state)
    noted("with all pages in hand")
    size = sum(map(len, pages.values()))
    with timed("restored"):
        again = restored(plan, 0, 1, limits, pages)
    del pages
    before = list(said(state, measured(count, WINDOWS + 3)))
    assert before == list(said(again, measured(count, WINDOWS + 3))), "what was restored goes on differently"
    return Figures(count, memory, seconds, size)


def made(plan: Plan, limits: Limits, count: int) -> PartitionState:
    """A state with so many series, declared ones first."""
    state = PartitionState(plan, 0, 1, limits)
    for number in range(len(state.series), count):
        state.resolve("load", dimensions(number), None)
    assert len(state.tables.series) >= count == len(state.series)
    return state


def parts(state: PartitionState) -> dict[str, int]:
    """What is in use of each table."""
    tables, used = state.tables, state.arrays.used
    sizes = {f"- {name}": used[name] * getattr(tables, name).itemsize for name in RANGES}
    sizes["- what idle windows are judged again from"] = used["instances"] * tables.base.itemsize
    sizes["- ids and their index"] = tables.ids.nbytes + tables.places.nbytes
    sizes["- keys and their index"] = state.series.nbytes
    return sizes


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--declared", action="store_true", help="all series stand in the catalogue")
    arguments = parser.parse_args()
    figures = bench(arguments.series, declared=arguments.declared)
    count = figures.series
    print(f"{count:,} series, {figures.pages:,} bytes of pages\n")
    print("| memory | MB | bytes a series |\n|---|---:|---:|")
    for what, size in figures.memory.items():
        print(f"| {what} | {size / 1e6:,.0f} | {size / count:,.0f} |")
    print("\n| step | CPU seconds | series a second |\n|---|---:|---:|")
    for what, seconds in figures.seconds.items():
        print(f"| {what} | {seconds:.2f} | {count / seconds:,.0f} |")


if __name__ == "__main__":
    main()
