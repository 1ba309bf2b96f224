"""KPIs roll up to others without ever coming back to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations
    from engine.rules.problems import Problem


def check_roll_up(declarations: Declarations) -> Iterator[Problem]:
    """Each cycle of `rolls_up_to` once, at the first of its KPIs by id."""
    above = {
        id_: declared.spec.rolls_up_to
        for id_, declared in declarations.kpis.items()
        if declared.has("rolls_up_to") and declared.spec.rolls_up_to
    }
    for start in sorted(above):
        cycle = _cycle_from(start, above)
        if cycle and start == min(cycle):
            yield declarations.kpis[start].problem(
                ("rolls_up_to",),
                "roll-up-cycle",
                expected="KPIs that roll up to a top",
                found="a circle: " + " -> ".join([*cycle, start]),
                mend="take `rolls_up_to` out of one of them",
            )


def _cycle_from(start: str, above: dict[str, str]) -> list[str]:
    """The KPIs from `start` back to it; empty where the way up does not return."""
    seen = [start]
    following = above.get(start)
    while following is not None and following not in seen:
        seen.append(following)
        following = above.get(following)
    return seen if following == start else []
