"""Files of the past as the log that the question is put to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import ConfigError
from engine.model.limits import Limits
from engine.model.records import Activate
from engine.model.time import format_time
from engine.offline.backtest.clock import Clock
from engine.offline.backtest.columns import chosen
from engine.offline.backtest.refusals import Refusals, file_and_line
from engine.offline.backtest.run import columns_of, tick_interval_of
from engine.offline.tail import tail_of
from engine.offline.why.ask import ask
from engine.offline.why.health import Rounds, Tally
from engine.offline.why.standing import Standing
from engine.offline.why.watch import Watch
from engine.offline.worked_out import batch_of
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from engine.model.audit import Silence
    from engine.model.time import Micros
    from engine.offline.backtest.clock import Piece
    from engine.offline.backtest.files import Reading
    from engine.offline.backtest.run import Progress
    from engine.offline.why.gates import Answer
    from engine.offline.why.health import Health
    from engine.offline.why.named import Named
    from engine.rules.ruleset import RuleSet
    from engine.wire.columns import Columns, Resolver

TICKS_MAX = 1_000_000
"""So many ticks a time may lie beyond the newest row."""


class History:
    """A history with its ticks `every` so often (see `tick_interval_of`), that is stopped where a question is put.

    `refusals` counts rows that are refused.
    """

    def __init__(
        self,
        rule_set: RuleSet,
        watch: Watch,
        every: Micros | None = None,
        silences: Iterable[Silence] = (),
        limits: Limits | None = None,
    ) -> None:
        self.rule_set = rule_set
        self.every = tick_interval_of(rule_set) if every is None else every
        sets = {rule_set.hash: rule_set}
        context = StageContext(sets, rule_set.hash, 1, 1, future_max=self.every, limits=limits or Limits())
        self.standing = Standing(context, Stage1(0, context), Stage2(0, context), watch, silences)
        self.refusals = Refusals()
        self._clock = Clock(self.every)
        self.standing.take(self._clock.begin(Activate(0, rule_set.hash, 0)).chunk)

    @property
    def resolve(self) -> Resolver:
        """Names the rows of series."""
        return self.standing.first.resolve

    def take(self, columns: Columns, files: Sequence[Path] = ()) -> None:
        """Measurements in the order of the log, their offsets being their places in `files`."""

        def place(offset: int) -> str:
            number, line = file_and_line(offset)
            return f"{files[number]}:{line}" if files else f"row {line}"

        for piece in self._clock.cut(columns, place):
            self._take(piece)

    def tick_until(self, time: Micros) -> None:
        """Let the clock go on up to `time`. ConfigError where that is too far."""
        newest = self.standing.newest
        if newest is None:
            return
        if (time - newest) // self.every > TICKS_MAX:
            problem = (
                f"--at: expected a time at most {TICKS_MAX:,} ticks past the newest row, {format_time(newest)}, "
                f"found {format_time(time)}; mend the time, or take a longer interval (--ticks)"
            )
            raise ConfigError([problem])
        for piece in self._clock.finish(max(0, time - self._clock.newest)):
            self._take(piece)

    def _take(self, piece: Piece) -> None:
        self.standing.take(piece.chunk)
        if self.rule_set.has_formulas and piece.chunk.control is not None:
            batch = batch_of(self.standing.review(), self._clock.offsets)
            for chunk in self.standing.first.chunks(batch) if batch is not None else ():
                self.standing.take(chunk)


def history_of(
    history: History,
    files: Sequence[Path],
    reading: Reading,
    at: Micros | None,
    progress: Progress = lambda _: None,
) -> Micros:
    """Read the files up to `at` (None: to the end, until the last windows have closed); the time that was reached.

    A file is taken in its order: what stands behind its first row later than `at` had not come by then. ConfigError for
    a file that cannot be read.
    """
    columns = columns_of(files, reading, history.rule_set, history.resolve, history.refusals, progress)
    for each in columns if at is None else _until(columns, at):
        history.take(each, files)
    newest = history.standing.newest
    if at is not None:
        history.tick_until(at)
    elif newest is not None:
        history.tick_until(newest + tail_of(history.rule_set, history.every))
    return at if at is not None else newest or 0


def _until(columns: Iterable[Columns], at: Micros) -> Iterator[Columns]:
    for each in columns:
        later = np.flatnonzero(each.time > at)
        if len(later):
            yield chosen(each, slice(0, int(later[0])))
            return
        yield each


def answer_of_files(
    rule_set: RuleSet,
    rule: str,
    series: Named,
    files: Sequence[Path],
    reading: Reading,
    at: Micros | None,
    every: Micros | None = None,
) -> Answer:
    """Why `rule` did not fire on `series` at `at`, over files; as `history_of`."""
    history = History(rule_set, Watch(rule, series.key), every)
    try:
        asked = history_of(history, files, reading, at)
        return ask(history.standing, rule, series, asked)
    finally:
        history.standing.close()


def health_of_files(
    rule_set: RuleSet,
    files: Sequence[Path],
    reading: Reading,
    at: Micros | None,
    every: Micros | None = None,
    keep: int = 3,
) -> Health:
    """How every rule fares at `at`, over files, with its last `keep` transitions and evaluations; as `history_of`."""
    rounds = Rounds(keep)
    history = History(rule_set, rounds, every)
    rounds.follow(history.standing.second)
    try:
        asked = history_of(history, files, reading, at)
        history.standing.settle()
        tally = Tally(rule_set, rounds)
        tally.first(history.standing.first.state)
        tally.second(history.standing.second)
    finally:
        history.standing.close()
    letters = {key[1]: count for key, count in history.standing.first.counts.items() if key[0] == "dead_letter"}
    refused = dict(sorted((history.refusals.counts + Counter(letters)).items()))
    return tally.health(asked, refused)
