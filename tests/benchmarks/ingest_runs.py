"""One row of the ingest benchmark: in each run a new topic, written once and read by every contender in turn."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, Self

from ingest_answer import answer
from ingest_contenders import run_aiokafka, run_faust, run_librdkafka
from ingest_findings import found_in, require_equal
from ingest_layers import Layer, Layers, fetch, layer_table
from ingest_load import make_load, ticks
from ingest_report import OURS, Span
from ingest_rules import JOBS, declared, rules_yaml
from ingest_scenarios import SCENARIOS
from ingest_site import Site
from ingest_topic import Codec, LoadWriter, Packing
from ingest_worker import WorkerRun

if TYPE_CHECKING:
    from collections import Counter

    from ingest_answer import Found
    from ingest_load import Load
    from ingest_report import Runs
    from ingest_scenarios import Scenario

    from engine.runtime.context import Decoding

_SECONDS_MIN, _RATE_MIN = 120.0, 1_000
"""How long a worker may take: two minutes, and this many measurements a second."""


class Options(NamedTuple):
    """What the command line says; see its help."""

    messages: int
    hosts: int
    rounds: int
    runs: int
    partitions: int
    batch_bytes: int
    codec: Codec
    decoder: Decoding
    contenders: tuple[str, ...]
    faust_messages: int


class Contest:
    """Runs rows at the broker `bootstrap`."""

    def __init__(self, bootstrap: str, options: Options) -> None:
        self.bootstrap, self.options = bootstrap, options

    def load_of(self, row: str) -> Load:
        """What a row sends."""
        options = self.options
        return make_load(*SCENARIOS[row].size(options.messages, options.hosts, options.rounds))

    def run(self, row: str) -> dict[str, Runs]:
        """The spans of each contender; of ours alone unless it is row a. AssertionError for a wrong answer."""
        scenario, load = SCENARIOS[row], self.load_of(row)
        contenders = self.options.contenders if row == "a" else (OURS,)
        expected = answer(load, JOBS[scenario.job], with_ticks=scenario.shape != "foreign")
        spans: dict[str, Runs] = {name: [] for name in contenders}
        for number in range(self.options.runs):
            with WrittenTopic(self, row, number, load) as written:
                for place in range(len(contenders)):
                    # Each in turn goes first.
                    name = contenders[(place + number) % len(contenders)]
                    span = written.contend(name, expected)
                    spans[name].append(span)
                    _tell(f"{row}, run {number + 1}: {name} {span.rate:,.0f}/s, {span.per_core:,.0f} a core-second")
        return spans

    def profile(self) -> str:
        """The table of layers: the topic of row b through each of them here, then through a real worker."""
        load = self.load_of("b")
        one = self._replace_partitions(1)
        with WrittenTopic(one, "b", self.options.runs, load) as written, TemporaryDirectory() as folder:
            log, fetched = asyncio.run(fetch(written.site, *written.site.ends(written.site.measurements)))
            whole = written.contend(OURS, answer(load, JOBS["b"]))
            scratch = Site(self.bootstrap, f"{written.site.prefix}-layers", 1)
            scratch.make()
            layers = Layers(log, load.hosts, Path(folder), scratch, self.options.decoder)
            rows = [Layer("fetch", "the consumer alone, bytes handed over", fetched), *layers.measure()]
            scratch.delete()
            return layer_table(rows, whole, layers.new_series())

    def _replace_partitions(self, partitions: int) -> Contest:
        return Contest(self.bootstrap, self.options._replace(partitions=partitions))


class WrittenTopic:
    """The topics of one run, the load in them; a context manager that deletes them."""

    def __init__(self, contest: Contest, row: str, number: int, load: Load) -> None:
        options = contest.options
        self._scenario: Scenario = SCENARIOS[row]
        self._options, self._load = options, load
        foreign = self._scenario.shape == "foreign"
        prefix = f"bench-{row}-{number}-{os.getpid()}"
        self.site = Site(contest.bootstrap, prefix, options.partitions, with_foreign=foreign)
        codec = options.codec if self._scenario.codec == "none" else self._scenario.codec
        self._packing = Packing(options.batch_bytes, codec)
        self._folder = TemporaryDirectory(prefix="bench-rules-")

    def __enter__(self) -> Self:
        self.site.make()
        foreign = self.site.foreign
        if foreign is None:
            self._writer().write(self._load, self._scenario.shape)
        else:
            writer = LoadWriter(self.site.bootstrap, foreign, 1, self._packing)
            writer.write(self._load, self._scenario.shape, with_ticks=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.site.delete()
        self._folder.cleanup()

    def contend(self, name: str, expected: Counter[Found]) -> Span:
        """One contender over the topic. AssertionError when what it found is not what was expected."""
        if name == OURS:
            return self._ours(expected)
        if name == "faust":
            return run_faust(self.site, self._load, self._options.faust_messages)
        return (run_aiokafka if name == "aiokafka" else run_librdkafka)(self.site, self._load)

    def rules(self) -> Path:
        """The rules of the row as a file."""
        file = Path(self._folder.name, "rules.yaml")
        rules = JOBS[self._scenario.job]
        known = declared(rules, self._load.hosts)
        file.write_text(rules_yaml(rules, known, self.site.foreign), encoding="utf-8")
        return file

    def _ours(self, expected: Counter[Found]) -> Span:
        load = self._load
        run = WorkerRun(
            self.site,
            load,
            self.rules(),
            seconds=_SECONDS_MIN + (load.total + load.hosts) / _RATE_MIN,
            settings={
                "limits.series_per_kpi_max": str(max(load.hosts, 100_000)),
                "decoder": self._options.decoder,
            },
            copied=self._write_ticks,
        )
        done = run.measure()
        require_equal(found_in(done.findings), expected)
        assert self.site.dead_letters() == 0, "expected no dead letters"
        late = (done.wall - done.evaluated, done.cpu - done.evaluated_cpu)
        return Span(load.total, done.wall, done.cpu, done.peak_bytes, *late)

    def _write_ticks(self) -> None:
        """Behind copies of foreign messages: the last two."""
        writer = self._writer()
        for number in ticks(self._load)[-2:]:
            writer.tick(number)
        writer.flush()

    def _writer(self) -> LoadWriter:
        return LoadWriter(self.site.bootstrap, self.site.measurements, self.site.partitions, self._packing)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
