"""How long a worker with many series is away after kill -9, and what its checkpoints cost before.

    python tests/benchmarks/bench_recovery.py [--series 100000] [--rate 20000]

A Kafka of one node, the sender and the worker share this machine; domain live, 12 partitions, static membership, every
other setting as everybody has it. Each series has five rules. All series report in turn, at the rate, the whole time:
also while the worker is dead, so that it has to catch up.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Self

from bench_latency import cpu_seconds, wait_until_ready

from engine.brokers.kafka import KafkaBroker
from engine.brokers.sender import Sender
from engine.brokers.topics import TopicAdmin, plan
from engine.cli.demo_worker import WorkerProcess
from engine.client.replay import Replay
from engine.model.topics import MEASUREMENTS, full_name

RULES = Path(__file__).with_name("recovery_rules.yaml")
PARTITIONS = 12
PATIENCE_SECONDS = 180.0
SLICE_SECONDS = 0.02
DOCUMENTED_SECONDS = 30
ACCEPTED = "counterpoint_measurements_total"


class Load:
    """Sends in a thread of its own, series after series, until it is left."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int, series: int, rate: int) -> None:
        self._place = bootstrap, prefix, partitions
        self._series, self._rate = series, rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0

    def _run(self) -> None:
        bootstrap, prefix, partitions = self._place
        with Sender(bootstrap, full_name(prefix, MEASUREMENTS), prefix) as sink:
            writer, began = Replay(sink, partitions, None), time.monotonic()
            while not self._ended.wait(SLICE_SECONDS):
                due = int((time.monotonic() - began) * self._rate)
                at = time.time_ns() // 1_000
                while self.sent < due:
                    host = {"host": f"h{self.sent % self._series}"}
                    writer.measurement("load", host, at, float(self.sent % 100), id=str(self.sent))
                    self.sent += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


class Outcome(NamedTuple):
    """What one run showed; seconds, bytes, and shares of the process's CPU."""

    series: int
    away: float
    caught_up: float
    checkpoints: int
    checkpoint_bytes: int
    checkpoint_share: float
    first_checkpoint_bytes: int


def worker_for(bootstrap: str, prefix: str, partitions: int) -> WorkerProcess:
    """A static member, which has its partitions back when it returns."""
    named = {"measurement_partitions": partitions, "group_instance_id": "one"}
    return WorkerProcess(
        [
            *("--brokers", bootstrap, "--prefix", prefix, "--rules", str(RULES), "--start-at", "earliest"),
            *(part for name, value in named.items() for part in ("--set", f"{name}={value}")),
        ]
    )


def accepted(worker: WorkerProcess) -> float:
    """How many measurements it has counted since it started."""
    worker.require_alive()
    return (worker.counts() or {}).get(ACCEPTED, 0.0)


def lag(worker: WorkerProcess) -> float:
    """How many records it has not taken."""
    return (worker.counts() or {}).get("counterpoint_consumer_lag_records", 1e9)


def wait_until(worker: WorkerProcess, least: float, lag_max: float | None = None) -> None:
    """Until it has counted so many, and is no further behind."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while accepted(worker) < least or (lag_max is not None and lag(worker) > lag_max):
        assert time.monotonic() < deadline, worker.tail()
        time.sleep(0.1)


def bench(bootstrap: str, prefix: str, *, series: int, rate: int, seconds: float, partitions: int) -> Outcome:
    """One run; `seconds` of load before the kill, when all series are there. AssertionError when it stays away."""
    TopicAdmin(bootstrap).create(plan(prefix, partitions))
    with Load(bootstrap, prefix, partitions, series, rate):
        with worker_for(bootstrap, prefix, partitions) as worker:
            wait_until_ready(worker)
            wait_until(worker, series, rate)
            before, cpu = dict(worker.counts() or {}), cpu_seconds(worker)
            time.sleep(seconds)
            after, cpu = dict(worker.counts() or {}), cpu_seconds(worker) - cpu
            worker.kill()
            killed = time.monotonic()
        with worker_for(bootstrap, prefix, partitions) as again:
            wait_until(again, 1)
            away = time.monotonic() - killed
            full = dict(again.counts() or {})
            wait_until(again, 1, rate)
            caught_up = time.monotonic() - killed
            assert again.stop() == 0, again.tail()

    def gained(name: str) -> float:
        return after[f"counterpoint_{name}_total"] - before.get(f"counterpoint_{name}_total", 0.0)

    return Outcome(
        series,
        away,
        caught_up,
        int(gained("checkpoints")),
        int(gained("checkpoint_bytes")),
        gained("checkpoint_cpu_seconds") / cpu,
        int(full["counterpoint_checkpoint_bytes_total"]),
    )


def show(outcome: Outcome, seconds: float) -> None:
    """Print the run as a Markdown table."""
    print(f"| {outcome.series:,} series of five rules | |\n|---|---:|")
    print(f"| consuming again after kill -9 (documented: {DOCUMENTED_SECONDS} s) | {outcome.away:.1f} s |")
    print(f"| caught up with what was sent meanwhile | {outcome.caught_up:.1f} s |")
    print(f"| every page, as the next owner writes them first | {outcome.first_checkpoint_bytes / 1e6:,.0f} MB |")
    print(f"| checkpoints in {seconds:.0f} s of load | {outcome.checkpoints} |")
    print(f"| their pages | {outcome.checkpoint_bytes / 1e6:,.0f} MB |")
    print(f"| their share of the process's CPU | {outcome.checkpoint_share:.1%} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="counterpoint-bench-") as folder, KafkaBroker(Path(folder, "kafka")) as broker:
        outcome = bench(
            broker.bootstrap,
            "recovery",
            series=given.series,
            rate=given.rate,
            seconds=given.seconds,
            partitions=PARTITIONS,
        )
        show(outcome, given.seconds)


if __name__ == "__main__":
    main()
