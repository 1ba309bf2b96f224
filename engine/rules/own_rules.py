"""The engine's own rules: each KPI is watched for another version, and for reviews where it is to have them, and each
rule for how often it is right.

They stand in no file; a rule set makes them from what it declares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.model.identity import digest_of
from engine.model.time import DAY, HOUR, MINUTE, SECOND, Micros
from engine.rules.bind_review import escalate_default
from engine.rules.resolved.condition import Cadence, Composite, Precision
from engine.rules.resolved.governance import NewVersion
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Due, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.trigger import Severity
    from engine.rules.resolved.catalogue import CadenceSpec, Kpi
    from engine.rules.ruleset import RuleSet

PRECISION_LIMIT: Final = 0.5
PRECISION_QUESTION: Final = "Should this rule be mended, or retired?"
PRECISION_DUE: Final = Due(micros=7 * DAY)

VERSION_QUESTION: Final = "Is it another measure, and what of the alerts that were on before?"
VERSION_DUE: Final = Due(micros=7 * DAY)

_VERSION: Final = "version:"

_NO_WINDOW: Final = Window(0, 0)
"""They see no windows."""

_UNITS: Final = ((DAY, "d", "day"), (HOUR, "h", "hour"), (MINUTE, "m", "minute"), (SECOND, "s", "second"))


def own_rules(rules: RuleSet) -> Iterator[Rule]:
    """One for each KPI and one more where it has a `review`, one for each declared rule that is on."""
    for kpi in rules.kpis:
        yield version_rule(kpi)
        if kpi.review is not None:
            yield cadence_rule(kpi, kpi.review)
    for rule in rules.rules:
        if rule.mode == "on" and not is_own(rule):
            yield precision_rule(rule, rule.owner or _owner_of_members(rule, rules))


def is_own(rule: Rule) -> bool:
    """Whether the engine made it: an excerpt carries it among its rules."""
    return isinstance(rule.condition, Cadence | Precision | NewVersion)


def cadence_rule(kpi: Kpi, review: CadenceSpec) -> Rule:
    """The rule that opens a review when nobody has reviewed the KPI."""
    number, short, word = _whole(review.every)
    obligation = ReviewSpec(
        due_in=review.due_in,
        participants=review.participants,
        question=review.question,
        runbook=None,
        close="on_recovery",  # its recovery is that somebody answers a review of the KPI, this one or another
        escalate_after=escalate_default(review.due_in),
    )
    return _rule(
        f"cadence:{kpi.id}",
        f"No review of {kpi.title} for {number} {word}{'' if number == 1 else 's'}",
        kpi=kpi.id,
        condition=Cadence(review.every),
        severity="warning",
        owner=None,
        review=obligation,
        declared={"cadence": {"every": f"{number}{short}"}},
    )


def version_rule(kpi: Kpi) -> Rule:
    """The rule that tells the objective's owner that the KPI has another version."""
    return _rule(
        version_rule_id(kpi.id),
        f"A new version of {kpi.title}",
        kpi=kpi.id,
        condition=NewVersion(),
        severity="info",
        owner=None,
        review=ReviewSpec(
            due_in=VERSION_DUE,
            participants=(),
            question=VERSION_QUESTION,
            runbook=None,
            close="on_answer",
            escalate_after=escalate_default(VERSION_DUE),
        ),
        declared={"new_version": {}},
    )


def version_rule_id(kpi: str) -> str:
    """What that rule is called."""
    return f"{_VERSION}{kpi}"


def is_version_rule(rule: str) -> bool:
    """Whether the rule of this id is one."""
    return rule.startswith(_VERSION)


def precision_rule(judged: Rule, owner: str | None) -> Rule:
    """The rule that opens a review of a rule, when its reviews turn out to be about nothing. `owner`: its author; null
    where the owner of its KPI answers.
    """
    return _rule(
        f"precision:{judged.id}",
        f"Seldom right: {judged.title}",
        kpi=judged.kpi,
        condition=Precision(judged.id, PRECISION_LIMIT),
        severity="info",
        owner=owner,
        review=ReviewSpec(PRECISION_DUE, (), PRECISION_QUESTION, None, "on_answer"),
        declared={"precision": {"rule": judged.id, "below": PRECISION_LIMIT}},
    )


def _owner_of_members(rule: Rule, rules: RuleSet) -> str | None:
    """Of a composite, which has no KPI of its own: the owner of its first member's."""
    if not isinstance(rule.condition, Composite):
        return None
    first = next((each for each in rules.rules if each.id == rule.condition.rules[0]), None)
    kpi = None if first is None or first.kpi is None else rules.kpi_by_id.get(first.kpi)
    return None if kpi is None else kpi.owner


def _rule(
    id_: str,
    title: str,
    *,
    kpi: str | None,
    condition: Cadence | Precision | NewVersion,
    severity: Severity,
    owner: str | None,
    review: ReviewSpec,
    declared: dict[str, Any],
) -> Rule:
    return Rule(
        id=id_,
        title=title,
        kpi=kpi,
        where={},
        condition=condition,
        points="window",
        window=_NO_WINDOW,
        lateness=0,
        idle=0,
        for_=0,
        keep_firing_for=0,
        severity=severity,
        mode="on",
        owner=owner,
        review=review,
        known_gaps=(),
        declared=declared,
        fingerprint=digest_of(declared),
    )


def _whole(duration: Micros) -> tuple[int, str, str]:
    """In the largest unit of which it is a whole number."""
    size, short, word = next(unit for unit in _UNITS if duration % unit[0] == 0)
    return duration // size, short, word
