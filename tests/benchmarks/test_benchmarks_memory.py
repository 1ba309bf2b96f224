"""The benchmark of memory at its smoke size: it runs, and what it restores goes on as what it was written from."""

from __future__ import annotations

from bench_memory import bench


def test_the_benchmark_of_memory_runs_and_what_it_restores_goes_on_as_before():
    figures = bench(3_000)
    assert set(figures.seconds) == {
        "series made",
        "10 windows of each",
        "closed by idleness",
        "all pages made",
        "restored",
    }
    assert figures.pages > 3_000 * 100
    assert bench(500, declared=True).pages > 500 * 100
