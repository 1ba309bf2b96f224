"""Reviews that the engine calls by itself: of a KPI that nobody has reviewed in time, of a rule that is seldom right.

Verdicts come as `Answered` records to the partition that keeps count of the rule or KPI; barriers are the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.identity import digest_of
from engine.model.judgement import Judgement
from engine.model.time import Micros, format_time, parse_own_time
from engine.model.trigger import CadenceEvidence, PrecisionEvidence
from engine.review.wilson import wilson
from engine.rules.resolved.condition import Cadence, Precision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from engine.model.records import Answered
    from engine.model.trigger import Turn
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


class Kept(msgspec.Struct):
    """What is counted for one of the engine's own rules.

    `since`: when a review of the KPI was last answered, by `review`, else when counting began. `verdicts` by kind.
    `opened`: event time of the review that is open, by the rule set `rule_set`.
    """

    since: str | None = None
    review: str | None = None
    verdicts: dict[str, int] = {}
    opened: str | None = None
    rule_set: str | None = None


class Governance:
    """The counts of one findings partition, by the name of the engine's own rule (`cadence:KPI`, `precision:RULE`).

    `owns` says whether a key belongs to this partition.
    """

    def __init__(self, owns: Callable[[str], bool]) -> None:
        self._owns = owns
        self.kept: dict[str, Kept] = {}

    def answered(self, record: Answered, rules: RuleSet) -> list[Judgement]:
        """Count a verdict; what that begins or ends."""
        rule = rules.rule_by_id.get(record.about)
        if rule is None:
            return []
        kept = self.kept.setdefault(record.about, Kept())
        if isinstance(rule.condition, Cadence):
            kept.since, kept.review = record.time, record.review
            return [*_end(rule, kept, record.time, rules)]
        if record.rule == record.about:  # the review of the rule was answered: counting begins anew
            kept.verdicts = {}
            return [*_end(rule, kept, record.time, rules)]
        kept.verdicts = {**kept.verdicts, record.verdict: kept.verdicts.get(record.verdict, 0) + 1}
        return [*_judge_precision(rule, kept, record.time, rules)]

    def barrier(self, now: Micros, rules: RuleSet, sets: Mapping[str, RuleSet]) -> list[Judgement]:
        """The time has come to `now`: which cadences were missed, and what goes with the rules that are gone (`sets`
        by hash has those that they stood in).
        """
        gone = [name for name in sorted(self.kept) if name not in rules.rule_by_id]
        found = [judgement for name in gone for judgement in self._gone(name, format_time(now), sets)]
        for name in _cadences(rules):
            if self._owns(name):
                found += self._judge_cadence(rules.rule_by_id[name], now, rules)
        return found

    def _gone(self, name: str, now: str, sets: Mapping[str, RuleSet]) -> Iterator[Judgement]:
        """The review of a KPI or rule that is no longer declared never was, as far as the rules of today say."""
        kept = self.kept.pop(name)
        former = sets.get(kept.rule_set or "")
        if kept.opened is not None and former is not None:
            yield _judgement(former.rule_by_id[name], "withdrawn", kept.opened, now, former, cause="rule removed")

    def _judge_cadence(self, rule: Rule, now: Micros, rules: RuleSet) -> Iterator[Judgement]:
        kept = self.kept.get(rule.id)
        if kept is None or kept.since is None:
            self.kept[rule.id] = Kept(since=_counted_from(rule, now, rules))
            return
        condition = rule.condition
        if not isinstance(condition, Cadence) or kept.opened is not None:
            return
        due = parse_own_time(kept.since) + condition.every
        if due > now:
            return
        kept.opened, kept.rule_set = format_time(now), rules.hash
        evidence = CadenceEvidence(
            condition=rule.declared,
            kpi=str(rule.kpi),
            every=condition.every,
            since=kept.since,
            due=format_time(due),
            review=kept.review,
            rule_set=rules.hash,
            digests={"condition": digest_of(rule.declared)},
        )
        yield _judgement(rule, "began", kept.opened, kept.opened, rules, evidence)


def _counted_from(rule: Rule, now: Micros, rules: RuleSet) -> str:
    """The date on which the KPI's target was last reviewed, where it says so; else the present."""
    target = rules.kpi_by_id[str(rule.kpi)].target
    if target is None or target.reviewed is None:
        return format_time(now)
    return format_time(min(now, parse_own_time(f"{target.reviewed}T00:00:00Z")))


def precision_of(verdicts: dict[str, int]) -> tuple[float, float, float]:
    """(share that was real, lower and upper end of its 95 % Wilson interval)."""
    trials, real = sum(verdicts.values()), verdicts.get("real", 0)
    low, high = wilson(real, trials)
    return (real / trials if trials else 0.0), low, high


def _judge_precision(rule: Rule, kept: Kept, time: str, rules: RuleSet) -> Iterator[Judgement]:
    condition = rule.condition
    share, low, high = precision_of(kept.verdicts)
    if not isinstance(condition, Precision) or kept.opened is not None or high >= condition.limit:
        return
    kept.opened, kept.rule_set = time, rules.hash
    evidence = PrecisionEvidence(
        condition=rule.declared,
        rule=condition.rule,
        verdicts=dict(kept.verdicts),
        share=share,
        low=low,
        high=high,
        limit=condition.limit,
        rule_set=rules.hash,
        digests={"condition": digest_of(rule.declared)},
    )
    yield _judgement(rule, "began", time, time, rules, evidence)


def _end(rule: Rule, kept: Kept, time: str, rules: RuleSet) -> Iterator[Judgement]:
    if kept.opened is not None:
        yield _judgement(rule, "ended", kept.opened, time, rules)
        kept.opened = None


def _judgement(
    rule: Rule,
    turn: Turn,
    opened: str,
    event_time: str,
    rules: RuleSet,
    evidence: CadenceEvidence | PrecisionEvidence | None = None,
    cause: str | None = None,
) -> Judgement:
    return Judgement(
        rule=rule.id,
        scope=rule.id,
        rule_set=rules.hash,
        turn=turn,
        opened=opened,
        event_time=event_time,
        evidence=evidence,
        cause=cause,
    )


def _cadences(rules: RuleSet) -> list[str]:
    return [f"cadence:{kpi.id}" for kpi in rules.kpis if kpi.review is not None]
