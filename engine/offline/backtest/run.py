"""The run itself: blocks of measurements, cut by a clock, through the stages that a worker has.

What a worker says of the same measurements and ticks, this says too, byte for byte.
"""

from __future__ import annotations

from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from engine.errors import WireError
from engine.kernels.layout import DISABLED
from engine.model.outputs import DeadLetter
from engine.model.records import Activate
from engine.model.time import HOUR, MINUTE
from engine.model.topics import DEAD_LETTERS, FINDINGS, TRIGGERS
from engine.offline.backtest.beside import Beside, ahead, short_turns
from engine.offline.backtest.clock import Clock
from engine.offline.backtest.files import read_blocks
from engine.offline.backtest.gather import gathered
from engine.offline.backtest.items import Destination
from engine.offline.backtest.merge import merged
from engine.offline.backtest.refusals import Refusals, file_and_line
from engine.offline.backtest.tally import Tally
from engine.offline.tail import tail_of
from engine.offline.worked_out import batch_of
from engine.runtime.allocation import spared_collector
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import LogRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from engine.model.time import Micros
    from engine.offline.backtest.clock import Piece
    from engine.offline.backtest.files import Reading
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output
    from engine.wire.columns import Columns, Resolver

    Progress = Callable[[float], None]
    Triggers = Callable[[bytes], None]


_FINDINGS_AT_ONCE = 5_000
_PIECES_AT_ONCE = 1_000
"""So many are cut ahead at most: there may be a million ticks between two measurements."""


def tick_interval_of(rule_set: RuleSet) -> Micros:
    """The shortest time after which a rule holds a series to be idle, from a minute to an hour."""
    return min(max(min((rule.idle for rule in rule_set.rules), default=HOUR), MINUTE), HOUR)


class Ran(NamedTuple):
    """What came of it: what was told, what became of the rows, how time went, how many series each rule looks at."""

    rule_set: RuleSet
    tally: Tally
    refusals: Refusals
    clock: Clock
    counts: dict[str | tuple[str, ...], int]
    series: dict[str, int]


def run(
    rule_set: RuleSet,
    files: Sequence[Path],
    reading: Reading,
    *,
    every: Micros | None = None,
    progress: Progress = lambda _: None,
    triggers: Triggers = lambda _: None,
) -> Ran:
    """Read the files, evaluate what stands in them, with a tick `every` so often (see `tick_interval_of`).

    `progress` hears of the share of the files that was read, `triggers` of the value of each review trigger, without
    those of rules in shadow. ConfigError for a file that cannot be read.
    """
    with spared_collector(), short_turns():
        stages = _Stages(rule_set, tick_interval_of(rule_set) if every is None else every, files, triggers)
        blocks = columns_of(files, reading, rule_set, stages.resolve, stages.refusals, progress)
        # What is worked out at a tick has its offset there, so that nothing behind it is cut before.
        cut = stages.cut(ahead(blocks), 1) if rule_set.has_formulas else ahead(stages.cut(blocks, _PIECES_AT_ONCE))
        for pieces in cut:
            stages.evaluate(pieces)
        return stages.finish()


def columns_of(
    files: Sequence[Path],
    reading: Reading,
    rule_set: RuleSet,
    resolve: Resolver,
    refusals: Refusals,
    progress: Progress = lambda _: None,
) -> Iterator[Columns]:
    """The measurements of all files, merged by time, their offsets being their places; `progress` as `run` has it.

    ConfigError for a file that cannot be read.
    """
    shares = [0.0] * (len(files) * len(reading.mappings))

    def blocks(number: int, path: Path, mapping: int) -> Iterator[Columns]:
        to = Destination(path, number, resolve, refusals)
        part = number * len(reading.mappings) + mapping
        for columns, share in read_blocks(reading, reading.mappings[mapping], rule_set, to):
            shares[part] = share
            yield columns

    readers = [
        blocks(number, path, mapping) for number, path in enumerate(files) for mapping in range(len(reading.mappings))
    ]
    for columns in merged(readers):
        yield columns
        progress(sum(shares) / len(shares))


class _Stages:
    """Both stages, of one partition each. Three threads share the work: one reads ahead, asks for the rows of new
    series, and cuts at ticks; one evaluates; one reviews what was found.
    """

    def __init__(self, rule_set: RuleSet, every: Micros, files: Sequence[Path], triggers: Triggers) -> None:
        context = StageContext({rule_set.hash: rule_set}, rule_set.hash, 1, 1, future_max=every)
        self._rule_set, self._files, self._triggers = rule_set, files, triggers
        self.first = Stage1(0, context)
        self._second = Stage2(0, context)
        self._clock = Clock(every)
        self._tally = Tally(rule_set)
        self.refusals = Refusals()
        self._findings = self._worked_out = 0
        self._reviews = Beside()
        self._rows = Lock()
        self.evaluate([self._clock.begin(Activate(0, rule_set.hash, 0))])

    def resolve(self, kpi: str, dimensions: dict[str, str], source: str | None) -> int:
        """See `Stage1.resolve`; waits while rows are in use."""
        with self._rows:
            return self.first.resolve(kpi, dimensions, source)

    def cut(self, blocks: Iterable[Columns], at_once: int) -> Iterator[list[Piece]]:
        """Measurements, whose offsets are their places, with the ticks between them, as `evaluate` takes them."""
        for columns in blocks:
            pieces = self._clock.cut(columns, self._place)
            while held := [self._gathered(piece) for piece in islice(pieces, at_once)]:
                yield held

    def _gathered(self, piece: Piece) -> Piece:
        return piece._replace(chunk=gathered(piece.chunk, len(self.first.state.series)))

    def finish(self) -> Ran:
        """Let the last windows close."""
        self.evaluate(self._clock.finish(tail_of(self._rule_set, self._clock.every)))
        self._reviews.finish()
        self._second.close()
        counts = self.first.counts | ({"worked_out": self._worked_out} if self._worked_out else {})
        return Ran(self._rule_set, self._tally, self.refusals, self._clock, counts, self._series_by_rule())

    def evaluate(self, pieces: Iterable[Piece]) -> None:
        """Take measurements and ticks, and have what is found reviewed."""
        findings: list[Output] = []
        for piece in pieces:
            with self._rows:
                outputs = self.first.take(piece.chunk)
            for output in outputs:
                if output.topic == FINDINGS:
                    findings.append(output)
                elif output.topic == DEAD_LETTERS:
                    self._refuse(piece, output)
            if self._rule_set.has_formulas and piece.chunk.control is not None:
                self._reviews.wait()
                findings = self._work_out(self._review(findings))
            elif len(findings) >= _FINDINGS_AT_ONCE:
                self._reviews.do(self._review, findings)
                findings = []
        if findings:
            self._reviews.do(self._review, findings)

    def _work_out(self, outputs: list[Output]) -> list[Output]:
        """Let stage 1 take what stage 2 worked out at a tick, before anything that comes behind it; the findings."""
        batch = batch_of(outputs, self._clock.offsets)
        if batch is None:
            return []
        with self._rows:
            before = self.first.counts["accepted"]
            outputs = self.first.apply(batch)
        self._worked_out += self.first.counts["accepted"] - before
        return [output for output in outputs if output.topic == FINDINGS]

    def _review(self, findings: list[Output]) -> list[Output]:
        """Stage 2 and all that keeps what was told: in a thread of its own, beside the kernels of stage 1, but where
        stage 1 waits for what is worked out.
        """
        if not findings:
            return []
        self._tally.take(findings)
        base, self._findings = self._findings, self._findings + len(findings)
        outputs = self._second.take(LogRecord(base + n, *output.record) for n, output in enumerate(findings))
        self._tally.take(outputs)
        for output in outputs:
            if output.topic == TRIGGERS:
                self._triggers(output.record.value or b"")
        return outputs

    def _refuse(self, piece: Piece, output: Output) -> None:
        """What the evaluation itself refuses, such as a restatement."""
        letter = msgspec.json.decode(output.record.value or b"", type=DeadLetter)
        place = int(piece.places[letter.offset - int(piece.chunk.columns.offset.min())])
        number, line = file_and_line(place)
        error = WireError(letter.reason, letter.detail, path=letter.path)
        self.refusals.add(error, self._files[number], line)

    def _place(self, place: int) -> str:
        number, line = file_and_line(place)
        return f"{self._files[number]}:{line}"

    def _series_by_rule(self) -> dict[str, int]:
        """How many series each rule looks at."""
        state = self.first.state
        instances = state.tables.instances[: state.arrays.used["instances"]]
        rows = instances["rule"][instances["phase"] != DISABLED]
        counts = np.bincount(rows, minlength=len(state.plan.rule_of)).tolist()
        return {rule.id: count for rule, count in zip(state.plan.rule_of, counts, strict=True)}
