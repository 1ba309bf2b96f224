"""The gates of rules about how a KPI is looked after: what each condition saw, and what it would have taken."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from engine.correlate.governance.falling import is_met
from engine.correlate.governance.looking import OVER_WINDOWS, governed_at, judge, kpis_of, windows_needed
from engine.correlate.governance.milestones import proof_of
from engine.correlate.governance.restated import restated_windows
from engine.correlate.governance.target_age import stale_target
from engine.correlate.governance.watch import Watch, aligned
from engine.model.time import DAY, HOUR, MINUTE, SECOND, parse_own_time
from engine.offline.why.gates import Side, Stop
from engine.offline.why.governed import short_of
from engine.review.explain_governance import listed
from engine.review.numbers import number
from engine.review.spans import window_named
from engine.rules.resolved.catalogue import version_of
from engine.rules.resolved.governance import NewVersion, SetAndForget, UnprovenMilestone

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Milestone
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


def _whole(time: Micros) -> str:
    """`181 days`: in the largest unit of which there are two, and no more exactly."""
    for size, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if time >= 2 * size:
            return f"{time // size} {name}"
    return f"{time // SECOND} s"


def governance_stop(rule: Rule, rules: RuleSet, watch: Watch | None, now: Micros | None) -> Stop | None:
    """The first gate that is shut for such a rule at the tick `now`; None: it is on."""
    if watch is not None and watch.opened is not None:
        return None
    stands = _Stands(rule, rules, watch or Watch(rule.id, ""), now or 0)
    if isinstance(rule.condition, SetAndForget):
        return stands.target(rule.condition.after)
    if isinstance(rule.condition, UnprovenMilestone):
        return stands.milestones(rule.condition.windows)
    return stands.windows() if isinstance(rule.condition, OVER_WINDOWS) else stands.changes()


def governance_point(rule: Rule, rules: RuleSet, watch: Watch | None) -> str | None:
    """The newest window that is complete of all KPIs that such a rule looks at, in words."""
    kpis = kpis_of(rule)
    complete = [] if watch is None else aligned(watch, kpis)
    if watch is None or not complete:
        return None
    bounds = watch.rings[kpis[0]].windows[complete[-1]].bounds
    return window_named(bounds.start, bounds.end, rule.window, rules)


class _Stands:
    """A rule that is not on, as it stands."""

    def __init__(self, rule: Rule, rules: RuleSet, watch: Watch, now: Micros) -> None:
        self.rule, self.rules, self.watch, self.now = rule, rules, watch, now
        self.kpi = rules.kpi_by_id[str(rule.kpi)]
        self.complete = aligned(watch, kpis_of(rule))

    def target(self, after: Micros) -> Stop:
        """Somebody has looked at the target not long ago; or nobody has, and the KPI does not go on."""
        told = stale_target(self.watch, after, self.now)
        if told is None or not self.complete:
            return self._nothing([self.kpi.id])
        _, found = told
        age = max(0, self.now - parse_own_time(found.since))
        looked = {
            "reviewed": f"was reviewed on {found.since[:10]}",
            "changed": f"was changed at {found.since}",
            "watched": f"has no date of review and is watched since {found.since}",
        }[found.because]
        told_of = f"The target of {self.kpi.title} {looked}, {_whole(age)} ago"
        numbers = (found.since, age / SECOND, after / SECOND)
        if age >= after:
            waits = f"{told_of}: it is stale, and is told when the next window of {self.kpi.title} has closed."
            return Stop("window_open", waits, _whole(age), f"a window that closes after {found.due}", *numbers)
        sentence = f"{told_of}; {self.rule.id} waits until nobody has looked at it for {_whole(after)}."
        return Stop("within_bounds", sentence, _whole(age), f"{_whole(after)} ({found.due})", *numbers)

    def milestones(self, windows: int) -> Stop:
        """Each milestone is proven, or neither reported nor due."""
        seen = self.complete[-windows:]
        governed = governed_at(self.watch, self.rules, kpis_of(self.rule), seen) or () if seen else ()
        values = [point.value for each in governed for point in each.points]
        middle = median(values) if values else None
        own = [each for it in self.rules.initiatives for each in it.milestones if each.kpi == self.kpi.id]
        if not own:
            return Stop("within_bounds", f"{self.kpi.title} proves no milestone.", "no milestone", "one that it proves")
        waiting = [each for each in own if not self._is_proven(each, middle)]
        sides = tuple(Side(each.title, there=False, told=self._of_milestone(each, middle)) for each in own)
        at = (
            "has no value"
            if middle is None
            else f"is at {number(middle)}, the median of its last {len(values)} windows"
        )
        if waiting:
            first = min(waiting, key=lambda each: each.by)
            told = f'"{first.title}" is neither reported as done nor overdue'
            value, needed = f"due by {first.by}", f"a report that it is done, or {first.by} to be over"
        else:
            first = own[0]
            told = " and ".join(f'"{each.title}" {side.told}' for each, side in zip(own, sides, strict=True))
            value, needed = number(middle), f"a value that does not prove it: not {number(proof_of(first, self.kpi))}"
        sentence = f"{told}: {self.kpi.title} {at}."
        return Stop("within_bounds", sentence, value, needed, None, middle, proof_of(first, self.kpi), sides)

    def _is_proven(self, milestone: Milestone, middle: float | None) -> bool:
        value = proof_of(milestone, self.kpi)
        return value is not None and middle is not None and is_met(middle, value, self.kpi.direction)

    def _of_milestone(self, milestone: Milestone, middle: float | None) -> str:
        value = proof_of(milestone, self.kpi)
        if self._is_proven(milestone, middle):
            return f"is proven ({number(value)} was needed)"
        return f"is due by {milestone.by}"

    def windows(self) -> Stop:
        """Too few windows, or what they show is not past its limits."""
        kpis, needed = kpis_of(self.rule), windows_needed(self.rule)
        lacking = [name for name in kpis if name not in self.watch.rings]
        if lacking:
            return self._nothing(lacking)
        if len(self.complete) < needed:
            seen = len(self.complete)
            told = f"{self.rule.id} looks at {needed} windows of {listed(self._titles(kpis))}; {seen} are complete."
            return Stop("warm_up", told, f"{seen} windows", f"{needed} windows", None, seen, needed)
        seen_windows = self.complete[-needed:]
        governed = governed_at(self.watch, self.rules, kpis, seen_windows)
        restated = restated_windows(self.watch.restated, self.watch.rings[kpis[0]], seen_windows)
        verdict = None if governed is None else judge(self.rule, self.rules, governed, restated)
        if verdict is None:
            told = f"{self.rule.id} looks at the last {needed} windows: one has no value, or nothing moves in them."
            return Stop("warm_up", told, "no value, or none that moves", f"{needed} windows with values that move")
        if verdict.on:
            told = f"{self.rule.id} holds by what was changed since: it is told when the next window has closed."
            return Stop("window_open", told, "past all limits", f"the next window of {self.kpi.title}")
        return short_of(verdict, self.rule, self.rules)

    def changes(self) -> Stop:
        """Nothing was changed while something was firing."""
        firing = sorted({each.rule for each in self.watch.firing.values()})
        count = len(self.watch.firing)
        if isinstance(self.rule.condition, NewVersion):
            told = f"No activation has given {self.kpi.title} another version than {version_of(self.kpi)}."
            return Stop("within_bounds", told, f"version {version_of(self.kpi)}", "another version")
        fires = "nothing fires"
        if firing:
            fires = f"{listed(firing)} {'fires' if len(firing) == 1 else 'fire'} on {count} series"
        told = f"Nothing that {self.kpi.title} is or aims at was changed while a rule on it was firing; now {fires}."
        return Stop("within_bounds", told, fires, "another definition or target while a rule on it fires", number=count)

    def _nothing(self, kpis: list[str]) -> Stop:
        names = listed(self._titles(kpis))
        own = self.kpi.id in kpis
        sides = tuple(Side(name, there=False, told="has sent no window") for name in kpis)
        told = f"No window of {names} has closed."
        return Stop("no_data" if own else "side_missing", told, "no window", f"a closed window of {names}", sides=sides)

    def _titles(self, kpis: tuple[str, ...] | list[str]) -> list[str]:
        return [self.rules.kpi_by_id[name].title for name in kpis]
