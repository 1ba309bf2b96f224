"""`counterpoint detect`: the default detector on a series of your own."""

from __future__ import annotations

import csv
from contextlib import ExitStack, suppress
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from engine.cli.detect_said import JsonList, Lines, Said
from engine.client.files import STDIN
from engine.errors import ConfigError
from engine.model.time import DAY, HOUR, MINUTE, SECOND
from engine.offline.detect.anomaly import AnomalyDetector
from engine.offline.detect.rows import read_series
from engine.offline.detect.run import Detection
from engine.offline.detect.trend import TrendDetector
from engine.runtime.settings import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.offline.detect.run import Judged


class Condition(StrEnum):
    """The detectors."""

    TREND_BREAK = "trend_break"
    ANOMALY = "anomaly"


_DETECTORS: dict[Condition, Callable[[Any], Any]] = {
    Condition.TREND_BREAK: TrendDetector,
    Condition.ANOMALY: AnomalyDetector,
}


class _Outcome(NamedTuple):
    """What is left once all rows have passed. `judged` is kept for a picture only."""

    rows: int
    judged: list[Judged]


def _readable(file: Path) -> Path:
    """Typer knows standard input only where a file need not be there."""
    if file != STDIN and not file.is_file():
        raise typer.BadParameter(f"expected a file, or - for standard input, found {file}")
    return file


def detect(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with a header, NDJSON or Parquet; - reads CSV or NDJSON from standard input.",
            callback=_readable,
        ),
    ],
    *,
    time: Annotated[str, typer.Option("--time", metavar="COLUMN", help="The column of times, dates or numbers.")],
    value: Annotated[str, typer.Option("--value", metavar="COLUMN", help="The column of values; empty: none.")],
    condition: Annotated[Condition, typer.Option("--condition", help="What is looked for.")] = Condition.TREND_BREAK,
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="DURATION", help="How far apart rows are, like 5m; seen unless said."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The alarms as a JSON list, written as they come.")] = False,
    scores: Annotated[
        Path | None,
        typer.Option("--scores", metavar="OUT.csv", help="A score a row as well: from 1 on it is an alarm."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="OUT.png", help="Draw it as well: OUT.png or OUT.svg.")
    ] = None,
) -> None:
    """Find what a rule would find with `trend_break: {}`, a lasting change of the level or the slope of a series, or
    with `anomaly: {}`, values outside the band that is usual of it.

    Every row is looked at once, in order; what is said of a row rests on it and the rows before it. Rows are counted
    from 0, the header is none of them. The onset is where the change began, as far as the rows up to the alarm tell.
    An alarm is told when its row has come: `tail -f FILE | counterpoint detect - ...` follows a file.

    Exit status 0: done, with alarms or without. 1: the file cannot be read as asked. 2: wrong usage.
    """
    _check_plot(plot)
    detection = Detection(_DETECTORS[condition], None if step is None else _micros(step))
    judged = detection.judge(read_series(file, time, value))
    said: Said = JsonList() if as_json else Lines()
    try:
        outcome = _run(judged, said, scores, time, keep=plot is not None)
    except BaseException:
        if said.count:  # what was said is one list all the same, however the rows end
            said.close()
        raise
    said.close()
    if not as_json:
        _sum_up(outcome, said.count, detection)
    if plot is not None:
        _draw(outcome, value, condition, plot)


def _check_plot(plot: Path | None) -> None:
    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise typer.BadParameter(f"--plot: expected a file that ends in .png or .svg, found {plot}")
    if plot is not None and find_spec("matplotlib") is None:
        raise ConfigError(
            ["--plot: expected matplotlib, found none; install it with `pip install 'counterpoint-kpi[plot]'`"]
        )


def _micros(step: str) -> int:
    try:
        micros = parse_duration(step)
    except ValueError as error:
        raise typer.BadParameter(f"--step: {error}") from error
    if micros <= 0:
        raise typer.BadParameter(f"--step: expected a duration above zero, found {step}")
    return micros


def _run(judged: Iterator[Judged], said: Said, scores: Path | None, time: str, *, keep: bool) -> _Outcome:
    """Take every row, and say each alarm when it is found."""
    rows, kept = 0, []
    with ExitStack() as stack:
        stack.enter_context(suppress(KeyboardInterrupt))  # how rows end that are followed
        write = None
        if scores is not None:
            write = csv.writer(stack.enter_context(scores.open("w", encoding="utf-8", newline=""))).writerow
            write(("row", time, "score", "alarm"))
        for each in judged:
            if write is not None:
                write((rows, each.row.written, repr(each.score), int(each.alarm is not None)))
            if each.alarm is not None:
                said.take(each.alarm)
            if keep:
                kept.append(each)
            rows += 1
    return _Outcome(rows, kept)


def _sum_up(outcome: _Outcome, alarms: int, detection: Detection) -> None:
    found = f"{alarms} alarm{'' if alarms == 1 else 's'}"
    typer.echo(f"{outcome.rows} rows, one every {_step_in_words(detection)}: {found}.")
    if detection.crowded:
        typer.echo(f"{detection.crowded} rows do not move on in time; each was taken for the next one.", err=True)


def _step_in_words(detection: Detection) -> str:
    step = detection.step or 0.0
    if not detection.is_time:
        return f"{step:g}"
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if step >= unit:
            return f"{step / unit:.4g}{name}"
    return f"{step / SECOND:.4g}s"


def _draw(outcome: _Outcome, value: str, condition: Condition, file: Path) -> None:
    from engine.offline.detect.picture import picture_of  # noqa: PLC0415 (it needs matplotlib)
    from engine.offline.plot.draw import draw  # noqa: PLC0415

    draw(picture_of(outcome.judged, value, condition.value), file)
    typer.echo(f"Wrote {file}.", err=True)
