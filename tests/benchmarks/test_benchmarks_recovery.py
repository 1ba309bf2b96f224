"""The benchmark of recovery at its smoke size: a killed worker comes back with its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench_recovery import bench

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_the_benchmark_of_recovery_runs_and_the_worker_comes_back_with_every_series(kafka: KafkaBroker):
    outcome = bench(kafka.bootstrap, "recovery-smoke", series=2_000, rate=1_000, seconds=8.0, partitions=3)
    assert outcome.away <= outcome.caught_up
    assert outcome.checkpoints
    assert 0 < outcome.checkpoint_share < 1
    assert outcome.first_checkpoint_bytes > 2_000 * 100
