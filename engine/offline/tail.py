"""How long the clock must go on after a history has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.resolved.catalogue import formula_in
from engine.rules.resolved.condition import Composite

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet


def tail_of(rule_set: RuleSet, every: Micros) -> Micros:
    """Until the last windows have closed by idleness and been judged, what composites wait for is known to be absent,
    and what formulas make of the last windows has been judged as well, with ticks `every` so often.
    """
    wait = max((rule.idle + rule.lateness for rule in rule_set.rules), default=0)
    conditions = [rule.condition for rule in rule_set.rules]
    absences = [each.within for each in conditions if isinstance(each, Composite) and each.absent]
    worked_out = max((kpi.idle for kpi in rule_set.kpis if formula_in(kpi) is not None), default=0)
    tail = wait + 2 * every + (max(absences) + wait + every if absences else 0)
    return tail + (2 * worked_out + 2 * every if worked_out else 0)
