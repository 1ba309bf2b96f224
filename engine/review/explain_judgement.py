"""One plain sentence for each condition that joins series or looks at reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.governance import GovernanceEvidence
from engine.model.trigger import (
    CadenceEvidence,
    ConflictEvidence,
    GroupEvidence,
    OffTrackEvidence,
    PrecisionEvidence,
    ReconciliationEvidence,
)
from engine.review.explain import of_dimensions
from engine.review.explain_bottleneck import bottleneck_words
from engine.review.explain_composite import joined, sentence_of_composite
from engine.review.explain_governance import explain_governance
from engine.review.explain_off_track import sentence_of_course
from engine.review.explain_often import is_often, often_words
from engine.review.explain_reconciliation import sentence_of_reconciliation
from engine.review.explain_storm import storm_words
from engine.review.numbers import number, percent
from engine.review.spans import duration, window_named
from engine.rules.resolved.condition import Cadence, Composite, MissingData, Precision
from engine.rules.versions import NEW_VERSION

if TYPE_CHECKING:
    from engine.model.finding import Episode
    from engine.model.judgement import Judgement
    from engine.model.trigger import AnyEvidence, Happening, SideEvidence
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


def explain_judgement(  # noqa: PLR0911 (one for each kind)
    judgement: Judgement, happening: Happening, rules: RuleSet
) -> str:
    """The sentence for a joined or grouped review."""
    rule = rules.rule_by_id[judgement.rule]
    evidence = judgement.evidence
    if isinstance(rule.condition, Cadence | Precision) and judgement.turn == "ended":
        return f"{rule.title}: answered."
    if isinstance(evidence, CadenceEvidence):
        return f"{rule.title}: the last was answered at {evidence.since}, the next was due at {evidence.due}."
    if isinstance(evidence, PrecisionEvidence):
        return f"{rule.title}: {_precision(evidence)}."
    if judgement.turn == "withdrawn" or evidence is None:
        taken_back = "the alert is withdrawn" if judgement.cause == NEW_VERSION else "the alert never was"
        return f"{rule.title}{of_dimensions(_scope(judgement.scope))}: {taken_back} ({judgement.cause})."
    if isinstance(evidence, GroupEvidence):
        return _group(judgement, evidence, rule, happening)
    if isinstance(evidence, GovernanceEvidence):
        return explain_governance(judgement, evidence, rule, rules)
    return _over_windows(judgement, evidence, rule, rules)


def _over_windows(judgement: Judgement, evidence: AnyEvidence, rule: Rule, rules: RuleSet) -> str:
    if not isinstance(evidence, ConflictEvidence | OffTrackEvidence | ReconciliationEvidence):
        return f"{rule.title}."
    of, lasted = of_dimensions(_scope(judgement.scope)), judgement.episode
    over = None if is_often(evidence, rule) else lasted
    if isinstance(evidence, ConflictEvidence):
        told = _conflict(of, evidence, rule, rules, over)
    elif isinstance(evidence, OffTrackEvidence):
        told = sentence_of_course(of, evidence, over, rule, rules)
    else:
        told = sentence_of_reconciliation(of, evidence, over, rule, rules)
    return f"{told.removesuffix('.')}{often_words(evidence, rule)}."


def _precision(evidence: PrecisionEvidence) -> str:
    real, count = evidence.verdicts.get("real", 0), sum(evidence.verdicts.values())
    rest = ", ".join(
        f"{number} {name.replace('_', ' ')}" for name, number in sorted(evidence.verdicts.items()) if name != "real"
    )
    span = f"{percent(evidence.low)} to {percent(evidence.high)}"
    return f"{real} of {count} reviews were about something real ({span} at 95 % confidence); the others: {rest}"


def _scope(scope: str) -> dict[str, str]:
    start = scope.find("{")
    try:
        return msgspec.json.decode(scope[max(start, 0) :], type=dict[str, str])
    except msgspec.MsgspecError:
        return {}


def _conflict(of: str, evidence: ConflictEvidence, rule: Rule, rules: RuleSet, lasted: Episode | None) -> str:
    """`of` names the scope, `lasted` the run that is over with this window, where one is."""
    own, *others = evidence.sides
    worse = [side for side in others if side.verdict == "worsened"]
    span = window_named(evidence.window.start, evidence.window.end, rule.window, rules, over=True)
    if evidence.verdict == "conflict":
        costs = joined([_carried(side, rules) for side in worse])
        gain = _carried(own, rules, of)
        pause = "," if bottleneck_words(own.bottleneck) else ""
        return f"{gain}{pause} while {costs}, {span}."
    title = f"{rule.title}{of}"
    if evidence.verdict == "inconclusive":
        silent = joined([_title(side.kpi, rules) for side in evidence.sides if side.value is None])
        return f"{title}: cannot be judged {span}{f', nothing came of {silent}' if silent else ''}."
    ended = "not so" if lasted is None else "no longer so"
    after = "" if lasted is None else f" after {lasted.points} window{'' if lasted.points == 1 else 's'}"
    return f"{title}: {ended} {span}{after}; {_side(own, rules)}."


def _carried(side: SideEvidence, rules: RuleSet, of: str = "") -> str:
    """What a side did, and what of it carries that."""
    return ", ".join(filter(None, (_side(side, rules, of), bottleneck_words(side.bottleneck))))


def _side(side: SideEvidence, rules: RuleSet, of: str = "") -> str:
    name = f"{_title(side.kpi, rules)}{of}" + (f" per {_title(side.per, rules)}" if side.per else "")
    if side.value is None:
        return f"{name} is not known"
    if side.usual is None or side.effect is None:
        limit = (
            ""
            if side.limit is None
            else f" ({'above' if side.value > side.limit else 'not above'} {number(side.limit)})"
        )
        return f"{name} came to {number(side.value)}{limit}"
    if side.effect == 0:
        return f"{name} stayed at the usual {number(side.usual)}"
    where = "above" if side.effect > 0 else "below"
    held = f"({number(side.value)} against {number(side.usual)})"
    return f"{name} went {percent(abs(side.effect))} {where} the usual level {held}"


def _title(kpi: str | None, rules: RuleSet) -> str:
    known = None if kpi is None else rules.kpi_by_id.get(kpi)
    return str(kpi) if known is None else known.title


def _group(judgement: Judgement, evidence: GroupEvidence, rule: Rule, happening: Happening) -> str:
    count, when = evidence.count, judgement.event_time
    if isinstance(rule.condition, MissingData):
        source = judgement.scope.rpartition("source:")[2]
        if happening == "resolved" or judgement.turn == "ended":
            return f"{rule.title}: every series of source {source} is measured again as of {when}."
        after = duration(rule.condition.after)
        return f"{rule.title}: {count} series of source {source} silent for more than {after} as of {when}."
    title = f"{rule.title}{of_dimensions(_scope(judgement.scope))}"
    if evidence.storm:
        return f"{title}: {storm_words(evidence.count, evidence.storm, when)}."
    if not isinstance(rule.condition, Composite):
        if judgement.turn == "ended":
            return f"{title}: over as of {when}."
        return f"{title}: {count} series as of {when}."
    return sentence_of_composite(title, rule.condition, evidence, when, over=judgement.turn == "ended")
