"""Goalposts that were moved: what an activation changed of a KPI on which something was firing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.correlate.governance.target_age import aim_of
from engine.evaluate.activate import WITHDRAWN_BY_RULE_SET
from engine.model.governance import FiringThen, MovedField, MovedGoalposts
from engine.model.time import parse_own_time
from engine.rules.resolved.catalogue import formula_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.correlate.governance.watch import Watch
    from engine.model.records import Signal
    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Kpi

GOALPOSTS: Final = ("aggregation", "definition", "direction", "unit", "window")
"""What a KPI is; what it aims at is looked at apart: that somebody has reviewed a target moves nothing."""


def moved_between(before: Kpi, after: Kpi) -> tuple[MovedField, ...]:
    """The fields that an activation changed."""
    pairs: list[tuple[str, Any, Any]] = [(name, getattr(before, name), getattr(after, name)) for name in GOALPOSTS]
    pairs.append(("formula", formula_in(before), formula_in(after)))
    pairs.append(("target", aim_of(before.target), aim_of(after.target)))
    return tuple(
        MovedField(name, msgspec.to_builtins(one), msgspec.to_builtins(other))
        for name, one, other in pairs
        if one != other
    )


def hear(watch: Watch, signals: Iterable[Signal], now: Micros) -> None:
    """Keep what is firing on the KPI. What a rule set takes away at a barrier was firing when that set came."""
    watch.taken, watch.taken_at = {}, None
    heard: dict[str, list[Signal]] = {}
    for signal in signals:
        heard.setdefault(f"{signal.rule}|{signal.series}", []).append(signal)
    for key, of_member in heard.items():
        stands = [each for each in of_member if each.revision < WITHDRAWN_BY_RULE_SET]
        firing = _firing_after(watch.firing.pop(key, None), stands)
        if firing is None:
            continue
        if len(stands) == len(of_member):
            watch.firing[key] = firing
        else:
            watch.taken[key] = firing
            watch.taken_at = now


def _firing_after(known: FiringThen | None, signals: Sequence[Signal]) -> FiringThen | None:
    """What fires of a rule on a series after one barrier's signals of it, None where nothing does: as many alerts began
    as ended, or one more. What comes late speaks of earlier alerts than the one that is on.
    """
    if (known is not None) + sum(_begun_by(each) for each in signals) <= 0:
        return None
    gone = {each.replaces for each in signals}
    there = [firing_then(each) for each in reversed(signals) if each.state == "firing"]
    there += [] if known is None else [known]
    left = [each for each in there if each.finding not in gone]
    return max(left, key=lambda each: parse_own_time(each.event_time), default=known)


def _begun_by(signal: Signal) -> int:
    """How many alerts more have begun than ended: nothing is more where a finding only has another content now."""
    begins = signal.transition == "firing"
    if begins != (signal.state == "firing"):
        return -1 if begins else 1
    if signal.replaces is not msgspec.UNSET:
        return 0
    return 1 if begins else -1


def firing_then(signal: Signal) -> FiringThen:
    """What a signal says of an alert, for the evidence."""
    return FiringThen(
        rule=signal.rule,
        series=signal.series,
        finding=signal.finding,
        event_time=signal.event_time,
        transition=signal.transition,
        revision=signal.revision,
    )


def firing_at(watch: Watch, now: Micros) -> dict[str, FiringThen]:
    """What was firing when the activation of the barrier `now` came."""
    return {**watch.firing, **(watch.taken if watch.taken_at == now else {})}


def moved_in_all(earlier: tuple[MovedField, ...], changed: tuple[MovedField, ...]) -> tuple[MovedField, ...]:
    """Two moves as one: what is where it was before the first of them has not moved."""
    first = {field.name: field for field in earlier}
    for field in changed:
        known = first.get(field.name)
        first[field.name] = field if known is None else MovedField(field.name, known.before, field.after)
    return tuple(first[name] for name in sorted(first) if first[name].before != first[name].after)


def goalposts(changed: tuple[MovedField, ...], firing: dict[str, FiringThen], most: int) -> MovedGoalposts:
    """What to say of it; at most `most` of what was firing are listed."""
    listed = tuple(firing[key] for key in sorted(firing)[:most])
    return MovedGoalposts(changed, listed, len(firing))
