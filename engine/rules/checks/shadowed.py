"""No two rules say the same, and none says only what another has said already."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.resolved.selector import Selector
    from engine.rules.spec import RuleSpec

_LOUDNESS: Final = {"info": 0, "warning": 1, "critical": 2}
_DECIDING: Final = (
    *("where", "points", "condition", "for", "keep_firing_for", "at_least", "warm_up"),
    *("window", "lateness", "grace", "idle", "severity", "group_by"),
)
"""Fields as written that decide what a rule says."""
_PARTED: Final = 6
_VIEW: Final = ("points", "at_least", "warm_up", "window", "lateness", "grace", "idle")


def check_shadowed(declarations: Declarations) -> Iterator[Problem]:
    """A warning for each rule that repeats an earlier one, or whose threshold is passed only where that of another is
    passed too, which speaks as soon and as loud.
    """
    by_kpi: dict[str, list[Declared[RuleSpec]]] = {}
    for _, rule in sorted(declarations.rules.items()):
        if not rule.unsound and rule.spec.kpi is not None and rule.spec.mode == "on":
            by_kpi.setdefault(rule.spec.kpi, []).append(rule)
    for rules in by_kpi.values():
        yield from _repeated(rules)
        yield from _shadowed(rules)


def _repeated(rules: list[Declared[RuleSpec]]) -> Iterator[Problem]:
    first: dict[bytes, str] = {}
    for rule in rules:
        written = {name: rule.data.get(name) for name in _DECIDING}
        said = msgspec.json.encode(written, order="sorted")
        other = first.setdefault(said, rule.id)
        if other != rule.id:
            yield rule.problem(
                ("id",),
                "repeated-rule",
                expected="a rule that says something of its own",
                found=f"the same KPI, condition and severity as {other}",
                mend="leave one of the two out: each would call a review",
                severity="warning",
            )


def _shadowed(rules: list[Declared[RuleSpec]]) -> Iterator[Problem]:
    limited = [rule for rule in rules if rule.spec.condition.threshold is not None]
    by_where: dict[frozenset[tuple[str, str | Selector]], list[Declared[RuleSpec]]] = {}
    for rule in limited:
        by_where.setdefault(frozenset(rule.spec.where.items()), []).append(rule)
    for narrow in limited:
        candidates = chain.from_iterable(by_where.get(where, ()) for where in _wider(narrow.spec.where))
        wide = next((each for each in candidates if _covers(each.spec, narrow.spec)), None)
        if wide is not None:
            yield narrow.problem(
                ("condition",),
                "shadowed-rule",
                expected=f"a limit that says more than {wide.id} does",
                found=f"one that is passed only where that of {wide.id} is, which is as severe and no slower",
                mend="make it more severe, or leave it out",
                severity="warning",
            )


def _wider(where: Mapping[str, str | Selector]) -> Iterator[frozenset[tuple[str, str | Selector]]]:
    """What holds of all series which `where` holds of, the widest first; of many dimensions not every part of it."""
    for count in range(len(where) + 1) if len(where) <= _PARTED else (0, len(where)):
        yield from map(frozenset, combinations(where.items(), count))


def _covers(wide: RuleSpec, narrow: RuleSpec) -> bool:
    same_view = all(getattr(wide, name) == getattr(narrow, name) for name in _VIEW)
    as_loud = _LOUDNESS[wide.severity] >= _LOUDNESS[narrow.severity]
    return same_view and as_loud and wide.for_ <= narrow.for_ and _is_wider(wide, narrow)


def _is_wider(wide: RuleSpec, narrow: RuleSpec) -> bool:
    """Whether the limit of `wide` is passed before that of `narrow`; equal ones are no matter of limits."""
    one, other = wide.condition.threshold, narrow.condition.threshold
    if one is None or other is None:
        return False
    if one.above is not None and other.above is not None:
        return one.above < other.above
    return one.below is not None and other.below is not None and one.below > other.below
