"""What rolls up can be added: one unit, one aggregation, one direction, and targets that come to the parent's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import KpiSpec

ALIKE: Final = ("unit", "aggregation", "direction")
ADDED: Final = ("sum", "count")
"""Aggregations of which the parent's target is the sum of its children's."""


def check_roll_up_fit(declarations: Declarations) -> Iterator[Problem]:
    """A warning for each field in which a child is unlike its parent, and for each parent that its children's targets
    cannot reach.
    """
    children: dict[str, list[Declared[KpiSpec]]] = {}
    for _, kpi in sorted(declarations.kpis.items()):
        above = kpi.spec.rolls_up_to if kpi.has("rolls_up_to") else None
        if above in declarations.kpis:
            children.setdefault(above, []).append(kpi)
            yield from _unlike(kpi, declarations.kpis[above])
    for id_, below in children.items():
        yield from _out_of_reach(declarations.kpis[id_], below)


def _unlike(child: Declared[KpiSpec], parent: Declared[KpiSpec]) -> Iterator[Problem]:
    for name in ALIKE:
        if not child.has(name) or not parent.has(name):
            continue
        own, above = getattr(child.spec, name), getattr(parent.spec, name)
        if own != above:
            yield child.problem(
                (name,),
                "roll-up-mismatch",
                expected=f"`{name}: {above}`, as {parent.id} has to which it rolls up",
                found=str(own),
                mend="make both alike, or leave `rolls_up_to` out",
                severity="warning",
            )


def _out_of_reach(parent: Declared[KpiSpec], children: list[Declared[KpiSpec]]) -> Iterator[Problem]:
    """Only where every child has a target, and all are of one kind with the parent's."""
    family = [parent, *children]
    if not all(each.has("target", *ALIKE) and each.spec.target is not None for each in family):
        return
    if parent.spec.aggregation not in ADDED or any(_kind(each) != _kind(parent) for each in children):
        return
    wanted = _target(parent)
    total = sum(_target(each) for each in children)
    short = total < wanted if parent.spec.direction == "higher_is_better" else total > wanted
    if parent.spec.direction != "in_band" and short:
        yield parent.problem(
            ("target", "value"),
            "roll-up-targets",
            expected=f"a target that those of {', '.join(each.id for each in children)} come to",
            found=f"{wanted:g}, while theirs come to {total:g}",
            mend="all of them could reach theirs and this one not: change one of the targets",
            severity="warning",
        )


def _kind(kpi: Declared[KpiSpec]) -> tuple[str, ...]:
    return tuple(getattr(kpi.spec, name) for name in ALIKE)


def _target(kpi: Declared[KpiSpec]) -> float:
    return 0.0 if kpi.spec.target is None else kpi.spec.target.value
