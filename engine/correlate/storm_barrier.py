"""A storm on its way through a barrier: which alerts join and leave it, and what its review is told of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.correlate.barrier import event_time_of
from engine.correlate.members import moved
from engine.correlate.seats import Left, Seats
from engine.model.time import parse_own_time
from engine.model.trigger import Member

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.correlate.storms import Storm, Storming
    from engine.model.finding import Finding
    from engine.model.judgement import Judgement
    from engine.model.time import Micros
    from engine.model.trigger import Turn

CALM_BELOW = 2
"""A storm is over when no more than the limit divided by this are firing."""
CALM = "the storm is over: what begins from now on has reviews of its own"
AGAIN = "the storm is back"


class StormBarrier:
    """A storm on its way through the findings of one barrier.

    `fresh`: alerts that began at this barrier, so that nobody was told of them yet, with their places in `passing`;
    `never`: those that were taken back. `passing` goes on to reviews of single series. `peak`: a storm that began here
    as it was when it was largest, before an alert ended. `apart`, `members` and `left` are the storm's.
    """

    def __init__(self, storming: Storming, storm: Storm) -> None:
        self.storming, self.storm = storming, storm
        self.fresh: dict[tuple[str, str], int] = {}
        self.never: set[tuple[str, str]] = set()
        self.passing: list[Finding] = []
        self.found: list[Judgement] = []
        self.cause: str | None = None
        self.latest = ""
        self.opening = False
        self.peak: Storm | None = None
        self.told_rages, self.told = storm.rages, dict(storm.members)
        self.apart, self.members, self.left = Seats(storm.apart), Seats(storm.members), Left(storm.left)

    def take(self, findings: Sequence[Finding]) -> list[Finding | Judgement]:
        """See `Storming.advance`."""
        for step in _steps(findings):
            if self.storm.rages and self._calms(step):
                self._note_peak()
                self.storm.rages = False
            back = [self._hear(finding) for finding in step]
            self.latest = step[-1].event_time
            self._weigh()
            self._turn(resumes=any(back))
        self._settle()
        return [*self.passing, *self.found]

    def _calms(self, step: Sequence[Finding]) -> bool:
        """Whether the storm is over by this event time: what begins then is not of it."""
        storm, limit = self.storm, self.storming.limit
        ends = sum((each.transition == "firing") == (each.status == "withdrawn") for each in step)
        if storm.firing - ends > limit // CALM_BELOW:
            return False
        trial = StormBarrier(self.storming, msgspec.structs.replace(storm, **_seats(storm)))
        trial.apart, trial.members = self.apart.copied(trial.storm.apart), self.members.copied(trial.storm.members)
        trial.never = set(self.never)
        for finding in step:
            trial._hear(finding)
        return trial.storm.firing <= limit // CALM_BELOW

    def _hear(self, finding: Finding) -> bool:
        """Let an alert begin, go on or end; true when the end of a member is taken back."""
        name = _name(finding)
        if finding.transition == "firing" and finding.status == "new":
            self.never.discard(name)
            if self.storm.rages:
                self.members.give(_member(finding))
                return False
            self.fresh[name] = len(self.passing)
        elif self.members.holds(*name):
            self.cause = finding.cause or self.cause
            return self._of_member(finding)
        elif (place := self.left.place(*name)) is not None:
            self.cause = finding.cause or self.cause
            return self._of_left(finding, place)
        else:
            self._note_peak()
        self._note_apart(finding)
        self.passing.append(finding)
        return False

    def _of_member(self, finding: Finding) -> bool:
        """What is said of an alert of the storm that is on."""
        if finding.transition == "firing" and finding.status != "withdrawn":
            self.members.give(_member(finding))
        elif finding.transition == "firing":
            self._note_peak()
            self.never.add(_name(finding))
            self.members.take(*_name(finding))
        elif finding.transition == "resolved" and finding.status != "withdrawn":
            self._note_peak()
            self.left.note(self.members.take(*_name(finding)))
            self.storm.recovered = True
        return False

    def _of_left(self, finding: Finding, place: str) -> bool:
        """What is said of an alert of the storm that has ended; true when that is taken back."""
        taken_back = finding.status == "withdrawn"
        if finding.transition == "firing" and not taken_back:
            self.left.put(place, _member(finding))
        elif finding.transition == "firing":
            self._note_peak()
            self.never.add(_name(finding))
            self.left.take(place)
        elif finding.transition == "resolved" and taken_back:
            self.members.give(self.left.take(place))
            return True
        return False

    def _note_apart(self, finding: Finding) -> None:
        """What is said of an alert with a review of its own: only whether it is on is kept."""
        own = self.apart.holds(*_name(finding))
        if finding.transition == "firing" and finding.status == "withdrawn":
            self.never.add(_name(finding))
        match finding.transition, finding.status:
            case ("firing", "new"):
                self.apart.give(_member(finding))
            case ("resolved", "withdrawn") if _name(finding) not in self.never:
                self.apart.give(_member(finding))
            case ("firing", "amended") if own:
                self.apart.give(_member(finding))
            case ("firing" | "resolved", _) if own:
                self.apart.take(*_name(finding))

    def _note_peak(self) -> None:
        storm = self.storm
        if self.opening and storm.rages and (self.peak is None or storm.firing > self.peak.firing):
            self.peak = msgspec.structs.replace(storm, **_seats(storm))

    def _weigh(self) -> None:
        """A storm begins when more than the limit are firing, and is over when half of it are."""
        storm, limit = self.storm, self.storming.limit
        if not storm.rages and storm.firing > limit:
            storm.rages, storm.since = True, self.latest
            self._take_in()
        elif storm.rages and storm.firing <= limit // CALM_BELOW:
            storm.rages = False

    def _take_in(self) -> None:
        """Alerts that nobody was told of come to the storm."""
        taken = {name: self.apart.take(*name) for name in sorted(self.fresh) if self.apart.holds(*name)}
        for alert in taken.values():
            self.members.give(alert)
        kept = enumerate(self.passing)
        self.passing = [each for place, each in kept if _name(each) not in taken or place < self.fresh[_name(each)]]
        self.fresh.clear()

    def _turn(self, *, resumes: bool) -> None:
        """The storm's review begins with its first member and ends with the last. Where none of them ever was, that is
        told at the end of the barrier: others may have come in their place.
        """
        storm = self.storm
        if storm.members and not storm.on:
            storm.on = True
            if resumes and storm.opened is not None:
                self._tell("resumed", self.cause)
            else:
                self.opening, self.peak, storm.recovered = True, None, False
                storm.opened = min((each.event_time for each in storm.members.values()), key=parse_own_time)
        elif storm.on and not storm.members and storm.recovered:
            self._begin()
            self._tell("ended", self.cause)
            storm.on = False

    def _begin(self) -> None:
        """Tell of a storm that began here, as it was when it was largest."""
        if self.opening:
            peak, storm = self.peak, self.storm
            was_larger = peak is not None and (not storm.rages or storm.firing < peak.firing)
            self.opening, largest = False, peak if peak is not None and was_larger else storm
            self.found.append(self.storming.turn(largest, "began", str(largest.opened)))
            self.told_rages, self.told = largest.rages, dict(largest.members)

    def _settle(self) -> None:
        storm = self.storm
        if storm.on and not storm.members:
            storm.on = False
            if not self.opening:  # else nobody was told
                self._tell("withdrawn", self.cause)
            storm.opened = None  # what never was does not resume
            return
        self._begin()
        if not storm.on:
            return
        if storm.rages and not self.told_rages:
            self._tell("changed", AGAIN, again=True)
        elif storm.rages != self.told_rages or storm.members != self.told:
            calm = CALM if self.told_rages and not storm.rages else None
            self._tell("changed", self.cause or calm or moved(self.told, storm.members))

    def _tell(self, turn: Turn, cause: str | None, *, again: bool = False) -> None:
        self.found.append(self.storming.turn(self.storm, turn, self.latest, cause, again=again))
        self.told_rages, self.told = self.storm.rages, dict(self.storm.members)


def _seats(storm: Storm) -> dict[str, dict[str, Member]]:
    """A copy of who is where."""
    return {"apart": dict(storm.apart), "members": dict(storm.members), "left": dict(storm.left)}


def _steps(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Those of one event time; what takes something back counts as of the time at which it stands in their order."""
    step: list[Finding] = []
    latest: Micros | None = None
    for finding in findings:
        time = event_time_of(finding)
        if latest is not None and time > latest:
            yield step
            step = []
        latest = time if latest is None else max(latest, time)
        step.append(finding)
    if step:
        yield step


def _name(finding: Finding) -> tuple[str, str]:
    """Which alert a finding is of: within a series they are told apart by the event time that they began at."""
    return finding.series, finding.opened_event_time


def _member(finding: Finding) -> Member:
    return Member(
        series=finding.series,
        rule=finding.rule,
        finding=finding.id,
        event_time=finding.opened_event_time,
        transition=finding.transition,
        revision=finding.revision,
    )
