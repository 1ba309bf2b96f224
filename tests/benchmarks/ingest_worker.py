"""Our own contender: a real `counterpoint worker` over the topic, measured from outside.

The span begins when the last partition has recovered (the worker says so in its log) and ends when the group has
committed the measurements up to the end of the load. A checkpoint goes before that commit; so that it need not wait for
its turn, the worker is told to finish (SIGTERM) when its last tick's progress stands among the findings.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from cpu_clock import CpuSampler
from ingest_load import ticks
from ingest_site import Watcher

from engine.cli.demo_worker import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ingest_load import Load
    from ingest_site import Site

_RECOVERED = '"partition recovered"'


class Evaluated(NamedTuple):
    """Seconds of the clock and of CPU, to the last progress and on to the commit; peak memory; what was found."""

    evaluated: float
    evaluated_cpu: float
    wall: float
    cpu: float
    peak_bytes: int
    findings: list[bytes]


class MeasuredWorker(WorkerProcess):
    """A worker whose process can be looked at."""

    @property
    def pid(self) -> int:
        """Of its one process."""
        return self._process.pid

    def tell_to_finish(self) -> None:
        """As an operator would; returns at once."""
        self._process.terminate()

    def status(self, seconds: float) -> int:
        """Its exit status, once it has ended; a second SIGTERM would cut its farewell short."""
        return self._process.wait(seconds)

    @property
    def ended(self) -> bool:
        """Whether it is not there any more."""
        return self._process.poll() is not None

    def recoveries(self) -> list[float]:
        """When each of its partitions was ready, by the wall clock."""
        return [
            datetime.fromisoformat(msgspec.json.decode(line)["timestamp"]).timestamp()
            for line in self._lines()
            if _RECOVERED in line
        ]


class WorkerRun:
    """One run of a worker with `rules` over what stands in the topics of `site`, all of which is `load`.

    `settings` go to `--set`. `copied` is called, for a site with a foreign topic, when all of that was copied: ticks
    must follow the copies. AssertionError after `seconds`.
    """

    def __init__(
        self,
        site: Site,
        load: Load,
        rules: Path,
        *,
        seconds: float,
        settings: Mapping[str, str],
        copied: Callable[[], None] = lambda: None,
    ) -> None:
        self._site, self._load, self._rules = site, load, rules
        self._settings = {"drain_timeout": "10m", **settings}
        self._seconds, self._deadline = seconds, 0.0
        self._copied = copied

    def measure(self) -> Evaluated:
        """Start it, wait until all is evaluated and committed, end it."""
        self._deadline = time.monotonic() + self._seconds
        watcher = Watcher(self._site)
        try:
            return self._measure(watcher)
        finally:
            watcher.close()

    def _measure(self, watcher: Watcher) -> Evaluated:
        site = self._site
        ends = site.ends(site.measurements)
        with MeasuredWorker(self._arguments()) as worker, CpuSampler(worker.pid) as sampler:
            lanes = 2 * site.partitions + (site.foreign is not None)
            self._wait(worker, lambda: len(worker.recoveries()) >= lanes, 0.02)
            began = max(worker.recoveries())
            if site.foreign is not None:
                [end] = site.ends(site.foreign, 1)
                self._wait(worker, lambda: watcher.committed(str(site.foreign), 1)[0] >= end, 0.01)
                self._copied()
                ends = site.ends(site.measurements)
            last_tick = ticks(self._load)[-1]
            evaluated = self._wait(worker, lambda: watcher.progress() >= last_tick)
            worker.tell_to_finish()
            committed = self._wait(worker, lambda: self._committed(watcher, ends) or worker.ended, 0.005)
            assert worker.status(self._seconds) == 0, worker.tail()
            assert self._committed(watcher, ends), worker.tail()
        watcher.read_on()
        written = sum(site.ends(site.measurements)) - sum(ends)
        assert written <= site.partitions, (
            f"expected an activation in each partition, the worker wrote {written} records"
        )
        start, middle, end_ = sampler.at(began), sampler.at(evaluated), sampler.at(committed)
        return Evaluated(
            evaluated=evaluated - began,
            evaluated_cpu=middle.cpu - start.cpu,
            wall=committed - began,
            cpu=end_.cpu - start.cpu,
            peak_bytes=sampler.peak_bytes,
            findings=watcher.values,
        )

    def _arguments(self) -> list[str]:
        site = self._site
        settings = {"measurement_partitions": site.partitions, **self._settings}
        return [
            *("--brokers", site.bootstrap, "--prefix", site.prefix, "--rules", str(self._rules.resolve())),
            *("--domain", "replay", "--start-at", "earliest"),
            *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
        ]

    def _committed(self, watcher: Watcher, ends: list[int]) -> bool:
        committed = watcher.committed(self._site.measurements, self._site.partitions)
        return all(offset >= end for offset, end in zip(committed, ends, strict=True))

    def _wait(self, worker: MeasuredWorker, done: Callable[[], bool], pause: float = 0.0) -> float:
        """Until it is done; when that was, by the wall clock."""
        while not done():
            worker.require_alive()
            assert time.monotonic() < self._deadline, f"not done after {self._seconds:g} s:\n{worker.tail()}"
            time.sleep(pause)
        return time.time()
