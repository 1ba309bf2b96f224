"""The explanation of one trigger: its steps, and whether its evidence is consistent with all that it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.errors import WireError
from engine.model.finding import Evidence
from engine.model.governance import GovernanceEvidence
from engine.model.limits import Limits
from engine.model.trigger import (
    CadenceEvidence,
    ConflictEvidence,
    FindingName,
    GroupEvidence,
    OffTrackEvidence,
    PrecisionEvidence,
    ReconciliationEvidence,
    TurnName,
)
from engine.offline.explain.account import BROKEN, Check, Line, Step, Verdict
from engine.offline.explain.case import case_of
from engine.offline.explain.conflict import conflict_steps
from engine.offline.explain.digests import digest_step
from engine.offline.explain.governance import cadence_step, precision_step
from engine.offline.explain.group import group_steps
from engine.offline.explain.obligation import ids_step, obligation_step, rule_step
from engine.offline.explain.off_track import off_track_steps
from engine.offline.explain.reconciliation import reconciliation_steps
from engine.offline.explain.series import series_steps
from engine.offline.explain.times import times_step
from engine.offline.explain.watched import governance_steps
from engine.rules.resolved.condition import (
    Anomaly,
    Cadence,
    Change,
    Composite,
    CounterpartConflict,
    MissingData,
    OffTrack,
    Precision,
    Reconciliation,
    Threshold,
    TrendBreak,
)
from engine.rules.resolved.control import ControlChart
from engine.rules.resolved.governance import GovernanceCondition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from engine.offline.explain.case import Case
    from engine.offline.explain.given import Given
    from engine.rules.resolved.condition import Condition
    from engine.rules.resolved.rule import Rule


class Explanation(msgspec.Struct, frozen=True):
    """`failures` are the comparisons that do not hold, in the order of the steps."""

    id: str
    type: str
    sentence: str
    evidence: Verdict
    steps: tuple[Step, ...]
    failures: tuple[Check, ...]


OF_SERIES = (Threshold, Change, TrendBreak, Anomaly, ControlChart)
"""Conditions that are judged point by point on one series."""


def explain(given: Given, limits: Limits | None = None) -> Explanation:
    """Recompute a trigger from its evidence. `limits` are the settings that it was made under."""
    steps = [
        *_recomputed(given, limits or Limits()),
        _guarded("The digests", "data.digests", lambda: [digest_step(given.event)]),
    ]
    flat = tuple(step for found in steps for step in found)
    failures = tuple(check for step in flat for line in step.lines for check in line.checks if not check.holds)
    return Explanation(
        id=given.id,
        type=str(given.event.get("type", "")),
        sentence=str(given.event["data"].get("explanation", "")),
        evidence="not consistent" if failures else "consistent",
        steps=flat,
        failures=failures,
    )


def _recomputed(given: Given, limits: Limits) -> Iterator[list[Step]]:
    if given.misfits:
        yield [Step("The shape", (Line("fields", "not those of a review trigger", given.misfits),))]
    times = times_step(given.event)
    if times is not None:
        yield [times]
    if given.trigger is None:
        return
    try:
        case = case_of(given.trigger)
    except WireError as error:
        yield [_failed("Who spoke", "data.excerpt", error)]
        return
    yield _guarded("Who spoke", "data.excerpt", lambda: [rule_step(case)])
    yield _guarded("The evidence", "data.evidence", lambda: _evidence(case, limits))
    yield _guarded("The names", "data", lambda: [ids_step(case)])
    yield _guarded("What it leads to", "data", lambda: [obligation_step(case)])


def _evidence(case: Case, limits: Limits) -> Iterable[Step]:  # noqa: PLR0911 (one for each kind)
    moved_by, condition = case.data.moved_by, case.rule.condition
    match case.data.evidence, condition:
        case Evidence() as evidence, _ if isinstance(condition, OF_SERIES) and isinstance(moved_by, FindingName):
            return series_steps(case, evidence, moved_by)
        case ConflictEvidence() as evidence, CounterpartConflict() if isinstance(moved_by, TurnName):
            return conflict_steps(case, evidence)
        case ReconciliationEvidence() as evidence, Reconciliation() if isinstance(moved_by, TurnName):
            return reconciliation_steps(case, evidence)
        case OffTrackEvidence() as evidence, OffTrack() if isinstance(moved_by, TurnName):
            return off_track_steps(case, evidence)
        case GroupEvidence() as evidence, _ if isinstance(moved_by, TurnName) and _is_grouped(case.rule):
            return group_steps(case, evidence, moved_by, limits)
        case GovernanceEvidence() as evidence, _ if isinstance(moved_by, TurnName) and _is_governance(condition):
            return governance_steps(case, evidence, moved_by)
        case CadenceEvidence() as evidence, Cadence() as condition:
            return [cadence_step(case, evidence, condition)]
        case PrecisionEvidence() as evidence, Precision() as condition:
            return [precision_step(evidence, condition)]
        case None, _:
            return ()
    raise ValueError("expected evidence of the kind that the condition makes, moved by what makes it")


def _is_governance(condition: Condition) -> bool:
    return isinstance(condition, GovernanceCondition)


def _is_grouped(rule: Rule) -> bool:
    return isinstance(rule.condition, Composite | MissingData) or rule.gathers_series


def _guarded(title: str, path: str, steps: Callable[[], Iterable[Step]]) -> list[Step]:
    """The steps, as far as they can be recomputed; where that breaks off, a comparison that does not hold."""
    found: list[Step] = []
    try:
        found.extend(steps())
    except BROKEN as error:
        found.append(_failed(title, path, error))
    return found


def _failed(title: str, path: str, error: Exception) -> Step:
    why = f"cannot be recomputed: {type(error).__name__}: {error}"
    return Step(title, (Line("broken off", why, (Check(path, None, None, holds=False, why=why),)),))
