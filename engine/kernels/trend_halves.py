"""Two halves of floats for one instance, so that a stretch can be judged again from where it began.

A row of `instances` and its twin in `base` each say in `pushed` which half holds their state; a row that is copied
onto the other shares its half. Who moves on first takes the other half along: the state that both knew stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels._jit import jit, jit_apart, stay_apart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.kernels.layout import Tables


@jit
def own_half(tables: Tables, instances: Any, number: int, rule: Any) -> int:
    """Where the state of row `number` of `instances` stands, for it alone to change."""
    if (tables.instances[number].pushed == 1) == (tables.base[number].pushed == 1):
        _part(tables.history, instances[number], rule)
    return half_of(instances[number], rule)


@jit_apart
def _part(history: NDArray[np.float64], instance: Any, rule: Any) -> None:
    """Copy the half that is shared, and go on with the copy."""
    stay_apart()
    floats = rule.width // 2
    mine = half_of(instance, rule)
    other = instance.history if instance.pushed == 1 else instance.history + floats
    for place in range(floats):
        history[other + place] = history[mine + place]
    instance.pushed = 0 if instance.pushed == 1 else 1


@jit
def half_of(instance: Any, rule: Any) -> int:
    """Where the state of an instance stands, to read."""
    return instance.history + rule.width // 2 if instance.pushed == 1 else instance.history
