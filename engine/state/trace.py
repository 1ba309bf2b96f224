"""Being told of every evaluation, for whoever asks how rules fare: what is said, and the state, stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engine.rules.compiler import traced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.state.partition import PartitionState


class Trace(Protocol):
    """Who is told. Rows are those of `kernels.layout.RESULT` with the code EVALUATED, good for the time of the call."""

    def judged(self, rows: NDArray[np.void]) -> None:
        """Points were judged, in this order; those of one series in the order of event time."""

    def judged_again(self, slot: int, rows: NDArray[np.void], *, more: bool) -> None:
        """All points of a slot that can still change were judged again: these are in place of what was told of them.
        With `more` there is one measurement more than before, else one has another value.
        """


def trace(state: PartitionState, told: Trace) -> None:
    """Tell `told` of every evaluation from here on, until another rule set takes effect: that makes another state."""
    state.trace = told
    state.plan = traced(state.plan)
    state.arrays.follow(state.plan)
