"""Latency, from the append of a measurement to the append of its review trigger, in the live domain at a real Kafka.

    python tests/benchmarks/bench_latency.py [--rate 20000] [--seconds 90] [--tick 10] [--runs 3]

A Kafka of one node, a worker in a process of its own and the sender share this machine. Both moments are the broker's
(`LogAppendTime`), to the millisecond. Every trigger is held against what plain Python makes of the measurements; what
was sent in the first seconds, while series are new, is checked but not counted.

What "its measurement" is:

- raw: the one that goes over the limit, or back.
- window: the one that closes the window, because its time lies past the window's end (the lateness is 0).
- composite, conflict: the one that completes them: the second member's, or the one that closes the window on the last
  side. They wait for the next tick, then for its barrier: `whole` includes the wait, `after the tick` counts from the
  append of that tick to the last partition.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from confluent_kafka import Consumer, TopicPartition
from latency_load import Expected, Load, expected

from engine.brokers.kafka import KafkaBroker
from engine.brokers.sender import Sender
from engine.brokers.topics import TopicAdmin, plan
from engine.cli.demo_worker import WorkerProcess
from engine.model.time import SECOND, parse_own_time
from engine.model.topics import MEASUREMENTS, TRIGGERS, full_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RULES = Path(__file__).with_name("latency_rules.yaml")
PARTITIONS = 12
WARM_SECONDS = 5
SETTLE_SECONDS = 60.0
JOINED = ("hot-and-loud", "sales-paid-for")
NAMES = {"load-high": "raw", "pace-high": "window", "hot-and-loud": "composite", "sales-paid-for": "conflict"}


class Trigger(NamedTuple):
    """A review trigger as it stands in the log; `at` is when it was appended, in milliseconds."""

    rule: str
    host: str
    happening: str
    event_time: str
    tick: int
    at: int


class Appended(NamedTuple):
    """When what stands in measurements was appended, in milliseconds: probes by id, ticks by number (the last one)."""

    probes: Mapping[str, int]
    ticks: Mapping[int, int]


class Row(NamedTuple):
    """Latencies of one kind, in milliseconds, ascending."""

    what: str
    latencies: list[int]

    def at(self, share: float) -> int:
        """The latency that so large a share of triggers does not exceed."""
        return self.latencies[max(0, -(-int(share * len(self.latencies) * 1_000) // 1_000) - 1)]


class Run(NamedTuple):
    """What one run showed."""

    rows: list[Row]
    sent: int
    seconds: float
    checkpoints: int
    checkpoint_bytes: int
    cpu_seconds: float


class _Data(msgspec.Struct):
    rule: str
    scope: str
    event_time: str


class _Event(msgspec.Struct):
    type: str
    time: str
    data: _Data


class _Tick(msgspec.Struct):
    number: int


class _Id(msgspec.Struct):
    id: str


_event = msgspec.json.Decoder(_Event)
_tick = msgspec.json.Decoder(_Tick)
_id = msgspec.json.Decoder(_Id)


def bench(
    bootstrap: str, prefix: str, *, rate: int, seconds: float, series: int, tick: int, partitions: int = PARTITIONS
) -> Run:
    """One run, with a tick each `tick` seconds. AssertionError when a trigger is missing, in excess, or of another
    measurement.
    """
    TopicAdmin(bootstrap).create(plan(prefix, partitions))
    with worker_for(bootstrap, prefix, partitions, tick) as worker:
        with Sender(bootstrap, full_name(prefix, MEASUREMENTS), prefix) as sink:
            load = Load(sink, partitions, rate=rate, seconds=seconds, series=series)
            wait_until_ready(worker)
            before, cpu, began = worker.counts() or {}, cpu_seconds(worker), time.monotonic()
            load.run()
        took = time.monotonic() - began
        after, cpu = worker.counts() or {}, cpu_seconds(worker) - cpu
        wanted = expected(load.probes)
        told = settled(bootstrap, prefix, partitions, len(wanted), tick)
        appended = appended_in(bootstrap, full_name(prefix, MEASUREMENTS), partitions)
        assert worker.stop() == 0, worker.tail()
    counted_from = load.probes[0].time + WARM_SECONDS * SECOND
    counted = {probe.id for probe in load.probes if probe.time >= counted_from}
    rows = rows_of(matched(wanted, told), appended, counted)
    name, size = "counterpoint_checkpoints_total", "counterpoint_checkpoint_bytes_total"
    return Run(
        rows,
        load.sent + len(load.probes),
        took,
        int(after[name] - before.get(name, 0)),
        int(after[size] - before.get(size, 0)),
        cpu,
    )


@contextmanager
def worker_for(bootstrap: str, prefix: str, partitions: int, tick: int) -> Iterator[WorkerProcess]:
    """A worker of the live domain, with the settings that everybody has, but for the tick interval."""
    with WorkerProcess(
        [
            *("--brokers", bootstrap, "--prefix", prefix, "--rules", str(RULES), "--start-at", "earliest"),
            *("--set", f"measurement_partitions={partitions}", "--set", f"tick_interval={tick}s"),
        ]
    ) as worker:
        yield worker


def wait_until_ready(worker: WorkerProcess) -> None:
    """Until it consumes."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not (worker.counts() or {}).get("counterpoint_ready"):
        worker.require_alive()
        assert time.monotonic() < deadline, worker.tail()
        time.sleep(0.1)


def cpu_seconds(worker: WorkerProcess) -> float:
    """What the process has used of the CPU, all its threads together."""
    fields = Path(f"/proc/{worker.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settled(bootstrap: str, prefix: str, partitions: int, count: int, tick: int) -> list[Trigger]:
    """The triggers, when there are so many of them, or when no more come."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = list(triggers_in(bootstrap, full_name(prefix, TRIGGERS), partitions, tick))
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def triggers_in(bootstrap: str, topic: str, partitions: int, tick: int) -> Iterator[Trigger]:
    """Every trigger, partition by partition."""
    for value, at in records_in(bootstrap, topic, partitions):
        event = _event.decode(value)
        host = event.data.scope.partition('"host":"')[2].partition('"')[0]
        number = parse_own_time(event.time) // (tick * SECOND)
        yield Trigger(event.data.rule, host, event.type.split(".")[2], event.data.event_time, number, at)


def appended_in(bootstrap: str, topic: str, partitions: int) -> Appended:
    """When probes and ticks were appended."""
    probes: dict[str, int] = {}
    ticks: dict[int, int] = {}
    for value, at in records_in(bootstrap, topic, partitions):
        if b'"id":"probe-' in value:
            probes[_id.decode(value).id] = at
        elif value.startswith(b'{"type":"tick"'):
            number = _tick.decode(value).number
            ticks[number] = max(at, ticks.get(number, 0))
    return Appended(probes, ticks)


def records_in(bootstrap: str, topic: str, partitions: int) -> Iterator[tuple[bytes, int]]:
    """Value and time of append of every record that stands there now, partition by partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False})
    try:
        for partition in range(partitions):
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            consumer.assign([TopicPartition(topic, partition, 0)])
            position = 0
            while position < end:
                for message in consumer.consume(10_000, timeout=1.0):
                    assert message.error() is None, message.error()
                    position = message.offset() + 1
                    yield message.value(), message.timestamp()[1]
    finally:
        consumer.close()


def matched(wanted: Iterable[Expected], told: Iterable[Trigger]) -> list[tuple[Expected, Trigger]]:
    """Each expected trigger with the one that came: as many for each rule and host, in the order of event time."""
    want: dict[tuple[str, str], list[Expected]] = {}
    have: dict[tuple[str, str], list[Trigger]] = {}
    for each in wanted:
        want.setdefault((each.rule, each.host), []).append(each)
    for trigger in sorted(told, key=lambda trigger: (trigger.event_time, trigger.at)):
        have.setdefault((trigger.rule, trigger.host), []).append(trigger)
    pairs = []
    for place in want.keys() | have.keys():
        ours, theirs = want.get(place, []), have.get(place, [])
        assert [each.happening for each in ours] == [each.happening for each in theirs], (place, ours, theirs)
        pairs += zip(ours, theirs, strict=True)
    return pairs


def rows_of(pairs: Iterable[tuple[Expected, Trigger]], appended: Appended, counted: set[str]) -> list[Row]:
    """The rows of the table."""
    whole: dict[str, list[int]] = {name: [] for name in NAMES}
    after_tick: dict[str, list[int]] = {name: [] for name in JOINED}
    for wanted, told in pairs:
        if not counted.issuperset(wanted.causes):
            continue
        whole[wanted.rule].append(told.at - max(appended.probes[cause] for cause in wanted.causes))
        if wanted.rule in after_tick:
            after_tick[wanted.rule].append(told.at - appended.ticks[told.tick])
    rows = [Row(NAMES[rule], sorted(latencies)) for rule, latencies in whole.items()]
    return rows + [Row(f"{NAMES[rule]}, after the tick", sorted(latencies)) for rule, latencies in after_tick.items()]


def show(run: Run) -> None:
    """Print one run as a Markdown table."""
    print(
        f"\n{run.sent:,} measurements in {run.seconds:.0f} s ({run.sent / run.seconds:,.0f}/s); "
        f"{run.checkpoints} checkpoints meanwhile, {run.checkpoint_bytes / 1e6:,.0f} MB of pages; "
        f"worker {run.cpu_seconds / run.seconds:.0%} of a core\n"
    )
    print("| from append to trigger, ms | triggers | p50 | p99 | p99.9 | max |\n|---|---:|---:|---:|---:|---:|")
    for row in run.rows:
        print(
            f"| {row.what} | {len(row.latencies):,} | {row.at(0.5)} | {row.at(0.99)} | {row.at(0.999)} "
            f"| {row.latencies[-1]} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--tick", type=int, default=10, help="seconds between two ticks; joins wait for them")
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=1)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="counterpoint-bench-") as folder:
        for number in range(given.runs):
            with KafkaBroker(Path(folder, f"kafka{number}")) as broker:
                show(
                    bench(
                        broker.bootstrap,
                        "latency",
                        rate=given.rate,
                        seconds=given.seconds,
                        series=given.series,
                        tick=given.tick,
                    )
                )


if __name__ == "__main__":
    main()
