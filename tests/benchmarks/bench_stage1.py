"""Where the time of stage 1 goes, in one process and without a broker, as ratios of one run.

A 60 s mean and one threshold over 1,000 series, one measurement a message. Rows: taking the record batches apart,
decoding them into columns, and all of it with state, dedupe, windows, rules and records out. What comes out is checked
against sums made by plain Python.

    python tests/benchmarks/bench_stage1.py [--measurements 1000000]
"""

from __future__ import annotations

import argparse
import random
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.kernels.warm import warm
from engine.model.finding import Finding
from engine.model.time import SECOND
from engine.rules.resolved.catalogue import Kpi
from engine.rules.resolved.condition import Threshold
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.encode import encode_measurement
from engine.wire.records import encode_batch, entries
from engine.wire.reference import ReferenceDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

SERIES = 1_000
LIMIT = 2.6
START = 1_700_000_040 * SECOND
STEP = 20_000
"""Microseconds between two measurements: each series has three a window."""

MINUTE = Window(60 * SECOND, 60 * SECOND)


class Row(NamedTuple):
    """One line of the table."""

    what: str
    seconds: float


def rule_set() -> RuleSet:
    """One KPI and one rule."""
    kpi = Kpi(
        id="load", title="Load", owner="o", objective="ob", definition="d", decision=None, direction="lower_is_better",
        role="lagging", unit="u", aggregation="mean", window=MINUTE, lateness=0, idle=60 * SECOND, cadence=None,
        sources=(), dimensions=("host",), series=(), rolls_up_to=None, target=None, counterparts=(), publish=False,
    )  # fmt: skip
    rule = Rule(
        id="load-high", title="Load is high", kpi="load", where={}, condition=Threshold("above", None, LIMIT, None),
        points="window", window=MINUTE, lateness=0, idle=60 * SECOND, for_=0, keep_firing_for=0, severity="warning",
        mode="on", owner=None, review=ReviewSpec(None, (), None, None, "on_recovery"), known_gaps=(), declared={},
        fingerprint="load-high",
    )  # fmt: skip
    return RuleSet((), (), (kpi,), (rule,), (), {})


def measured(count: int) -> list[tuple[int, int, float]]:
    """(time, series, value): mostly quiet, so that few windows are over the limit."""
    chance = random.Random(7)
    return [(START + number * STEP, number % SERIES, chance.gauss(2.0, 0.5)) for number in range(count)]


def batches(told: list[tuple[int, int, float]], size: int = 5_000) -> list[Batch]:
    """The measurements as record batches of `size`."""
    made = []
    for first in range(0, len(told), size):
        part = told[first : first + size]
        records = [
            Record(None, encode_measurement("load", at, value, {"host": f"h{series}"}, id=f"{first + place}"))
            for place, (at, series, value) in enumerate(part)
        ]
        end = first + len(part)
        made.append(Batch("measurements", 0, first, end - 1, end, encode_batch(records, first)))
    return made


def expected(told: list[tuple[int, int, float]]) -> set[tuple[str, str, float]]:
    """(transition, host, mean) of every window of every series that changes its state, made by plain Python."""
    windows: dict[tuple[int, int], list[float]] = {}
    newest: dict[int, int] = {}
    for at, series, value in told:
        windows.setdefault((series, at // MINUTE.step), []).append(value)
        newest[series] = at // MINUTE.step
    found, firing = set(), set()
    for (series, index), values in sorted(windows.items()):
        if index == newest[series]:
            continue  # still open
        mean = sum(values) / len(values)
        if (mean > LIMIT) != (series in firing):
            firing ^= {series}
            found.add(("firing" if mean > LIMIT else "resolved", f"h{series}", mean))
    return found


def timed(what: str, work: Callable[[], object]) -> Row:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return Row(what, time.perf_counter() - began)


def bench(count: int) -> list[Row]:
    """The rows of the table; AssertionError when stage 1 says anything else than plain Python."""
    told = measured(count)
    log = batches(told)
    rules = rule_set()
    stage = Stage1(0, StageContext({rules.hash: rules}, rules.hash, 1, 1))
    decoder = ReferenceDecoder()
    hosts: dict[str, int] = {}
    outputs: list[bytes] = []

    def take_apart() -> None:
        for batch in log:
            for _ in entries(batch):
                pass

    def decode() -> None:
        for batch in log:
            for _ in decoder.decode(batch, lambda _, dims, __: hosts.setdefault(dims["host"], len(hosts))):
                pass

    def evaluate() -> None:
        for batch in log:
            outputs.extend(output.record.value or b"" for output in stage.apply(batch))

    warm()
    rows = [timed("records out of batches", take_apart), timed("+ decode", decode), timed("+ evaluate", evaluate)]
    said = [msgspec.json.decode(value, type=Finding) for value in outputs]
    found = {(each.transition, each.dimensions["host"], each.value) for each in said}
    assert found == expected(told), "stage 1 and plain Python disagree"
    assert len(found) > count / 1_000
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measurements", type=int, default=500_000)
    count = parser.parse_args().measurements
    rows = bench(count)
    whole = rows[-1].seconds
    print(f"{count:,} measurements, {SERIES:,} series")
    for row in rows:
        rate = count / row.seconds
        print(f"{row.what:<24} {row.seconds:7.2f} s {rate:12,.0f}/s {row.seconds / whole:6.0%} of all")


if __name__ == "__main__":
    main()
