"""Which of two conditions holds wherever the other does: the order of each kind by how little it asks for.

Of some there is none but equality. `anomaly`, `trend_break` and the limit of a CUSUM go on from what they have said
themselves: a more sensitive one has another past, and may be calm where the other is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.rules.bind_condition import NOISE_DEFAULT
from engine.rules.bind_control import LEARN
from engine.rules.run_rules import rules_named, tests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.model.time import Micros
    from engine.rules.spec.conditions import (
        ChangeSpec,
        ConditionSpec,
        ConflictSpec,
        JudgeSpec,
        MissingDataSpec,
        ThresholdSpec,
    )
    from engine.rules.spec.control import ControlChartSpec, EwmaSpec
    from engine.rules.spec.governance import GovernanceSpec
    from engine.rules.spec.off_track import OffTrackSpec
    from engine.rules.spec.reconciliation import ReconciliationSpec


def kind_of(condition: ConditionSpec) -> str:
    """The name of the one condition that is written."""
    [name] = condition.model_fields_set
    return name


def is_wider(wide: ConditionSpec, narrow: ConditionSpec, cadence: Micros | None) -> bool:
    """Whether `wide` holds wherever `narrow` does, of the same points of a KPI of this cadence. Not of composites, but
    for equal ones.
    """
    kind = kind_of(wide)
    if kind != kind_of(narrow):
        return False
    one, other = getattr(wide, kind), getattr(narrow, kind)
    if kind == "missing_data":
        return _is_sooner_missed(one, other, cadence)
    return bool(one == other or (kind in _ORDERS and _ORDERS[kind](one, other)))


class _Values(NamedTuple):
    """Values below `below`, above `above`, or between two (which are among them); null: none of that kind."""

    below: float | None = None
    above: float | None = None
    between: tuple[float, float] | None = None

    def holds(self, other: _Values) -> bool:
        """Whether all of `other` are among these."""
        if other.below is not None and (self.below is None or self.below < other.below):
            return False
        if other.above is not None and (self.above is None or self.above > other.above):
            return False
        return other.between is None or self._holds_all(*other.between)

    def _holds_all(self, low: float, high: float) -> bool:
        within = self.between is not None and self.between[0] <= low and high <= self.between[1]
        beside = (self.below is not None and high < self.below) or (self.above is not None and low > self.above)
        return within or beside


def _threshold(wide: ThresholdSpec, narrow: ThresholdSpec) -> bool:
    return _firing(wide).holds(_firing(narrow)) and _kept(wide).holds(_kept(narrow))


def _firing(spec: ThresholdSpec) -> _Values:
    """What makes it fire."""
    if spec.outside is not None:
        return _Values(below=spec.outside.low, above=spec.outside.high)
    return _Values(spec.below, spec.above, spec.inside)


def _kept(spec: ThresholdSpec) -> _Values:
    """What keeps it firing."""
    if spec.recover_at is None:
        return _firing(spec)
    return _Values(below=spec.recover_at) if spec.below is not None else _Values(above=spec.recover_at)


def _change(wide: ChangeSpec, narrow: ChangeSpec) -> bool:
    relative = {amount.relative for spec in (wide, narrow) for amount in (spec.up, spec.down) if amount is not None}
    sides = ((wide.up, narrow.up), (wide.down, narrow.down))
    asked = [other is None or (one is not None and one.value <= other.value) for one, other in sides]
    return wide.against == narrow.against and len(relative) == 1 and all(asked)


def _chart(wide: ControlChartSpec, narrow: ControlChartSpec) -> bool:
    learned = [(it.centre, it.sigma, it.sigma_from or "moving_range", it.learn or LEARN) for it in (wide, narrow)]
    if learned[0] != learned[1] or wide.direction not in (None, narrow.direction):
        return False
    if wide.rules is not None and narrow.rules is not None:
        one, other = _tests(wide), _tests(narrow)
        return other & ~one == 0
    if wide.ewma is not None and narrow.ewma is not None:
        return _average(wide.ewma, narrow.ewma)
    return wide.cusum is not None and wide.cusum == narrow.cusum


def _tests(spec: ControlChartSpec) -> int:
    return tests_of(rules_named(spec.rules or (), sided=spec.direction is not None))


def _average(wide: EwmaSpec, narrow: EwmaSpec) -> bool:
    return wide.lambda_ == narrow.lambda_ and wide.limits == narrow.limits and wide.limit <= narrow.limit


def _is_sooner_missed(wide: MissingDataSpec, narrow: MissingDataSpec, cadence: Micros | None) -> bool:
    one, other = wide.after or cadence, narrow.after or cadence
    return one is not None and other is not None and one <= other


def _conflict(wide: ConflictSpec, narrow: ConflictSpec) -> bool:
    counterparts = [None if it.counterparts is None else set(it.counterparts) for it in (wide, narrow)]
    judges = ((wide.improves, narrow.improves), (wide.worsens, narrow.worsens))
    return (
        wide.over == narrow.over
        and counterparts[0] == counterparts[1]
        # Who holds a level goes on from what it has said itself.
        and not any(_holds_level(judge) for pair in judges for judge in pair)
        and all(_is_sooner_moved(one, other) for one, other in judges)
    )


def _holds_level(judge: JudgeSpec) -> bool:
    if judge.against is None:
        return False
    return judge.against.same == "windows" if judge.hold is None else judge.hold


def _is_sooner_moved(wide: JudgeSpec, narrow: JudgeSpec) -> bool:
    if wide == narrow:
        return True
    if wide.against is None or narrow.against is None:
        sides = _Values(wide.below, wide.above), _Values(narrow.below, narrow.above)
        return wide.against is None and narrow.against is None and sides[0].holds(sides[1])
    least = [NOISE_DEFAULT if it.noise is None else it.noise for it in (wide, narrow)]
    moved = wide.by == narrow.by if wide.by is None or narrow.by is None else wide.by <= narrow.by
    return wide.against == narrow.against and moved and least[0] <= least[1]


def _reconciliation(wide: ReconciliationSpec, narrow: ReconciliationSpec) -> bool:
    same = [(it.against, it.children, it.over, it.tolerance.relative) for it in (wide, narrow)]
    return same[0] == same[1] and wide.tolerance.value <= narrow.tolerance.value


def _off_track(wide: OffTrackSpec, narrow: OffTrackSpec) -> bool:
    looser = wide.confidence <= narrow.confidence and wide.learn <= narrow.learn
    return set(wide.scope) == set(narrow.scope) and looser


_SENSITIVITY: Final = ("low", "normal", "high")
_LESS: Final = {
    "set_and_forget": ("after",),
    "always_green": ("margin",),
    "green_over_falling": ("green", "at_least"),
    "restated_in_favour": ("in_favour", "changed", "at_least"),
}
"""Fields of governance conditions of which less is asked for less."""
_MORE: Final = {"vanity": ("below",)}


def _governance(wide: GovernanceSpec, narrow: GovernanceSpec) -> bool:
    name = wide.name
    if name != narrow.name:
        return False
    one, other = getattr(wide, name), getattr(narrow, name)
    less, more = _LESS.get(name, ()), _MORE.get(name, ())
    same = set(type(one).model_fields) - {*less, *more, "sensitivity"}
    return (
        all(getattr(one, field) == getattr(other, field) for field in same)
        and all(getattr(one, field) <= getattr(other, field) for field in less)
        and all(getattr(one, field) >= getattr(other, field) for field in more)
        and _sensitivity(one) >= _sensitivity(other)
    )


def _sensitivity(spec: object) -> int:
    return _SENSITIVITY.index(getattr(spec, "sensitivity", "normal"))


_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "threshold": _threshold,
    "change": _change,
    "control_chart": _chart,
    "counterpart_conflict": _conflict,
    "reconciliation": _reconciliation,
    "off_track": _off_track,
    "governance": _governance,
}
