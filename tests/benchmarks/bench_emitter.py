"""How many measurements a service emits in a second, on one core, beside what kafka-python's own `send` does.

    python tests/benchmarks/bench_emitter.py [--count 200000] [--runs 3]

A Kafka of one node runs on this machine. This process, with the thread that sends, keeps to one core. `bare` sends what
is encoded already, with the same settings and keys; the emitter also derives ids, encodes, and finds keys and
partitions. Each run has a topic of its own, which is read afterwards: it holds exactly what was emitted. On a machine
that others use at the same time the figure by CPU-second is the one to read.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from kafka import KafkaProducer

from engine.brokers.kafka import KafkaBroker
from engine.brokers.reader import read_values
from engine.brokers.topics import TopicAdmin, plan
from engine.client.emitter import MeasurementEmitter
from engine.client.producer import BATCH_BYTES
from engine.model.identity import derived_measurement_id, series_key
from engine.model.time import MILLISECOND, SECOND
from engine.wire.encode import encode_measurement
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import Callable

PARTITIONS = 4
SERIES = 500
KPI = "tickets.open"
SOURCE = "bench"
LINGER_MS = 20
BEGIN = 1_700_000_000
DIMENSIONS = [{"company": f"company-{number}", "region": "emea"} for number in range(SERIES)]


class Rate(NamedTuple):
    """Measurements a second of wall clock, and a CPU-second of this process."""

    wall: float
    cpu: float


def encoded(count: int) -> list[bytes]:
    """The values that must stand on the topic, made the plain way."""
    return [
        encode_measurement(
            KPI,
            time_of(number),
            float(number),
            DIMENSIONS[number % SERIES],
            id=derived_measurement_id(KPI, DIMENSIONS[number % SERIES], time_of(number)),
            source=SOURCE,
        )
        for number in range(count)
    ]


def time_of(number: int) -> int:
    """One every millisecond: no two have the same time."""
    return BEGIN * SECOND + number * MILLISECOND


def timed(count: int, work: Callable[[], None]) -> Rate:
    """How fast the work on so many is done."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Rate(count / (time.perf_counter() - wall), count / (time.process_time() - cpu))


def by_emitter(bootstrap: str, prefix: str, count: int) -> Rate:
    """Emit, and wait until all is acknowledged."""
    with MeasurementEmitter([bootstrap], prefix=prefix, source=SOURCE, linger_ms=LINGER_MS) as emitter:

        def work() -> None:
            for number in range(count):
                emitter.emit(KPI, DIMENSIONS[number % SERIES], BEGIN + number / 1_000, float(number))
            emitter.flush()

        return timed(count, work)


def by_send(bootstrap: str, prefix: str, values: list[bytes]) -> Rate:
    """The same values by the library's own means."""
    topic = f"{prefix}.measurements"
    keys = [series_key(KPI, dimensions).encode() for dimensions in DIMENSIONS]
    partitions = [owner(key, PARTITIONS) for key in keys]
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=LINGER_MS,
        batch_size=BATCH_BYTES,
        metrics_enabled=False,
    )

    def work() -> None:
        for number, value in enumerate(values):
            producer.send(topic, value, keys[number % SERIES], partition=partitions[number % SERIES])
        producer.flush()

    try:
        producer.partitions_for(topic)
        return timed(len(values), work)
    finally:
        producer.close()


def require_exactly(bootstrap: str, prefix: str, values: list[bytes]) -> None:
    """The topic holds these values, each once, in whatever order."""
    found = sorted(read_values(bootstrap, f"{prefix}.measurements"))
    assert found == sorted(values), f"expected {len(values)} values, found {len(found)}, or others"


def bench(bootstrap: str, count: int, runs: int, prefix: str = "bench") -> str:
    """The table; the two take turns."""
    values = encoded(count)
    emitter, bare = [], []
    for run in range(runs):
        mine, other = f"{prefix}-emitter-{run}", f"{prefix}-bare-{run}"
        for name in (mine, other):
            TopicAdmin(bootstrap).create(plan(name, PARTITIONS))
        emitter.append(by_emitter(bootstrap, mine, count))
        bare.append(by_send(bootstrap, other, values))
        for name in (mine, other):
            require_exactly(bootstrap, name, values)
    return table(emitter, bare)


def table(emitter: list[Rate], bare: list[Rate]) -> str:
    """Medians as Markdown."""
    lines = ["| | a second | a CPU-second |", "|---|---:|---:|"]
    rows = {"emitter": emitter, "bare send, encoded before": bare}
    for name, rates in rows.items():
        lines.append(f"| {name} | {median(r.wall for r in rates):,.0f} | {median(r.cpu for r in rates):,.0f} |")
    ratios = [(mine.wall / other.wall, mine.cpu / other.cpu) for mine, other in zip(emitter, bare, strict=True)]
    lines.append(f"| ratio | {median(r[0] for r in ratios):.2f} | {median(r[1] for r in ratios):.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="counterpoint-bench-") as name, KafkaBroker(Path(name)) as broker:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        print(bench(broker.bootstrap, options.count, options.runs))


if __name__ == "__main__":
    main()
