"""Two halves of floats for one instance, so that a stretch can be judged again from where it began.

A row of `instances` and its twin in `base` each say in `pushed` which half holds their state; a row that is copied
onto the other shares its half. Who moves on first takes the other half along: the state that both knew stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels._jit import jit, jit_apart

if TYPE_CHECKING:
    from engine.kernels.layout import Tables


@jit_apart
def own_half(tables: Tables, instances: Any, number: int, rule: Any) -> int:
    """Where the state of row `number` of `instances` stands, for it alone to change."""
    floats = rule.width // 2
    start = instances[number].history
    mine = start + floats if instances[number].pushed == 1 else start
    if (tables.instances[number].pushed == 1) != (tables.base[number].pushed == 1):
        return mine
    other = start if instances[number].pushed == 1 else start + floats
    for place in range(floats):
        tables.history[other + place] = tables.history[mine + place]
    instances[number].pushed = 0 if instances[number].pushed == 1 else 1
    return other


@jit
def half_of(instance: Any, rule: Any) -> int:
    """Where the state of an instance stands, to read."""
    return instance.history + rule.width // 2 if instance.pushed == 1 else instance.history
