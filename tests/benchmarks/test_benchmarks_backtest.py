"""The benchmark of the backtest at its smoke size: it runs, and all contenders say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench_backtest import CONTENDERS, bench

if TYPE_CHECKING:
    from pathlib import Path


def test_the_benchmark_of_the_backtest_runs_and_all_say_the_same(tmp_path: Path):
    [told] = bench(tmp_path, 200_000, 500, 1)
    assert told.episodes >= 20
    assert len(told.runs) == len(CONTENDERS)
    assert all(each.seconds > 0 for each in told.runs.values())
