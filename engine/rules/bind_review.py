"""Reviews as they run: due times with their calendar, defaults said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.model.time import DAY
from engine.rules.resolved.catalogue import CadenceSpec
from engine.rules.resolved.rule import ReviewSpec, Step
from engine.rules.resolved.timing import Due

if TYPE_CHECKING:
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.catalogue import CadenceFields
    from engine.rules.spec.due import DueIn
    from engine.rules.spec.scalars import Amount


def bind_review(spec: RuleSpec) -> ReviewSpec:
    """The obligation that the rule opens."""
    review = spec.review
    due_in = _due(review.due_in, review.calendar)
    escalate_after = _due(review.escalate_after, review.calendar)
    return ReviewSpec(
        due_in=due_in,
        participants=tuple(review.participants),
        question=review.question,
        runbook=review.runbook,
        close=review.close or _close_default(spec),
        escalate_after=escalate_default(due_in) if escalate_after is None else escalate_after,
        reopen_within=review.reopen_within,
        flap_after=review.flap_after,
        renotify=_step(review.renotify),
    )


def _close_default(spec: RuleSpec) -> Literal["on_recovery", "on_answer"]:
    """Whoever moved the goalposts answers for it, whether or not what fired has ended since."""
    governance = spec.condition.governance
    moved = governance is not None and governance.moved_goalposts is not None
    return "on_answer" if moved or spec.severity == "critical" else "on_recovery"


def escalate_default(due_in: Due | None) -> Due:
    """A day; a working day of the calendar that the review is due by."""
    if due_in is None or due_in.calendar is None:
        return Due(micros=DAY)
    return Due(days=1, calendar=due_in.calendar)


def bind_cadence(spec: CadenceFields | None) -> CadenceSpec | None:
    """How often a KPI is reviewed."""
    if spec is None:
        return None
    return CadenceSpec(spec.every, _due(spec.due_in, spec.calendar), spec.question, tuple(spec.participants))


def _due(spec: DueIn | None, calendar: str | None) -> Due | None:
    return None if spec is None else Due(spec.micros, spec.days, calendar if spec.business else None)


def _step(spec: Amount | None) -> Step | None:
    return None if spec is None else Step(spec.value, spec.relative)
