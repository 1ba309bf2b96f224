"""Evidence of the reviews that the engine calls by itself: a cadence that was missed, a rule that is seldom right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import format_time
from engine.offline.explain.account import Line, Step, holds, same
from engine.offline.explain.case import micros
from engine.review.governance import precision_of
from engine.review.numbers import percent
from engine.review.spans import duration

if TYPE_CHECKING:
    from engine.model.trigger import CadenceEvidence, PrecisionEvidence
    from engine.offline.explain.case import Case
    from engine.rules.resolved.condition import Cadence, Precision

EVIDENCE = "data.evidence"


def cadence_step(case: Case, evidence: CadenceEvidence, condition: Cadence) -> Step:
    """When the last review was answered, and when the next was due."""
    due = format_time(micros(evidence.since) + condition.every)
    by = "counting began then" if evidence.review is None else f"by an answer to the review {evidence.review}"
    late = micros(due) <= micros(case.data.event_time)
    return Step(
        "When it was last reviewed",
        (
            Line("KPI", evidence.kpi, (same(f"{EVIDENCE}.kpi", evidence.kpi, case.rule.kpi),)),
            Line("since", f"{evidence.since}: {by}"),
            Line(
                "due",
                f"{duration(condition.every)} later: {due}",
                (
                    same(f"{EVIDENCE}.every", evidence.every, condition.every),
                    same(f"{EVIDENCE}.due", evidence.due, due),
                    holds("data.event_time", case.data.event_time, true=late, why="it is called when it is due"),
                ),
            ),
        ),
    )


def precision_step(evidence: PrecisionEvidence, condition: Precision) -> Step:
    """The verdicts, and the interval of the share that was real."""
    share, low, high = precision_of(evidence.verdicts)
    listed = ", ".join(f"{count} {name}" for name, count in sorted(evidence.verdicts.items()))
    checks = (
        same(f"{EVIDENCE}.share", evidence.share, share),
        same(f"{EVIDENCE}.low", evidence.low, low),
        same(f"{EVIDENCE}.high", evidence.high, high),
    )
    limit = (
        same(f"{EVIDENCE}.limit", evidence.limit, condition.limit),
        holds(f"{EVIDENCE}.high", evidence.high, true=high < condition.limit, why="even the upper end is below it"),
    )
    judged = (same(f"{EVIDENCE}.rule", evidence.rule, condition.rule),)
    return Step(
        "How often it was right",
        (
            Line("rule", evidence.rule, judged),
            Line("verdicts", listed),
            Line("real", f"{percent(share)}; 95 % Wilson interval {percent(low)} to {percent(high)}", checks),
            Line("limit", percent(condition.limit), limit),
        ),
    )
