"""From verdicts to turns: which alerts over aligned windows began, ended, go on, or never were, compared with what was
said before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.correlate.evidence import same_verdicts
from engine.correlate.track import Run, Said, Track
from engine.model.finding import Episode
from engine.model.judgement import Judgement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.correlate.aligned import Aligned
    from engine.correlate.judge import Judged
    from engine.model.limits import Limits
    from engine.model.trigger import Turn

RESTATED = "a later measurement changed the verdict"
JOINED = "a further counterpart worsens"
WORSE = "it got worse"


class Stretch(NamedTuple):
    """A run that fired, as the verdicts have it now: the window that it fired with, and the one that ended it (None: it
    is on).
    """

    run: Run
    begin: int
    end: int | None


def turns(aligned: Aligned, track: Track, judged: list[int], limits: Limits) -> list[Judgement]:
    """What reviews must know after the windows `judged` were judged. Changes `track.said`."""
    if not judged:
        return []
    return [*_Teller(aligned, track, judged, limits).compare()]


class _Teller:
    def __init__(self, aligned: Aligned, track: Track, judged: list[int], limits: Limits) -> None:
        self.aligned = aligned
        self.track = track
        self.judged = judged
        self.limits = limits

    def compare(self) -> Iterator[Judgement]:
        stretches = stretches_of(self.track)
        changing = [said for said in self.track.said if self._may_change(said)]
        pairs, unmatched = _match(changing, stretches)
        for said in [said for said in changing if id(said) not in pairs]:
            self.track.said.remove(said)
            yield self._turn("withdrawn", said, None, None, RESTATED)
        for said in self.track.said:
            stretch = pairs.get(id(said))
            if stretch is not None:
                yield from self._goes_on(said, stretch)
        for stretch in unmatched:
            yield from self._begins(stretch)
        self.track.said.sort(key=lambda said: said.begin)

    def _may_change(self, said: Said) -> bool:
        """A run that ended before the first window kept is final."""
        return said.end is None or said.end in self.track.steps

    def _begins(self, stretch: Stretch) -> Iterator[Judgement]:
        run, begin, end = stretch
        said = Said(run.opened, begin, None, run.joined, self._sides_at(begin), worst=abs(run.worst), first=run.first)
        self.track.said.append(said)
        yield self._turn("began", said, run, begin, None)
        if end is not None:
            said.end = end
            yield self._turn("ended", said, run, end, None)

    def _goes_on(self, said: Said, stretch: Stretch) -> Iterator[Judgement]:
        run, begin, end = stretch
        if said.end is not None and end is None:
            said.end = None
            yield self._turn("resumed", said, run, self._newest(), RESTATED)
        cause, at = self._change(said, run, begin)
        said.begin, said.first = begin, run.first
        said.joined = tuple(sorted({*said.joined, *run.joined}))
        if cause is not None:
            said.sides = self._sides_at(begin) or said.sides
            yield self._turn("changed", said, run, at, cause)
        if end is not None and said.end != end:
            was_over = said.end is not None
            said.end = end
            yield self._turn("changed" if was_over else "ended", said, run, end, RESTATED if was_over else None)
        elif end is None:
            yield from self._silence(said, run)

    def _change(self, said: Said, run: Run, begin: int) -> tuple[str | None, int | None]:
        """Why the review must be told, and by which window."""
        new = set(run.joined) - set(said.joined)
        if new:
            return JOINED, self._first_with(new, run)
        step = self.track.steps.get(begin)
        if (
            run.first != said.first
            or begin != said.begin
            or (step is not None and said.sides and not same_verdicts(said.sides, step.sides))
        ):
            return RESTATED, begin
        renotify = self.aligned.rule.review.renotify
        if renotify is not None and renotify.is_passed(abs(run.worst), said.worst):
            said.worst = abs(run.worst)
            return WORSE, self._newest()
        return None, None

    def _silence(self, said: Said, run: Run) -> Iterator[Judgement]:
        """Tell once, when the newest window that is waited for no longer cannot be judged for want of a side."""
        steps = self.track.steps
        decided = self._newest("on", "off", "inconclusive")
        silent = decided is not None and steps[decided].state == "inconclusive"
        if silent and not said.inconclusive:
            yield self._turn("changed", said, run, decided, self.aligned.silent)
        said.inconclusive = silent

    def _newest(self, *states: str) -> int | None:
        """The newest window of one of these states, or that came to a verdict."""
        wanted = states or ("on", "off")
        return max((index for index, step in self.track.steps.items() if step.state in wanted), default=None)

    def _first_with(self, kpis: set[str], run: Run) -> int | None:
        for index in sorted(self.track.steps):
            after = self.track.steps[index].after
            if after is not None and after.begin == run.begin and kpis & set(after.joined):
                return index
        return None

    def _sides_at(self, index: int) -> tuple[Judged | None, ...]:
        step = self.track.steps.get(index)
        return () if step is None else step.sides

    def _turn(self, turn: Turn, said: Said, run: Run | None, at: int | None, cause: str | None) -> Judgement:
        evidence = None
        if at is not None and at in self.track.steps:
            evidence = self.aligned.evidence(self.track, at, self.limits)
        return Judgement(
            rule=self.track.rule,
            scope=self.track.scope,
            rule_set=self.aligned.hash,
            turn=turn,
            opened=said.opened,
            event_time=said.opened if evidence is None else evidence.window.end,
            evidence=evidence,
            taking_part=said.joined,
            episode=None if run is None else Episode(run.windows, run.first, run.last, run.worst),
            cause=cause,
            size=0.0 if run is None else abs(run.worst),
        )


def stretches_of(track: Track) -> list[Stretch]:
    """The runs in the windows that are kept, in order; those that never fired are nobody's concern."""
    found: list[Stretch] = []
    last = track.carried
    for index in sorted(track.steps):
        step = track.steps[index]
        if step.before is not None and step.before.fired is not None and step.after is None:
            found.append(Stretch(step.before, step.before.fired, index))
        last = step.after
    if last is not None and last.fired is not None:
        found.append(Stretch(last, last.fired, None))
    return found


def _match(said: list[Said], stretches: list[Stretch]) -> tuple[dict[int, Stretch], list[Stretch]]:
    """Which known run is which stretch, each once: the one that is named by where the stretch begins, for no two may
    have one name; else those that have a window in common, in order.
    """
    pairs: dict[int, Stretch] = {}
    unmatched = []
    free = {each.opened: each for each in said}
    named = {stretch.run.opened for stretch in stretches}
    for stretch in stretches:
        partner = free.get(stretch.run.opened) or next(
            (each for name, each in free.items() if name not in named and _overlap(each, stretch)), None
        )
        if partner is None:
            unmatched.append(stretch)
        else:
            del free[partner.opened]
            pairs[id(partner)] = stretch
    return pairs, unmatched


def _overlap(said: Said, stretch: Stretch) -> bool:
    begins_before = stretch.end is None or said.begin < stretch.end
    return begins_before and (said.end is None or stretch.begin < said.end)
