"""How long the clock must go on after a history has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet


def tail_of(rule_set: RuleSet, every: Micros) -> Micros:
    """Until the last windows have closed by idleness and been judged, with ticks `every` so often."""
    waits = [rule.idle + rule.lateness for rule in rule_set.rules]
    return max(waits, default=0) + 2 * every
