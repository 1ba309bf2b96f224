"""A series through a detector."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.offline.detect.detector import QUIET, Verdict
from engine.offline.detect.trail import Trail
from engine.offline.detect.windows import LOOKED_AT, Numbering, step_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from engine.model.time import Micros
    from engine.offline.detect.detector import Detector
    from engine.offline.detect.rows import SeriesRow


class Alarm(NamedTuple):
    """Raised at `row` (from 0, the header not counted) at `time` as written; the change began at `onset_row`."""

    row: int
    time: str
    onset_row: int
    direction: Literal["up", "down"]
    size: float
    statistic: float


class Judged(NamedTuple):
    """A row with its score, and the alarm that it raised. A row without a value has the score 0."""

    row: SeriesRow
    score: float
    alarm: Alarm | None


class Detection:
    """Rows in, judged rows out, one by one; `step` says how far apart they are unless that is given. What is kept does
    not grow with the rows.

    Only the first `LOOKED_AT` rows are read ahead of the first verdict: they tell `step`, and no detector says anything
    of them. Times are a series' own affair: plain numbers have no season.
    """

    def __init__(self, make: Callable[[Micros | None], Detector], step: Micros | None = None) -> None:
        self._make = make
        self.step: float | None = step
        self.is_time = False
        """Whether rows stand in time, and are not only numbered."""
        self.crowded = 0
        """Rows that did not move on in time from the row before."""

    def judge(self, rows: Iterable[SeriesRow]) -> Iterator[Judged]:
        """Take the rows in order."""
        rest = iter(rows)
        first = list(islice(rest, LOOKED_AT))
        if not first:
            return
        self.is_time = first[0].place.is_time
        if self.step is None or not self.is_time:
            self.step = step_of([row.place for row in first])
        detector = self._make(round(self.step) if self.is_time else None)
        numbering = Numbering(self.step, first[0].place)
        trail = Trail(detector.reach)
        for place, row in enumerate(chain(first, rest)):
            number = numbering.number_of(row.place)
            trail.add(number, has_value=row.value is not None)
            verdict = QUIET if row.value is None else detector.step(number, row.value)
            self.crowded = numbering.crowded
            yield Judged(row, verdict.score, _alarm(place, row, verdict, trail))


def _alarm(place: int, row: SeriesRow, verdict: Verdict, trail: Trail) -> Alarm | None:
    found = verdict.found
    if found is None:
        return None
    return Alarm(place, row.written, trail.row_of(found.onset), found.direction, found.size, found.statistic)
