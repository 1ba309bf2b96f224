"""Which rules are judged over aligned windows, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.conflict import Conflict
from engine.correlate.off_track import Course
from engine.correlate.reconcile import Reconcile
from engine.rules.resolved.condition import OffTrack, Reconciliation

if TYPE_CHECKING:
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


def aligned_of(rule: Rule, rules: RuleSet) -> Conflict | Reconcile | Course:
    """The rule, ready to judge; it is a conflict, a reconciliation or off track."""
    if isinstance(rule.condition, OffTrack):
        return Course(rule, rules)
    return Reconcile(rule, rules) if isinstance(rule.condition, Reconciliation) else Conflict(rule, rules)
