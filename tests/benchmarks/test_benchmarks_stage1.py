"""The benchmark of stage 1 at its smoke size: it runs, and its outputs are right."""

from __future__ import annotations

from bench_stage1 import bench


def test_the_benchmark_of_stage_1_runs_and_its_outputs_are_right():
    rows = bench(30_000)
    assert [row.what for row in rows] == ["records out of batches", "+ decode", "+ evaluate"]
    assert all(row.seconds > 0 for row in rows)
