"""What a verdict over windows fell short of: the first limit that it is not past, in the order of the docs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.governance import EasyTarget, FallingOutcome, FavouredRestatements, Unfollowed
from engine.offline.why.gates import Gate, Stop
from engine.review.numbers import number, percent

if TYPE_CHECKING:
    from engine.correlate.governance.looking import Verdict
    from engine.model.governance import RestatedTally
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


class _Limit(NamedTuple):
    """One of the limits of a condition: whether it is passed, and what to say where it is not."""

    passed: bool
    gate: Gate
    value: str
    needed: str
    number: float
    limit: float


def short_of(verdict: Verdict, rule: Rule, rules: RuleSet) -> Stop:
    """The gate of a verdict that does not hold. TypeError for one that is not over windows."""
    own = verdict.kpis[0]
    kpi, windows = rules.kpi_by_id[own.kpi], len(own.points)
    about = kpi.title
    match verdict.found:
        case EasyTarget() as found:
            limits = _easy(found, own.target)
        case FallingOutcome() as found:
            limits = _falling(found)
        case Unfollowed() as found:
            limits, about = [_unfollowed(found)], f"{rules.kpi_by_id[verdict.kpis[1].kpi].title} after {kpi.title}"
        case FavouredRestatements() as found:
            limits = _restated(found)
        case other:
            raise TypeError(f"expected a verdict over windows, found {type(other).__name__}")
    shut = next((each for each in limits if not each.passed), limits[-1])
    told = f"{rule.id} looked at the last {windows} windows of {about}: {shut.value}; it takes {shut.needed}."
    return Stop(shut.gate, told, shut.value, shut.needed, None, shut.number, shut.limit)


def _easy(found: EasyTarget, target: float | None) -> list[_Limit]:
    worst = f"the worst window {'missed' if found.least < 0 else 'cleared'} the target {number(target)} by"
    clear = found.margin * found.sigma
    return [
        _Limit(
            found.least > 0,
            "within_bounds",
            f"{worst} {number(abs(found.least))}",
            "all of them on its good side",
            found.least,
            0.0,
        ),
        _Limit(
            found.least >= clear,
            "minimum_effect",
            f"{worst} {number(found.least)}",
            f"at least {number(clear)}, {number(found.margin)} times their scatter",
            found.least,
            clear,
        ),
    ]


def _falling(found: FallingOutcome) -> list[_Limit]:
    green = found.met / found.of if found.of else 0.0
    moved = f"it fell by {percent(-found.change)}" if found.change < 0 else f"it gained {percent(found.change)}"
    return [
        _Limit(
            found.of > 0 and found.met >= found.green * found.of,
            "within_bounds",
            f"the board was green in {percent(green)} of all cases",
            f"at least {percent(found.green)}",
            green,
            found.green,
        ),
        _Limit(
            found.z <= -found.limit,
            "within_bounds",
            f"its trend has a Mann-Kendall Z of {number(found.z)}",
            f"one of at most -{number(found.limit)}",
            found.z,
            -found.limit,
        ),
        _Limit(
            found.change <= -found.at_least,
            "minimum_effect",
            moved,
            f"a fall by at least {percent(found.at_least)}",
            found.change,
            -found.at_least,
        ),
    ]


def _unfollowed(found: Unfollowed) -> _Limit:
    """The lag at which the outcome may follow the most."""
    best = max(found.lags, key=lambda each: each.high)
    when = "at once" if best.lag == 0 else f"{best.lag} window{'' if best.lag == 1 else 's'} later"
    return _Limit(
        best.high < found.below,
        "within_bounds",
        f"it may follow {when}, rho {number(best.rho)} ({number(best.low)} to {number(best.high)})",
        f"less than {number(found.below)} at the upper end, at every lag",
        best.high,
        found.below,
    )


def _restated(found: FavouredRestatements) -> list[_Limit]:
    """Of all windows, or of those near the end of a period: whichever come further."""
    told = [_tally(found.all, found, "")]
    if found.near is not None:
        told.append(_tally(found.near, found, " near the end of a period"))
    return max(told, key=lambda limits: next((n for n, each in enumerate(limits) if not each.passed), len(limits)))


def _tally(tally: RestatedTally, found: FavouredRestatements, where: str) -> list[_Limit]:
    favour = tally.in_favour / tally.changed if tally.changed else 0.0
    by = f"by {'-' if tally.effect < 0 else ''}{percent(abs(tally.effect))}"
    return [
        _Limit(
            tally.changed >= found.least,
            "within_bounds",
            f"{tally.changed} of {tally.of}{where} were restated",
            f"at least {found.least}",
            tally.changed,
            found.least,
        ),
        _Limit(
            tally.in_favour >= found.share * tally.changed,
            "within_bounds",
            f"{tally.in_favour} of {tally.changed} that were restated{where} moved for the better",
            f"at least {percent(found.share)}",
            favour,
            found.share,
        ),
        _Limit(
            tally.chance <= found.limit,
            "within_bounds",
            f"chance alone makes {tally.in_favour} of {tally.changed}{where} better with {number(tally.chance)}",
            f"at most {number(found.limit)}",
            tally.chance,
            found.limit,
        ),
        _Limit(
            tally.effect >= found.at_least,
            "minimum_effect",
            f"what was restated{where} changed all together {by}",
            f"at least {percent(found.at_least)} for the better",
            tally.effect,
            found.at_least,
        ),
    ]
