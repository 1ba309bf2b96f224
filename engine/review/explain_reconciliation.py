"""One plain sentence for what departs from its system of record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.review.explain_composite import joined
from engine.review.numbers import number, percent
from engine.review.spans import window_named

if TYPE_CHECKING:
    from engine.model.finding import Episode
    from engine.model.trigger import ReconciliationEvidence
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


def sentence_of_reconciliation(
    of: str, evidence: ReconciliationEvidence, lasted: Episode | None, rule: Rule, rules: RuleSet
) -> str:
    """What was reported and what the record has; `of` names the scope, `lasted` the run that is over with this window,
    where one is.
    """
    span = window_named(evidence.window.start, evidence.window.end, rule.window, rules, over=True)
    reported, record = (
        joined([_title(kpi, rules) for kpi in side.kpis]) for side in (evidence.reported, evidence.record)
    )
    if evidence.verdict == "inconclusive":
        sides = ((evidence.reported, reported), (evidence.record, record))
        silent = joined([name for side, name in sides if side.value is None])
        return f"{rule.title}{of}: cannot be judged {span}{f', nothing known of {silent}' if silent else ''}."
    departs = (
        f"{reported}{of} came to {_amount(evidence.reported.value)}, {_departure(evidence)} "
        f"the {_amount(evidence.record.value)} of {record}"
    )
    if evidence.verdict == "departs":
        return f"{departs}, {span} (tolerance {_amount_of(evidence, evidence.tolerance)})."
    ended = "" if lasted is None else f" after {lasted.points} window{'' if lasted.points == 1 else 's'}"
    return f"{rule.title}{of}: agrees{'' if lasted is None else ' again'} {span}{ended}; {departs}."


def _departure(evidence: ReconciliationEvidence) -> str:
    size = evidence.departure or 0.0
    if size == 0:
        return "equal to"
    return f"{_amount_of(evidence, abs(size))} {'above' if size > 0 else 'below'}"


def _amount_of(evidence: ReconciliationEvidence, size: float) -> str:
    return percent(size) if evidence.relative else number(size)


def _amount(value: float | None) -> str:
    return "nothing known" if value is None else number(value)


def _title(kpi: str, rules: RuleSet) -> str:
    known = rules.kpi_by_id.get(kpi)
    return kpi if known is None else known.title
