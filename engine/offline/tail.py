"""How long the clock must go on after a history has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.resolved.condition import Composite

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet


def tail_of(rule_set: RuleSet, every: Micros) -> Micros:
    """Until the last windows have closed by idleness and been judged, and what composites wait for is known to be
    absent, with ticks `every` so often.
    """
    wait = max((rule.idle + rule.lateness for rule in rule_set.rules), default=0)
    conditions = [rule.condition for rule in rule_set.rules]
    absences = [each.within for each in conditions if isinstance(each, Composite) and each.absent]
    return wait + 2 * every + (max(absences) + wait + every if absences else 0)
