"""What an audit says of a KPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY
from engine.offline.catalogue.pace import instant
from engine.offline.catalogue.remarks import Remark
from engine.offline.catalogue.watching import above, guards, rules_watching, self_reports_only
from engine.rules.resolved.condition import Reconciliation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.model.time import Micros
    from engine.offline.catalogue.remarks import AuditLimits
    from engine.offline.catalogue.seen import ReviewSeen, Seen
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.ruleset import RuleSet
    from engine.rules.tables import Table

_NO_ACTION = ("false_alarm", "expected", None)


def remarks_on_kpi(
    kpi: Kpi, rules: RuleSet, tables: Sequence[Table], seen: Seen, limits: AuditLimits, now: Micros
) -> Iterator[Remark]:
    """All that there is to say of one."""
    yield from _declared(kpi, rules)
    yield from _target(kpi, limits, now)
    yield from _retire(kpi, seen.reviews, limits)
    yield from _self_reported(kpi, rules, tables)
    yield from _vanity(kpi, rules)


def _declared(kpi: Kpi, rules: RuleSet) -> Iterator[Remark]:
    if kpi.decision is None:
        yield Remark(
            "no-decision",
            kpi.id,
            f"{kpi.title} moves, and nothing is decided.",
            "Name the decision, or retire the KPI.",
        )
    if not rules_watching(rules, kpi):
        yield Remark("no-rule", kpi.id, f"No rule looks at {kpi.title}.", "Write a rule for it, or retire the KPI.")
    if kpi.target is None:
        yield Remark("no-target", kpi.id, f"{kpi.title} has no target.", "Set one, with `start` and `reviewed`.")


def _target(kpi: Kpi, limits: AuditLimits, now: Micros) -> Iterator[Remark]:
    if kpi.target is None:
        return
    mend = "Look at it with its owner, and write the date into `reviewed`."
    if kpi.target.reviewed is None:
        yield Remark("target-age", kpi.id, f"The target of {kpi.title} has never been reviewed.", mend)
        return
    days = (now - instant(kpi.target.reviewed)) // DAY
    if days > limits.target_days:
        sentence = f"The target of {kpi.title} was last reviewed {days} days ago, on {kpi.target.reviewed}."
        yield Remark("target-age", kpi.id, sentence, mend)


def _retire(kpi: Kpi, reviews: Sequence[ReviewSeen], limits: AuditLimits) -> Iterator[Remark]:
    """Of reviews that people were told of; one that was withdrawn was about nothing, and nobody's fault."""
    ended = [review for review in reviews if review.kpi == kpi.id and review.state == "resolved"]
    ended = [review for review in ended if review.told and not review.own]
    if len(ended) < limits.reviews or any(review.verdict not in _NO_ACTION for review in ended):
        return
    unanswered = sum(review.verdict is None for review in ended)
    sentence = (
        f"{len(ended)} reviews of {kpi.title} have ended, and none led to an action: {unanswered} without an answer, "
        f"{len(ended) - unanswered} answered as expected or as false alarms."
    )
    yield Remark("retire", kpi.id, sentence, "Mend its rules so that they call for what matters, or retire the KPI?")


def _self_reported(kpi: Kpi, rules: RuleSet, tables: Sequence[Table]) -> Iterator[Remark]:
    """A reconciliation does not take anybody's word: it is there to check it."""
    watching = [rule for rule in rules_watching(rules, kpi) if not isinstance(rule.condition, Reconciliation)]
    critical = [rule.id for rule in watching if rule.severity == "critical"]
    feeding = self_reports_only(rules, tables, kpi)
    if critical and feeding:
        sentence = (
            f"{critical[0]} is critical, and {kpi.title} is fed by nothing but self-reports: {', '.join(feeding)}."
        )
        yield Remark(
            "self-reported", kpi.id, sentence, "Measure it where it happens, or take it out of critical rules."
        )


def _vanity(kpi: Kpi, rules: RuleSet) -> Iterator[Remark]:
    if kpi.role != "leading" or kpi.counterparts or guards(rules, kpi):
        return
    if any(each.role == "lagging" for each in above(rules, kpi)):
        return
    if any(each.role == "lagging" and each.objective == kpi.objective for each in rules.kpis):
        return
    sentence = (
        f"{kpi.title} is leading, but no counterpart is held against it, and there is no lagging KPI that it leads to."
    )
    mend = "Name a counterpart, or the lagging KPI that it moves (`rolls_up_to`); or retire it."
    yield Remark("vanity", kpi.id, sentence, mend)
