"""One plain sentence for each governance condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.model.governance import (
    EasyTarget,
    FallingOutcome,
    FavouredRestatements,
    MovedGoalposts,
    OtherVersion,
    StaleTarget,
    Unfollowed,
    UnprovenMilestones,
)
from engine.review.numbers import number, percent
from engine.review.spans import duration
from engine.rules.resolved.governance import RestatedInFavour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.governance import GovernanceEvidence, MovedField, OpenMilestone, RestatedTally
    from engine.model.judgement import Judgement
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


SELDOM: Final = 1e-4
"""What is rarer is not told apart."""


def explain_governance(judgement: Judgement, evidence: GovernanceEvidence, rule: Rule, rules: RuleSet) -> str:
    """The sentence for a review of how a KPI is governed."""
    said = _said(evidence, rule, rules)
    if judgement.turn == "ended":
        why = f"no longer so: {judgement.cause}" if judgement.cause else "no longer so"
        return f"{rule.title}: {why}; {said}."
    return f"{rule.title}: {said}."


def _said(evidence: GovernanceEvidence, rule: Rule, rules: RuleSet) -> str:  # noqa: PLR0911 (one for each kind)
    kpi = _title(str(rule.kpi), rules)
    match evidence.found:
        case StaleTarget() as found:
            return _stale(found, kpi)
        case MovedGoalposts() as found:
            return _moved(found, kpi)
        case OtherVersion() as found:
            return _version(found)
        case UnprovenMilestones() as found:
            return _milestones(found, kpi)
        case EasyTarget() as found:
            return _easy(found, evidence, kpi)
        case FallingOutcome() as found:
            return _falling(found, evidence, kpi)
        case Unfollowed() as found:
            return _unfollowed(found, evidence, kpi, rules)
        case FavouredRestatements() as found:
            return _restated(found, rule, kpi, rules)


def _stale(found: StaleTarget, kpi: str) -> str:
    looked = {
        "reviewed": f"was last reviewed on {found.since[:10]}",
        "changed": f"was last changed at {found.since}",
        "watched": f"has no date of review and is watched since {found.since}",
    }
    asked = f"the target of {kpi}, {number(found.value)} by {found.by}"
    return f"{asked}, {looked[found.because]}; it is to be looked at every {duration(found.after)}"


def _moved(found: MovedGoalposts, kpi: str) -> str:
    changed = listed([_change(field) for field in found.changed])
    if not found.changed:
        return f"{kpi} is as it was"
    rules = listed(sorted({each.rule for each in found.firing}))
    fired = f"while {rules} fired on {found.count} series" if found.count else "and nothing fires on it"
    return f"of {kpi} {changed} was changed {fired}"


def _version(found: OtherVersion) -> str:
    """What was firing is told by number: the evidence lists it."""
    changed = listed([_change(field) for field in found.changed])
    told = f"version {found.before} became {found.after}, and {changed or 'nothing else of it'} was changed"
    on = found.count - found.ended
    if not found.count:
        return f"{told}; nothing fired on it"
    alerts = f"{found.count} alert{'' if found.count == 1 else 's'}"
    return f"{told}; of {alerts} on it {found.ended} were withdrawn, {on} go{'es' if on == 1 else ''} on"


def _change(field: MovedField) -> str:
    before, after = field.before, field.after
    if field.name == "target" and isinstance(before, dict) and isinstance(after, dict):
        parts = [
            f"{name} {_plain(before[name])} to {_plain(after[name])}" for name in before if before[name] != after[name]
        ]
        return f"the target ({', '.join(parts)})"
    if field.name in ("window", "target"):
        return f"the {field.name}"
    return f"the {field.name} ({_plain(before)} to {_plain(after)})"


def _plain(value: object) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _milestones(found: UnprovenMilestones, kpi: str) -> str:
    if not found.milestones:
        return f"{kpi} is at {number(found.median)}, and no milestone is unproven"
    at = f"{kpi} has no value" if found.median is None else f"{kpi} is at {number(found.median)}"
    return f"{listed([_milestone(each) for each in found.milestones])}, but {at}"


def _milestone(milestone: OpenMilestone) -> str:
    proof = (
        "nothing says what would prove it" if milestone.value is None else f"{number(milestone.value)} would prove it"
    )
    if milestone.why == "reported":
        return f'"{milestone.title}" was reported as done on {milestone.done} ({proof})'
    return f'"{milestone.title}" was due by {milestone.by} ({proof})'


def _easy(found: EasyTarget, evidence: GovernanceEvidence, kpi: str) -> str:
    own = evidence.kpis[0]
    windows = len(own.points)
    if found.least <= 0:
        return f"a window of the last {windows} of {kpi} did not clear the target {number(own.target)}"
    scatter = f"{number(found.least / found.sigma)} times the usual scatter" if found.sigma else "without any scatter"
    return (
        f"{kpi} met its target {number(own.target)} in each of the last {windows} windows, the worst of them by "
        f"{number(found.least)}: {scatter}"
    )


def _falling(found: FallingOutcome, evidence: GovernanceEvidence, kpi: str) -> str:
    windows, leading = len(evidence.kpis[0].points), len(evidence.kpis) - 1
    moved = f"fell by {percent(-found.change)}" if found.change < 0 else f"gained {percent(found.change)}"
    met = percent(found.met / found.of if found.of else 0.0)
    board = "the leading KPI met its target" if leading == 1 else f"the {leading} leading KPIs met their targets"
    return f"over {windows} windows {kpi} {moved} (Mann-Kendall Z {number(found.z)}), and {board} in {met} of all cases"


def _unfollowed(found: Unfollowed, evidence: GovernanceEvidence, kpi: str, rules: RuleSet) -> str:
    outcome, windows = _title(evidence.kpis[1].kpi, rules), len(evidence.kpis[0].points)
    best = max(found.lags, key=lambda each: each.high)
    span = f"rho {number(best.rho)}, {number(best.low)} to {number(best.high)} at 95 % confidence"
    when = "at once" if best.lag == 0 else f"{best.lag} window{'' if best.lag == 1 else 's'} later"
    follows = "never followed" if best.high < found.below else "follows" if best.rho >= found.below else "may follow"
    return f"over {windows} windows {outcome} {follows} {kpi}; the closest was {when} ({span})"


def _restated(found: FavouredRestatements, rule: Rule, kpi: str, rules: RuleSet) -> str:
    unit, tally, condition = rules.kpi_by_id[str(rule.kpi)].unit, found.all, rule.condition
    if not tally.changed:
        return f"of the last {tally.of} windows of {kpi} none was restated"
    told = f"of the last {tally.of} windows of {kpi} {_tally(tally, unit)}"
    if found.near is None or not isinstance(condition, RestatedInFavour):
        return told
    near = f"in the last {duration(condition.near)} of a {condition.period}"
    return f"{told}; of the {found.near.of} that begin {near}, {_tally(found.near, unit)}"


def _tally(tally: RestatedTally, unit: str) -> str:
    if not tally.changed:
        return "none"
    were = "was" if tally.changed == 1 else "were"
    sign = "-" if tally.net < 0 else "+"
    by = f"{sign}{number(abs(tally.net))} {unit} in all ({sign}{percent(abs(tally.effect))})"
    return (
        f"{tally.changed} {were} restated, {tally.in_favour} for the better, by {by}, as chance gives in "
        f"{_rarely(tally.chance)} of all cases"
    )


def _rarely(chance: float) -> str:
    return f"{100 * chance:.2g} %" if chance >= SELDOM else f"less than {100 * SELDOM:g} %"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _title(kpi: str, rules: RuleSet) -> str:
    known = rules.kpi_by_id.get(kpi)
    return kpi if known is None else known.title
