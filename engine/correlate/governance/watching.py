"""One governance rule, ready to judge: what windows, signals, the clock and activations do to its watch.

A window is judged when it is complete of all KPIs, and when it is restated again with those after it, as long as that
can be. Only what counts restatements is judged once: they are what it looks at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.governance.goalposts import firing_at, goalposts, hear, moved_between, moved_in_all
from engine.correlate.governance.looking import OVER_WINDOWS, governed_at, kpis_of, verdicts, windows_needed
from engine.correlate.governance.milestones import unproven
from engine.correlate.governance.spans import compare, is_on, settle
from engine.correlate.governance.target_age import note_target, stale_target
from engine.correlate.governance.watch import MEMBERS, Holding, aligned, floor_of, take, tidy
from engine.correlate.trace import Looked
from engine.model.governance import GovernanceEvidence
from engine.model.identity import digest_of
from engine.model.judgement import Judgement
from engine.model.records import JoinRecord, Signal
from engine.model.time import format_time, parse_own_time
from engine.rules.resolved.governance import (
    MovedGoalposts,
    RestatedInFavour,
    SetAndForget,
    UnprovenMilestone,
    Vanity,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engine.correlate.barrier import Joinable
    from engine.correlate.governance.looking import Verdict
    from engine.correlate.governance.watch import Watch
    from engine.model.governance import FiringThen, Governed, GovernedKpi
    from engine.model.limits import Limits
    from engine.model.records import WindowBounds
    from engine.model.time import Micros
    from engine.model.trigger import Turn
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet

EASED = "nothing fires on the KPI any more"
MOVED_AGAIN = "they were moved again"
TAKEN_BACK = "the change was taken back"
OTHER_MILESTONES = "other milestones"


def _nobody(watch: Watch, looks: list[Looked]) -> None:
    """Nobody asks how rules fare."""


class Watching:
    """It keeps no state of its own. `clocked`: it is judged at every barrier, whatever has come. `told` is given each
    look at a KPI.
    """

    def __init__(
        self, rule: Rule, rules: RuleSet, limits: Limits, told: Callable[[Watch, list[Looked]], None] = _nobody
    ) -> None:
        self._told = told
        self.rule = rule
        self.rules = rules
        self.limits = limits
        self.kpis = kpis_of(rule)
        self.clocked = isinstance(rule.condition, UnprovenMilestone)
        lag = rule.condition.lag if isinstance(rule.condition, Vanity) else 0
        graced = self._graced() if isinstance(rule.condition, (*OVER_WINDOWS, UnprovenMilestone)) else 0
        held = 2 * (self._windows() + lag + MEMBERS) + graced
        self._holding = Holding(rule.idle, held, graced + MEMBERS)
        if isinstance(rule.condition, RestatedInFavour):
            self._holding = self._holding._replace(restated=rules.kpi_by_id[self.kpis[0]].aggregation)

    def _graced(self) -> int:
        """For how many windows what is late or said again may come."""
        kpis = [self.rules.kpi_by_id[name] for name in self.kpis]
        longest = max(self.rule.lateness + self.rule.grace, *(kpi.lateness + kpi.grace for kpi in kpis))
        return -(-longest // self.rule.window.step)

    def _windows(self) -> int:
        condition = self.rule.condition
        return condition.windows if isinstance(condition, UnprovenMilestone) else windows_needed(self.rule)

    def late(self, watch: Watch, records: Sequence[Joinable]) -> int:
        """How many shares come so late that their windows are final."""
        rings, unsettled = watch.rings, self._holding.unsettled
        shares = [each for each in records if isinstance(each, JoinRecord) and each.kpi in rings]
        return sum(each.window.index < floor_of(rings[each.kpi], unsettled) for each in shares)

    def advance(self, watch: Watch, records: Sequence[Joinable], now: Micros) -> list[Judgement]:
        """Take a barrier's records of this rule."""
        if isinstance(self.rule.condition, MovedGoalposts):
            hear(watch, [record for record in records if isinstance(record, Signal)], now)
            return [*self._eased(watch, now)]
        first = self._first(watch)
        changed = take(watch, [record for record in records if isinstance(record, JoinRecord)], now, self._holding)
        if isinstance(self.rule.condition, UnprovenMilestone):
            found = [*self._milestones(watch, now)]
        elif isinstance(self.rule.condition, SetAndForget):
            found = [*self._target(watch, now, self.rule.condition.after)]
        elif changed is not None:
            found = [*self._over_windows(watch, changed if first is None else max(changed, first), now)]
        else:
            found = []
        tidy(watch, self._holding)
        return found

    def activated(self, watch: Watch, before: RuleSet, now: Micros) -> list[Judgement]:
        """The rule stands as it stood in the rule set `before`: what that set's catalogue and this one's differ in."""
        name = str(self.rule.kpi)
        if isinstance(self.rule.condition, SetAndForget):
            note_target(watch, self.rules.kpi_by_id[name].target, now)
            told = stale_target(watch, self.rule.condition.after, now)
            if watch.opened is not None and told is not None and not told[0]:
                return [self._turned(watch, format_time(now), self._evidence(told[1], now, None, ()))]
        if isinstance(self.rule.condition, MovedGoalposts):
            return [*self._moved(watch, before, now)]
        return []

    def dropped(self, watch: Watch, cause: str) -> list[Judgement]:
        """The rule is gone or another: what is on never was, as far as the rules of today say."""
        if watch.opened is None:
            return []
        return [self._judgement(watch, "withdrawn", str(watch.opened), cause=cause)]

    def _over_windows(self, watch: Watch, first: int, now: Micros) -> Iterator[Judgement]:
        fresh = dict(verdicts(self.rule, self.rules, watch, first))
        if not fresh:
            return
        for index, verdict in fresh.items():
            watch.verdicts.pop(index, None)
            if verdict is not None:
                watch.verdicts[index] = verdict.on
        windows = watch.rings[self.kpis[0]].windows
        for turn, opened, at, cause in compare(watch, lambda index: windows[index].bounds.end):
            watch.opened = opened
            verdict = None if at is None else fresh[at]
            if at is None or verdict is None:
                yield self._judgement(watch, turn, opened, cause=cause)
            else:
                evidence = self._evidence(verdict.found, now, windows[at].bounds, verdict.kpis)
                yield self._judgement(watch, turn, windows[at].bounds.end, evidence, cause)
        watch.opened = next((said.opened for said in watch.said if said.end is None), None)
        self._told(watch, [self._looked(watch, index, verdict) for index, verdict in fresh.items()])
        if watch.verdicts:
            watch.judged = max(watch.verdicts)
            settle(watch, self._floor(watch))

    def _looked(self, watch: Watch, index: int, verdict: Verdict | None) -> Looked:
        end = parse_own_time(watch.rings[self.kpis[0]].windows[index].bounds.end)
        on = is_on(watch, index)
        return Looked(end, on, None) if verdict is None else Looked(end, on, verdict.found, verdict.kpis)

    def _first(self, watch: Watch) -> int | None:
        """The first window that may be judged, or judged again, at the next barrier; None: any."""
        if watch.judged is None:
            return None
        return watch.judged + 1 if isinstance(self.rule.condition, RestatedInFavour) else self._floor(watch)

    def _floor(self, watch: Watch) -> int:
        """The first window of which some KPI can still be restated."""
        return min(floor_of(watch.rings[kpi], self._holding.unsettled) for kpi in self.kpis if kpi in watch.rings)

    def _target(self, watch: Watch, now: Micros, after: Micros) -> Iterator[Judgement]:
        """The KPI goes on where another window of it is complete."""
        note_target(watch, self.rules.kpi_by_id[self.kpis[0]].target, now)
        complete = aligned(watch, self.kpis)
        if not complete or (watch.judged is not None and complete[-1] <= watch.judged):
            return
        watch.judged = complete[-1]
        told = stale_target(watch, after, now)
        if told is not None and told[0] != (watch.opened is not None):
            bounds = watch.rings[self.kpis[0]].windows[complete[-1]].bounds
            yield self._turned(watch, format_time(now), self._evidence(told[1], now, bounds, ()))
        self._told(watch, [Looked(now, watch.opened is not None, None if told is None else told[1])])

    def _milestones(self, watch: Watch, now: Micros) -> Iterator[Judgement]:
        indices = aligned(watch, self.kpis)[-self._windows() :]
        governed = governed_at(watch, self.rules, self.kpis, indices) or () if indices else ()
        values = [point.value for each in governed for point in each.points]
        kpi = self.rules.kpi_by_id[self.kpis[0]]
        on, told = unproven(self.rules.initiatives, kpi, values, now)
        bounds = watch.rings[kpi.id].windows[indices[-1]].bounds if indices else None
        evidence = self._evidence(told, now, bounds, governed)
        named = digest_of(told.milestones)
        if on != (watch.opened is not None):
            yield self._turned(watch, format_time(now), evidence)
        elif on and named != watch.told:
            yield self._judgement(watch, "changed", format_time(now), evidence, cause=OTHER_MILESTONES)
        watch.told = named if on else ""
        self._told(watch, [Looked(now, on, told, governed)])

    def _moved(self, watch: Watch, before: RuleSet, now: Micros) -> Iterator[Judgement]:
        changed = moved_between(before.kpi_by_id[self.kpis[0]], self.rules.kpi_by_id[self.kpis[0]])
        if not changed:
            return
        firing = firing_at(watch, now)
        if watch.opened is None and firing:
            watch.moved = changed
            yield self._turned(watch, format_time(now), self._goalposts(watch, firing, now))
            yield from self._eased(watch, now)  # the rules that fired may be gone with the same activation
        elif watch.opened is not None:
            watch.moved = moved_in_all(watch.moved, changed)
            evidence = self._goalposts(watch, firing, now)
            if watch.moved:
                yield self._judgement(watch, "changed", format_time(now), evidence, cause=MOVED_AGAIN)
            else:
                yield self._turned(watch, format_time(now), evidence, cause=TAKEN_BACK)
        found = goalposts(changed, firing, self.limits.members_listed_max)
        self._told(watch, [Looked(now, watch.opened is not None, found)])

    def _eased(self, watch: Watch, now: Micros) -> Iterator[Judgement]:
        if watch.opened is not None and not watch.firing:
            yield self._turned(watch, format_time(now), self._goalposts(watch, {}, now), cause=EASED)

    def _goalposts(self, watch: Watch, firing: dict[str, FiringThen], now: Micros) -> GovernanceEvidence:
        told = goalposts(watch.moved, firing, self.limits.members_listed_max)
        return self._evidence(told, now, None, ())

    def _evidence(
        self, found: Governed, now: Micros, window: WindowBounds | None, governed: tuple[GovernedKpi, ...]
    ) -> GovernanceEvidence:
        declared = self.rule.declared
        digests = {"condition": digest_of(declared), "found": digest_of(found)}
        digests |= {f"kpis[{place}]": digest_of(each) for place, each in enumerate(governed)}
        return GovernanceEvidence(declared, format_time(now), window, governed, found, self.rules.hash, digests)

    def _turned(
        self, watch: Watch, time: str, evidence: GovernanceEvidence | None, cause: str | None = None
    ) -> Judgement:
        """What was on is over at `time`, what was not is on from then."""
        if watch.opened is None:
            watch.opened = time
            return self._judgement(watch, "began", time, evidence, cause)
        ended = self._judgement(watch, "ended", time, evidence, cause)
        watch.opened = None
        return ended

    def _judgement(
        self, watch: Watch, turn: Turn, time: str, evidence: GovernanceEvidence | None = None, cause: str | None = None
    ) -> Judgement:
        return Judgement(
            rule=watch.rule,
            scope=watch.scope,
            rule_set=self.rules.hash,
            turn=turn,
            opened=str(watch.opened),
            event_time=time,
            evidence=evidence,
            taking_part=self._taking_part(),
            cause=cause,
        )

    def _taking_part(self) -> tuple[str, ...]:
        """The KPIs whose owners ought to be there: of moved goalposts also its own, whose objective's owner answers."""
        return self.kpis if isinstance(self.rule.condition, MovedGoalposts) else self.kpis[1:]
