"""What `at_least` and `warm_up` make of the windows of a rule, one after the other: the same as on single series.

A window counts towards the warm-up when the rule's own KPI has come in it, judged or not. A window that cannot be
judged is none of the last ones: what was counted stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.track import Counted
from engine.model.trigger import WindowVerdict

if TYPE_CHECKING:
    from engine.rules.resolved.rule import Rule


def is_warming_up(before: Counted, rule: Rule) -> bool:
    """Whether a window in which the rule's own KPI has come is one of the first, of which nothing is said."""
    return before.windows < rule.warm_up


def warmed(before: Counted) -> Counted:
    """After such a window."""
    return Counted(before.windows + 1)


def counted_after(before: Counted, rule: Rule, end: str, *, holds: bool) -> Counted:
    """After a window that ends at `end` and could be judged."""
    if rule.at_least is None:
        return before
    _, of = rule.at_least
    return Counted(before.windows, (*before.recent, WindowVerdict(end, holds))[-of:])


def is_often(counted: Counted, rule: Rule) -> bool:
    """Whether so many of the last windows hold; of a rule without `at_least` it is not asked."""
    m, _ = rule.at_least or (0, 0)
    return counted.held() >= m
