"""No two rules say the same, and none says only what another has said already."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from engine.rules.checks.wider import is_wider, kind_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.resolved.selector import Selector
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.composite import CompositeSpec

_LOUDNESS: Final = {"info": 0, "warning": 1, "critical": 2}
_PARTED: Final = 6
_VIEW: Final = ("points", "warm_up", "lateness", "grace", "idle")
_WRITTEN: Final = ("window", "at_least")
_MERGED: Final = ("counterpart_conflict", "reconciliation", "off_track", "governance", "composite")
"""Of these a narrower `where` makes another value, and not fewer series."""
_OWN_PAST: Final = ("anomaly", "trend_break")
"""Of these `for` decides how long something lasts until it is usual."""


def check_shadowed(declarations: Declarations) -> Iterator[Problem]:
    """A warning for each rule that repeats an earlier one, or that fires only where another fires, which speaks as soon
    and as loud.
    """
    shadows = _Shadows(declarations)
    for rule in shadows.speaking:
        yield from shadows.over(rule)


class _Shadows:
    """The rules by what they look at: only those that look at the same are compared."""

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations
        sound = [rule for _, rule in sorted(declarations.rules.items()) if not rule.unsound]
        self.speaking = [rule for rule in sound if rule.spec.mode == "on"]
        self._looking: dict[Hashable, list[Declared[RuleSpec]]] = {}
        for rule in self.speaking:
            where = frozenset(rule.spec.where.items())
            self._looking.setdefault((self._view(rule), where), []).append(rule)

    def over(self, rule: Declared[RuleSpec]) -> Iterator[Problem]:
        """What to say of a rule that lies in the shadow of another; of two that say the same, the later one does."""
        for other in self._candidates(rule):
            if other is rule or not self._fires(other, rule):
                continue
            if self._is_alike(rule, other):
                if other.id < rule.id:
                    yield _repeated(rule, other)
                    return
            elif _is_heard(other.spec, rule.spec):
                yield _shadowed(rule, other)
                return

    def _candidates(self, rule: Declared[RuleSpec]) -> Iterator[Declared[RuleSpec]]:
        view = self._view(rule)
        for where in _wider(rule.spec.where):
            yield from self._looking.get((view, where), ())

    def _view(self, rule: Declared[RuleSpec]) -> Hashable:
        """What must be equal of two rules for one to be in the other's shadow."""
        spec, kind = rule.spec, kind_of(rule.spec.condition)
        written = [None if (it := getattr(spec, name)) is None else it.model_dump_json() for name in _WRITTEN]
        groups = None if spec.group_by is None else frozenset(spec.group_by)
        where = frozenset(spec.where.items()) if kind in _MERGED else None
        lasting = spec.for_ if kind in _OWN_PAST else None
        ends = spec.no_data.model_dump_json() if spec.no_data.then == "ok" else None
        members = self._composed(spec.condition.composite) if spec.condition.composite else None
        return (
            spec.kpi,
            kind,
            *(getattr(spec, name) for name in _VIEW),
            *written,
            groups,
            where,
            lasting,
            ends,
            members,
        )

    def _composed(self, composite: CompositeSpec) -> Hashable:
        """Where a composite keeps its members apart: by a scope, or by the dimensions that their KPIs share."""
        if composite.scope is not None:
            return frozenset(composite.scope)
        rules = self._declarations.rules
        return ("kpis", frozenset(rules[name].data.get("kpi") for name in composite.rules if name in rules))

    def _is_alike(self, rule: Declared[RuleSpec], other: Declared[RuleSpec]) -> bool:
        """Whether a rule says as much as one that fires wherever it does."""
        same = rule.spec.where == other.spec.where and rule.spec.severity == other.spec.severity
        return same and self._fires(rule, other)

    def _fires(self, wide: Declared[RuleSpec], narrow: Declared[RuleSpec]) -> bool:
        """Whether `wide` fires wherever `narrow` does; they have one view, and the series of `narrow` are among those
        of `wide`.
        """
        one, other = wide.spec, narrow.spec
        if one.for_ > other.for_ or one.keep_firing_for < other.keep_firing_for:
            return False
        composites = one.condition.composite, other.condition.composite
        if composites[0] is not None and composites[1] is not None and composites[0] != composites[1]:
            return self._composite(composites[0], composites[1])
        kpi = self._declarations.kpis.get(str(one.kpi))
        return is_wider(one.condition, other.condition, kpi.spec.cadence if kpi and kpi.has("cadence") else None)

    def _composite(self, wide: CompositeSpec, narrow: CompositeSpec) -> bool:
        """Of `all` and `any` alone: what else composites ask for has no order."""
        if any(each.sequence or each.at_least or each.not_ or each.absent for each in (wide, narrow)):
            return False
        of_wide = all if wide.all_ else any
        of_narrow = any if narrow.all_ else all
        if of_wide is all or of_narrow is any:
            return of_wide(of_narrow(self._member(one, other) for other in narrow.rules) for one in wide.rules)
        return all(any(self._member(one, other) for one in wide.rules) for other in narrow.rules)

    def _member(self, wide: str, narrow: str) -> bool:
        """Whether a member fires wherever another does; the same one does."""
        if wide == narrow:
            return True
        one, other = self._declarations.rules.get(wide), self._declarations.rules.get(narrow)
        if one is None or other is None or one.unsound or other.unsound or one.spec.mode == "off":
            return False
        if one.spec.condition.composite is not None or self._view(one) != self._view(other):
            return False
        return frozenset(one.spec.where.items()) <= frozenset(other.spec.where.items()) and self._fires(one, other)


def _wider(where: Mapping[str, str | Selector]) -> Iterator[frozenset[tuple[str, str | Selector]]]:
    """What holds of all series which `where` holds of, the widest first; of many dimensions not every part of it."""
    for count in range(len(where) + 1) if len(where) <= _PARTED else (0, len(where)):
        yield from map(frozenset, combinations(where.items(), count))


def _is_heard(wide: RuleSpec, narrow: RuleSpec) -> bool:
    """Whether who hears `narrow` hears `wide`: it is as severe, and nothing more keeps it quiet."""
    return (
        _LOUDNESS[wide.severity] >= _LOUDNESS[narrow.severity]
        and set(wide.inhibited_by) <= set(narrow.inhibited_by)
        and wide.maintenance in ([], narrow.maintenance)
        and narrow.review.renotify in (None, wide.review.renotify)
    )


def _repeated(rule: Declared[RuleSpec], other: Declared[RuleSpec]) -> Problem:
    return rule.problem(
        ("id",),
        "repeated-rule",
        expected="a rule that says something of its own",
        found=f"the same KPI, condition and severity as {other.id}",
        mend="leave one of the two out: each would call a review",
        severity="warning",
    )


def _shadowed(rule: Declared[RuleSpec], other: Declared[RuleSpec]) -> Problem:
    return rule.problem(
        ("condition",),
        "shadowed-rule",
        expected=f"a rule that says more than {other.id} does",
        found=f"one that fires only where {other.id} fires, which is as severe and no slower",
        mend="make it more severe, or leave it out",
        severity="warning",
    )
