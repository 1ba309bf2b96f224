"""The benchmark of the start at its smoke size: it runs, and the worker goes through its steps in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench_startup import PARTITIONS, PREFIX, STEPS, start, table

from engine.brokers.topics import TopicAdmin, plan

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.kafka import KafkaBroker

pytestmark = pytest.mark.kafka


def test_the_benchmark_of_the_start_runs_and_kernels_are_ready_before_any_partition(kafka: KafkaBroker, tmp_path: Path):
    TopicAdmin(kafka.bootstrap).create(plan(PREFIX, PARTITIONS))
    begun = start(kafka.bootstrap, tmp_path)
    assert list(begun.steps) == list(STEPS)
    assert list(begun.steps.values()) == sorted(begun.steps.values())
    assert begun.steps["partition recovered"] <= begun.ready
    assert "| worker ready |" in table([0.1], begun, [begun])
