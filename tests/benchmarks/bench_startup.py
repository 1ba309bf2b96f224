"""How long it takes until somebody can work: the command line's first word, and a worker that is ready.

    python tests/benchmarks/bench_startup.py [--runs 5]

A Kafka of one node runs on this machine, with the topics of an installation of 12 partitions; nothing stands in them.
`ready` is the moment when `/readyz` answers 200: topics checked, group joined, all 24 partitions recovered. The steps
are those of the worker's own log. The very first start has no cache of compiled kernels, the others find one.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import msgspec

from engine.brokers.kafka import KafkaBroker
from engine.brokers.topics import TopicAdmin, plan

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = Path(__file__).with_name("latency_rules.yaml")
PARTITIONS = 12
PREFIX = "startup"
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 180.0
STEPS = {
    "worker starts": "imports, settings, rules, topics checked, connected",
    "kernels are ready": "kernels loaded or compiled",
    "partition recovered": "group joined, partitions recovered",
}
"""The last line of a step in the log, and what lies before it."""


class Start(NamedTuple):
    """Seconds until each step was done, and until the worker was ready."""

    steps: dict[str, float]
    ready: float


def seconds_of(*arguments: str) -> float:
    """How long a command of ours takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "engine", *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def start(bootstrap: str, folder: Path, cache: Path | None = None) -> Start:
    """Start a worker, wait until it is ready, stop it. `cache`: of compiled kernels, where it is not the usual one."""
    log = folder / "worker.log"
    port = free_port()
    command = [
        *(sys.executable, "-m", "engine", "worker", "--brokers", bootstrap, "--prefix", PREFIX, "--rules", str(RULES)),
        *("--set", f"measurement_partitions={PARTITIONS}", "--set", "log_format=json", "--http-port", str(port)),
    ]
    url = f"http://127.0.0.1:{port}/readyz"
    began, began_at = time.perf_counter(), time.time()
    with log.open("wb") as output:
        environment = os.environ | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            while not is_ready(url):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.perf_counter() - began < PATIENCE_SECONDS, log.read_text(encoding="utf-8")
                time.sleep(LOOK_SECONDS)
            ready = time.perf_counter() - began
        finally:
            process.terminate()
            process.wait()
    return Start(steps_in(log, began_at), ready)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def is_ready(url: str) -> bool:
    """Whether the worker says so."""
    try:
        with urlopen(url, timeout=1.0) as answer:  # noqa: S310 (our own worker)
            return bool(answer.status == 200)
    except (HTTPError, URLError, ConnectionError, TimeoutError):
        return False


def steps_in(log: Path, began_at: float) -> dict[str, float]:
    """When the last line of each step was written, in seconds after the start."""
    found: dict[str, float] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = msgspec.json.decode(line)
        if entry["event"] in STEPS:
            found[entry["event"]] = datetime.fromisoformat(entry["timestamp"]).timestamp() - began_at
    return found


def table(help_seconds: Sequence[float], first: Start, warm: Sequence[Start]) -> str:
    """Everything as one Markdown table: the median, and the least and most of all runs."""
    lines = ["| | median, s | least to most, s |", "|---|---:|---:|"]

    def row(what: str, values: Sequence[float]) -> None:
        lines.append(f"| {what} | {median(values):.2f} | {min(values):.2f} to {max(values):.2f} |")

    row("`counterpoint --help`", help_seconds)
    row("worker ready", [each.ready for each in warm])
    before = [0.0] * len(warm)
    for step, what in STEPS.items():
        until = [each.steps[step] for each in warm]
        row(f"- {what}", [after - earlier for after, earlier in zip(until, before, strict=True)])
        before = until
    compiling = first.steps["kernels are ready"] - first.steps["worker starts"]
    row("worker ready, the very first start", [first.ready])
    row("- of it compiling kernels", [compiling])
    return "\n".join(lines)


def bench(bootstrap: str, folder: Path, cache: Path, runs: int) -> str:
    """The table."""
    TopicAdmin(bootstrap).create(plan(PREFIX, PARTITIONS))
    first = start(bootstrap, folder, cache)
    warm = [start(bootstrap, folder, cache) for _ in range(runs)]
    return table([seconds_of("--help") for _ in range(runs)], first, warm)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with TemporaryDirectory(prefix="counterpoint-bench-") as name:
        folder = Path(name)
        with KafkaBroker(folder / "kafka") as broker:
            print(bench(broker.bootstrap, folder, folder / "cache", runs))


if __name__ == "__main__":
    main()
