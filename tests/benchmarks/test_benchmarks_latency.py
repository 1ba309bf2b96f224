"""The benchmark of latency at its smoke size: every trigger comes of the measurement that it must come of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench_latency import NAMES, bench

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_the_benchmark_of_latency_runs_and_its_triggers_are_those_of_plain_python(kafka: KafkaBroker):
    run = bench(kafka.bootstrap, "latency-smoke", rate=1_500, seconds=14.0, series=200, tick=1, partitions=3)
    assert [row.what for row in run.rows[:4]] == list(NAMES.values())
    assert all(row.latencies for row in run.rows)
    assert run.sent > 10_000
    assert run.checkpoints
