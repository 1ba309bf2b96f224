"""Evidence of a group: a composite by the join that matched it, silence by the kernel that found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.clauses import bears_out
from engine.correlate.members import order_of_storm
from engine.correlate.storm_barrier import CALM_BELOW
from engine.kernels.silence import silence
from engine.model.identity import digest_of, finding_id
from engine.offline.explain.account import Check, Line, Step, alike, either, holds, same
from engine.offline.explain.case import micros
from engine.review.spans import duration
from engine.rules.resolved.condition import Composite, MissingData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.limits import Limits
    from engine.model.trigger import GroupEvidence, Member, StormOf, TurnName
    from engine.offline.explain.case import Case
    from engine.rules.resolved.condition import Condition

EVIDENCE = "data.evidence"
_ON = frozenset({"began", "changed", "resumed"})
"""The turns after which the alert is on."""


def group_steps(case: Case, evidence: GroupEvidence, moved_by: TurnName, limits: Limits) -> Iterator[Step]:
    """The members, and whether they make the alert."""
    head = _head(case.rule.condition)
    members = [_member(case, evidence, place) for place in range(len(evidence.listed))]
    storm = [_storm(case, evidence, evidence.storm, moved_by)] if evidence.storm else []
    yield Step(head, (_count(evidence, limits), *storm, *members, _taking_part(case, evidence, moved_by)))
    yield Step("The verdict", (_verdict(case, evidence, moved_by),))


def _head(condition: Condition) -> str:
    if isinstance(condition, Composite):
        by_beginnings = condition.absent or condition.op == "sequence"
        return "Which rules began" if by_beginnings else "Which rules are firing"
    return "Which series are silent" if isinstance(condition, MissingData) else "On which series it fires"


def _count(evidence: GroupEvidence, limits: Limits) -> Line:
    listed, most = len(evidence.listed), limits.members_listed_max
    path = f"{EVIDENCE}.count"
    if evidence.count > most:
        return Line(
            "members", f"{evidence.count}, of which {listed} are listed", (same(f"{EVIDENCE}.listed", listed, most),)
        )
    return Line("members", str(evidence.count), (same(path, evidence.count, listed),))


def _storm(case: Case, evidence: GroupEvidence, storm: StormOf, moved_by: TurnName) -> Line:
    """What the storm says of itself; all of its members are known by their digest, where all are listed."""
    path, firing = f"{EVIDENCE}.storm", evidence.count + storm.apart
    checks = [same(f"{path}.limit", storm.limit, case.rule.limit)]
    most = storm.limit // CALM_BELOW
    lasts = firing > most if storm.rages else moved_by.turn != "began"
    checks.append(holds(f"{path}.rages", storm.rages, true=lasts, why=f"it is over when {most} fire"))
    if len(evidence.listed) == evidence.count:
        named = sorted((member.series, member.finding) for member in evidence.listed)
        checks.append(same(f"{path}.members", storm.members, digest_of(named)))
    goes_on = "goes on" if storm.rages else "is over"
    text = f"more than {storm.limit} at once from {storm.since} on; it {goes_on}, {storm.apart} have their own reviews"
    return Line("storm", text, tuple(checks))


def _taking_part(case: Case, evidence: GroupEvidence, moved_by: TurnName) -> Line:
    """Of a composite the owners of its members' KPIs are called as well; silence is its KPI's own affair."""
    rules = [case.rules.rule_by_id.get(member.rule) for member in evidence.listed]
    kpis = {rule.kpi for rule in rules if rule is not None and rule.kpi is not None}
    expected = sorted(kpis) if isinstance(case.rule.condition, Composite) else []
    checks: list[Check] = []
    if len(evidence.listed) == evidence.count:
        checks += alike("data.moved_by.taking_part", moved_by.taking_part, expected)
    if moved_by.turn == "began":
        checks += either(("data.moved_by.opened", moved_by.opened), ("data.event_time", case.data.event_time))
    return Line("taking part", ", ".join(moved_by.taking_part) or "no other KPI", tuple(checks))


def _member(case: Case, evidence: GroupEvidence, place: int) -> Line:
    member, path = evidence.listed[place], f"{EVIDENCE}.listed[{place}]"
    checks = [*_identity(member, path), *_in_order(evidence, place)]
    if isinstance(case.rule.condition, MissingData):
        text, more = _silence(case, member, path)
        return Line(member.series, text, (*checks, *more))
    if case.rule.gathers_series:
        checks.append(same(f"{path}.rule", member.rule, case.rule.id))
        return Line(member.series, f"since {member.event_time}", tuple(checks))
    known = case.rules.rule_by_id.get(member.rule)
    checks.append(holds(f"{path}.rule", member.rule, true=known is not None, why="a member of the composite"))
    title = "" if known is None else f": {known.title}"
    return Line(member.series, f"{member.rule}{title}, since {member.event_time}", tuple(checks))


def _identity(member: Member, path: str) -> Iterator[Check]:
    """Of a recovery that was taken back the event time is not told: only its digest holds it."""
    if member.transition == "firing":
        time = micros(member.event_time)
        made = finding_id(member.rule, member.series, time, member.transition, member.revision)
        yield same(f"{path}.finding", member.finding, made)


def _in_order(evidence: GroupEvidence, place: int) -> Iterator[Check]:
    if evidence.storm:
        there = evidence.listed[max(place - 1, 0) : place + 1]
        known = len({each.series for each in evidence.listed}) == len(evidence.listed)
        ordered = known and list(there) == sorted(there, key=order_of_storm)
        why = "those that began first are listed, in that order, once"
        yield holds(f"{EVIDENCE}.listed[{place}].event_time", there[-1].event_time, true=ordered, why=why)
        return
    names = [f"{member.rule}|{member.series}" for member in evidence.listed[max(place - 1, 0) : place + 1]]
    ordered = names == sorted(set(names))
    yield holds(f"{EVIDENCE}.listed[{place}].series", names[-1], true=ordered, why="members are listed in order, once")


def _silence(case: Case, member: Member, path: str) -> tuple[str, list[Check]]:
    said = member.silence
    rule = same(f"{path}.rule", member.rule, case.rule.id)
    if said is None:
        return f"silent since {member.event_time}", [rule]
    row = case.rule_row()
    breach, waited, allowed = silence(row, micros(said.waited_since), micros(said.tick_time))
    seen = "never measured" if said.last_seen is None else f"last measured at {said.last_seen}"
    checks = [
        rule,
        same(f"{path}.event_time", member.event_time, said.tick_time),
        holds(f"{path}.silence.waited_since", said.waited_since, true=bool(breach), why="longer than may be"),
    ]
    spans = [duration(round(seconds) * 1_000_000) for seconds in (waited, allowed)]
    text = f"{seen}; waited from the tick of {said.waited_since} to that of {said.tick_time}, {spans[0]} of {spans[1]}"
    return text, checks


def _verdict(case: Case, evidence: GroupEvidence, moved_by: TurnName) -> Line:
    condition, rules = case.rule.condition, {member.rule for member in evidence.listed}
    if isinstance(condition, Composite):
        text = _said_of(condition, rules)
    elif case.rule.gathers_series:
        text = "it fires on at least one series" if evidence.count else "it fires on no series any more"
    else:
        text = "at least one series is silent" if evidence.count else "no series is silent any more"
    wanted = moved_by.turn in _ON
    if len(evidence.listed) < evidence.count and isinstance(condition, Composite):
        return Line("together", f"{text}; not all are listed, so it is not recomputed")
    on = bears_out(condition, evidence.listed) if isinstance(condition, Composite) else evidence.count > 0
    why = f"after {moved_by.turn} the alert is {'on' if wanted else 'over'}"
    checks = [holds(EVIDENCE, evidence.count, true=on == wanted, why=why), *_deadline(case, evidence, wanted=wanted)]
    return Line("together", f"{text}: {'on' if on else 'over'}", tuple(checks))


def _said_of(condition: Composite, rules: set[str]) -> str:
    """What is asked for, and which rules there are."""
    if condition.is_plain:
        there = ", ".join(f"{rule} {'fires' if rule in rules else 'does not fire'}" for rule in condition.members)
        return f"{condition.op} of: {there}"
    names = ", ".join(condition.rules)
    asked = f"at least {condition.count} of {names}" if condition.op == "at_least" else f"{condition.op} of {names}"
    asked += f" within {duration(condition.within)}" if condition.op == "sequence" else ""
    asked += f", none of {', '.join(condition.without)}" if condition.without else ""
    if condition.absent:
        asked += f", and none of {', '.join(condition.absent)} beginning within {duration(condition.within)}"
    listed = ", ".join(sorted(rules)) or "none"
    return f"{asked}; listed: {listed}"


def _deadline(case: Case, evidence: GroupEvidence, *, wanted: bool) -> Iterator[Check]:
    """What is absent was given its time after the last of the beginnings."""
    condition = case.rule.condition
    if not isinstance(condition, Composite) or not condition.absent or not wanted:
        return
    last = max((micros(member.event_time) for member in evidence.listed), default=0)
    given = micros(case.data.event_time) - last
    why = f"{duration(condition.within)} after what it follows"
    yield holds("data.event_time", case.data.event_time, true=given >= condition.within, why=why)
