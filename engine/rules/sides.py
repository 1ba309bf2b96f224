"""The KPIs that a rule joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.resolved.condition import CounterpartConflict, OffTrack, Reconciliation
from engine.rules.resolved.governance import GovernanceCondition, MovedGoalposts, NewVersion, others_of

if TYPE_CHECKING:
    from engine.rules.resolved.rule import Rule


def sides(rule: Rule) -> tuple[str, ...]:
    """The KPIs that a rule joins window by window, each once, its own first; `per` KPIs are among them."""
    condition = rule.condition
    if isinstance(condition, OffTrack) and rule.kpi is not None:
        return (rule.kpi,)
    if isinstance(condition, Reconciliation) and rule.kpi is not None:
        return (rule.kpi, *condition.record)
    if isinstance(condition, GovernanceCondition) and not isinstance(condition, MovedGoalposts | NewVersion):
        return (str(rule.kpi), *others_of(condition))
    if not isinstance(condition, CounterpartConflict) or rule.kpi is None:
        return ()
    named = [rule.kpi]
    for side in condition.counterparts:
        named.extend(kpi for kpi in (side.kpi, side.per) if kpi is not None)
    return tuple(dict.fromkeys(named))
