"""One plain sentence for what will miss its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.review.explain_bottleneck import bottleneck_words
from engine.review.numbers import number
from engine.review.spans import window_named
from engine.rules.resolved.condition import OffTrack

if TYPE_CHECKING:
    from engine.model.finding import Episode
    from engine.model.trigger import OffTrackEvidence
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


_AGAINST = "the newer half of its windows against the older"


def sentence_of_course(of: str, evidence: OffTrackEvidence, lasted: Episode | None, rule: Rule, rules: RuleSet) -> str:
    """Where it is going and what it should come to; `of` names the scope, `lasted` the run that is over with this
    window, where one is.
    """
    span = window_named(evidence.window.start, evidence.window.end, rule.window, rules, over=True)
    kpi = rules.kpi_by_id[str(rule.kpi)].title + of
    if evidence.verdict == "inconclusive":
        return f"{rule.title}{of}: cannot be judged {span}, too few windows have a value."
    if evidence.verdict == "date_passed":
        return f"{rule.title}{of}: the target was due by {evidence.by}; {_came(kpi, evidence, rule)} {span}."
    course = (
        f"{kpi} is on course for {number(evidence.forecast)} ({number(evidence.low)} to {number(evidence.high)}) "
        f"by {evidence.by}"
    )
    if evidence.verdict == "misses":
        carried = bottleneck_words(evidence.measured.bottleneck)
        return (
            f"{course}, {_side(evidence.forecast, evidence, rule)}: {number(evidence.measured.value)} {span}, going by "
            f"{_signed(evidence.drift)} a {_unit(rule)} where {_signed(evidence.needed)} is needed"
            f"{f'; {_AGAINST}, {carried}' if carried else ''}."
        )
    ended = "" if lasted is None else f" after {lasted.points} window{'' if lasted.points == 1 else 's'}"
    return f"{rule.title}{of}: {number(evidence.target)} may still be reached {span}{ended}; {course}."


def _came(kpi: str, evidence: OffTrackEvidence, rule: Rule) -> str:
    value = evidence.measured.value
    if value is None:
        return f"nothing is known of {kpi}"
    return f"{kpi} came to {number(value)}, {_side(value, evidence, rule)}"


def _side(value: float | None, evidence: OffTrackEvidence, rule: Rule) -> str:
    """On which side of the target a value lies."""
    condition = rule.condition
    better = isinstance(condition, OffTrack) and condition.higher_is_better
    difference = (value or 0.0) - evidence.target
    if difference == 0 or (difference > 0) == better:
        return f"which reaches {number(evidence.target)}"
    return f"{'short of' if better else 'above'} {number(evidence.target)}"


def _signed(value: float | None) -> str:
    return f"{'+' if value is not None and value > 0 else ''}{number(value)}"


def _unit(rule: Rule) -> str:
    return "window" if rule.window.zone is None else "day"
