"""Evidence of governance conditions: the verdict made again from the numbers and the excerpt that a trigger carries."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from engine.correlate.governance.looking import judge, kpis_of
from engine.correlate.governance.milestones import unproven
from engine.model.governance import (
    FavouredRestatements,
    MovedGoalposts,
    OtherVersion,
    StaleTarget,
    UnprovenMilestones,
)
from engine.model.identity import finding_id
from engine.model.time import format_time
from engine.offline.explain.account import Line, Step, alike, holds, same
from engine.offline.explain.case import micros
from engine.review.numbers import number
from engine.review.spans import duration
from engine.rules.resolved.catalogue import version_of
from engine.rules.resolved.governance import SetAndForget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.governance import FiringThen, GovernanceEvidence, GovernedKpi, RestatedWindow
    from engine.model.trigger import TurnName
    from engine.offline.explain.account import Check
    from engine.offline.explain.case import Case

EVIDENCE = "data.evidence"
FOUND = f"{EVIDENCE}.found"


def governance_steps(case: Case, evidence: GovernanceEvidence, moved_by: TurnName) -> Iterator[Step]:
    """What was looked at, and what came of it."""
    if evidence.kpis:
        yield Step("What was looked at", tuple(_looked_at(case, evidence)))
    yield Step("How the KPI is governed", tuple(_verdict(case, evidence, moved_by)))


def _looked_at(case: Case, evidence: GovernanceEvidence) -> Iterator[Line]:
    wanted = kpis_of(case.rule)
    for place, governed in enumerate(evidence.kpis):
        kpi = case.rules.kpi_by_id[governed.kpi]
        target = None if kpi.target is None else kpi.target.value
        path = f"{EVIDENCE}.kpis[{place}]"
        checks = (
            same(f"{path}.kpi", governed.kpi, wanted[place]),
            same(f"{path}.target", governed.target, target),
            holds(f"{path}.points", len(governed.points), true=_is_ordered(governed), why="windows, oldest first"),
        )
        yield Line(governed.kpi, _windows(governed), checks)
    if evidence.window is not None and evidence.kpis[0].points:
        last = evidence.kpis[0].points[-1].start
        yield Line("newest", evidence.window.start, (same(f"{EVIDENCE}.window.start", evidence.window.start, last),))


def _windows(governed: GovernedKpi) -> str:
    target = "no target" if governed.target is None else f"target {number(governed.target)}"
    return f"{len(governed.points)} windows from {governed.points[0].start}, {target}"


def _is_ordered(governed: GovernedKpi) -> bool:
    times = [micros(point.start) for point in governed.points]
    return all(earlier < later for earlier, later in pairwise(times))


def _verdict(case: Case, evidence: GovernanceEvidence, moved_by: TurnName) -> Iterator[Line]:
    over = moved_by.turn == "ended"
    match evidence.found:
        case StaleTarget() as found:
            yield from _stale(case, evidence, found, over=over)
        case MovedGoalposts() as found:
            yield from _goalposts(found)
        case OtherVersion() as found:
            yield from _version(case, found)
        case UnprovenMilestones() as found:
            values = [point.value for each in evidence.kpis for point in each.points]
            kpi = case.rules.kpi_by_id[str(case.rule.kpi)]
            on, made = unproven(case.rules.initiatives, kpi, values, micros(evidence.time))
            yield Line("unproven", f"{len(made.milestones)} milestones", (*alike(FOUND, found, made), _turn(on, over)))
        case found:
            restated = found.windows if isinstance(found, FavouredRestatements) else ()
            yield from _restated(evidence, restated)
            verdict = judge(case.rule, case.rules, evidence.kpis, restated)
            if verdict is None:
                raise ValueError("expected windows that the condition can say something of")
            checks = (*alike(FOUND, found, verdict.found), _turn(verdict.on, over))
            yield Line("verdict", "it holds" if verdict.on else "it does not hold", checks)


def _turn(on: bool | None, over: bool) -> Check:  # noqa: FBT001 - two sides of one comparison
    so = on is not None and on != over
    return holds("data.moved_by.turn", "ended" if over else "on", true=so, why="on when it is so, over when it is not")


def _stale(case: Case, evidence: GovernanceEvidence, found: StaleTarget, *, over: bool) -> Iterator[Line]:
    target, condition = case.rules.kpi_by_id[str(case.rule.kpi)].target, case.rule.condition
    if target is None or not isinstance(condition, SetAndForget):
        raise ValueError("expected a target, and the condition set_and_forget")
    asked = (
        same(f"{FOUND}.value", found.value, target.value),
        same(f"{FOUND}.by", found.by, target.by),
        same(f"{FOUND}.reviewed", found.reviewed, target.reviewed),
    )
    yield Line("target", f"{number(found.value)} by {found.by}", asked)
    yield Line("since", f"{found.since}: {found.because}")
    due = format_time(micros(found.since) + condition.after)
    late = micros(due) <= micros(evidence.time)
    checks = (
        same(f"{FOUND}.after", found.after, condition.after),
        same(f"{FOUND}.due", found.due, due),
        _turn(late, over),
    )
    yield Line("due", f"{duration(condition.after)} later: {due}", checks)


def _version(case: Case, found: OtherVersion) -> Iterator[Line]:
    """The new version is what the excerpt says; the former one only the log knows."""
    after = version_of(case.rules.kpi_by_id[str(case.rule.kpi)])
    differs = holds(f"{FOUND}.before", found.before, true=found.before != found.after, why="it is another one")
    yield Line("version", f"{found.before} to {found.after}", (same(f"{FOUND}.after", found.after, after), differs))
    yield from _goalposts(found)
    ended = holds(f"{FOUND}.ended", found.ended, true=0 <= found.ended <= found.count, why="some of those that fired")
    yield Line("withdrawn", f"{found.ended} of them", (ended,))


def _goalposts(found: MovedGoalposts | OtherVersion) -> Iterator[Line]:
    for field in found.changed:
        yield Line(f"changed {field.name}", f"{field.before} to {field.after}")
    for place, each in enumerate(found.firing):
        path = f"{FOUND}.firing[{place}]"
        yield Line("was firing", f"{each.rule} on {each.series}", (_identity(each, path),))
    listed = len(found.firing)
    count = holds(f"{FOUND}.count", found.count, true=listed <= found.count, why="at least those that are listed")
    yield Line("in all", f"{found.count} were firing", (count,))


def _restated(evidence: GovernanceEvidence, windows: tuple[RestatedWindow, ...]) -> Iterator[Line]:
    """Each window that was restated is one of those that were looked at."""
    looked_at = {point.start for each in evidence.kpis for point in each.points}
    for place, each in enumerate(windows):
        path = f"{FOUND}.windows[{place}]"
        there = holds(f"{path}.start", each.start, true=each.start in looked_at, why="a window that was looked at")
        times = holds(f"{path}.times", each.times, true=each.times > 0, why="at least once")
        where = ", near the end of a period" if each.near else ""
        text = f"{each.start}: {number(each.before)} by {number(each.change)} in {each.times} steps{where}"
        yield Line("restated", text, (there, times))


def _identity(each: FiringThen, path: str) -> Check:
    made = finding_id(each.rule, each.series, micros(each.event_time), each.transition, each.revision)
    return same(f"{path}.finding", each.finding, made)
