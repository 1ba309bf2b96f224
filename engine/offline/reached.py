"""What rule tests reach of a rule: that it fires, on each side that it looks at, recovers, and keeps silent; of one
that rests on others each of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.finding import Evidence, Finding
from engine.model.trigger import ReconciliationEvidence
from engine.offline.episodes import triggers_of
from engine.offline.reached_members import (
    counterparts_reached,
    counterparts_to_reach,
    members_reached,
    members_to_reach,
)
from engine.rules.resolved.condition import (
    Anomaly,
    Change,
    Composite,
    CounterpartConflict,
    Reconciliation,
    Threshold,
    TrendBreak,
)
from engine.rules.resolved.control import ControlChart
from engine.wire.encode import decode_finding_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engine.model.finding import Anomaly as AnomalyFound
    from engine.offline.episodes import Episode, Place
    from engine.offline.replay import Replayed
    from engine.rules.resolved.condition import Condition
    from engine.rules.resolved.rule import Rule
    from engine.rules.rule_tests import RuleTest
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output

UP, DOWN = "fires upwards", "fires downwards"
FIRES, RECOVERS, SILENT = "fires", "recovers", "keeps silent"


class Reached(NamedTuple):
    """A branch of a rule."""

    rule: str
    branch: str


def branches_of(rule: Rule) -> tuple[str, ...]:
    """All that there is to test of it."""
    fires = (UP, DOWN) if _has_two_sides(rule.condition) else (FIRES,)
    return (*fires, RECOVERS, SILENT, *_of_others(rule.condition))


def _of_others(condition: Condition) -> Iterator[str]:
    match condition:
        case Composite():
            yield from members_to_reach(condition)
        case CounterpartConflict():
            yield from counterparts_to_reach(condition)


def _has_two_sides(condition: Condition) -> bool:
    match condition:
        case Threshold():
            return condition.op == "outside"
        case Change():
            return condition.up is not None and condition.down is not None
        case Reconciliation():
            return True
        case TrendBreak() | Anomaly() | ControlChart():
            return condition.direction is None
        case _:
            return False


def reached_by(
    test: RuleTest, found: Mapping[Place, Sequence[Episode]], replayed: Replayed, rules: RuleSet
) -> frozenset[Reached]:
    """What a test has reached of the rules that it names, by what they said (`found`), findings and triggers."""
    named = {each.rule for each in test.expect}
    expected = [each for each in test.expect if each.of_firing]
    silent = {Reached(each.rule, SILENT) for each in expected if not found.get((each.rule, each.scope))}
    ended = {Reached(rule, RECOVERS) for (rule, _), each in found.items() if any(one.to is not None for one in each)}
    fired = {Reached(rule, FIRES) for (rule, _), each in found.items() if each}
    sides = {*_sides(replayed.findings, replayed.rule_sets), *_told(replayed.outputs)}
    members = {*_members(test, found, rules)}
    return frozenset(each for each in silent | ended | fired | sides | members if each.rule in named)


def _members(test: RuleTest, found: Mapping[Place, Sequence[Episode]], rules: RuleSet) -> Iterator[Reached]:
    for rule in rules.rules:
        if isinstance(rule.condition, Composite):
            scopes = {each.scope for each in test.expect if each.rule == rule.id}
            for branch in members_reached(rule.id, rule.condition, scopes, found):
                yield Reached(rule.id, branch)


def _sides(findings: Iterable[Output], sets: Mapping[str, RuleSet]) -> Iterator[Reached]:
    for output in findings:
        finding = decode_finding_record(output.record.value)
        if isinstance(finding, Finding) and finding.transition == "firing" and finding.status != "withdrawn":
            rule = sets[finding.evidence.rule_set].rule_by_id[finding.rule]
            if _has_two_sides(rule.condition):
                yield Reached(rule.id, UP if _is_up(finding, finding.evidence, rule.condition) else DOWN)


def _told(outputs: Iterable[Output]) -> Iterator[Reached]:
    """On which side of its record a reconciliation has seen its KPI, and which counterparts of a conflict worsened."""
    for trigger in triggers_of(outputs):
        data = trigger.data
        yield from (Reached(data.rule, branch) for branch in counterparts_reached(trigger))
        if isinstance(data.evidence, ReconciliationEvidence) and data.evidence.verdict == "departs":
            yield Reached(data.rule, UP if (data.evidence.departure or 0.0) > 0 else DOWN)


def _is_up(finding: Finding, evidence: Evidence, condition: Condition) -> bool:
    if evidence.trend is not None:
        return evidence.trend.direction == "up"
    if evidence.control:
        centre, direction = evidence.control.centre, evidence.control.direction
        return direction == "up" if direction is not None else _worst(finding) > centre
    if evidence.anomaly:
        return _left_upwards(evidence.anomaly)
    if isinstance(condition, Threshold):
        return _worst(finding) > (condition.high or 0.0)
    return (evidence.statistic or 0.0) > 0.0


def _worst(finding: Finding) -> float:
    """With `at_least` and `for` the point that it fires with may be within its limits."""
    return (finding.value or 0.0) if finding.episode is None else finding.episode.worst


def _left_upwards(anomaly: AnomalyFound) -> bool:
    """By the newest window that left its band: the last one may be back in it."""
    points = anomaly.points
    newest = next((each for each in reversed(points) if not each.low <= each.value <= each.high), points[-1])
    return newest.value > newest.usual


def not_reached(reached: Iterable[Reached], rules: RuleSet) -> dict[str, tuple[str, ...]]:
    """By rule what no test reached, in the order of the rules; one that is off is nobody's concern."""
    known = set(reached)
    missing = {
        rule.id: tuple(branch for branch in branches_of(rule) if Reached(rule.id, branch) not in known)
        for rule in rules.rules
        if rule.mode != "off"
    }
    return {rule: branches for rule, branches in missing.items() if branches}
