"""A series through the compiled trend_break of the engine, without the rest of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np

from engine.kernels import layout
from engine.kernels.trend_break import trend_break
from engine.kernels.trend_layout import ONSET
from engine.model.time import SECOND
from engine.offline.detect.trend import DEFAULT
from engine.rules.lay_trend import lay_trend
from engine.rules.resolved.timing import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.rules.resolved.condition import TrendBreak


class Alarms(NamedTuple):
    """Where alarms were raised, and where each located its onset: both as places in the series."""

    raised: list[int]
    onsets: list[int]


@numba.njit(nogil=True, error_model="numpy")  # not cached: numba does not see when what it calls has changed
def _walk(
    history: NDArray[np.float64], rule: Any, values: NDArray[np.float64],
    work: NDArray[np.float64], onsets: NDArray[np.int64],
) -> None:  # fmt: skip
    broken = False
    for place in range(len(values)):
        if np.isnan(values[place]):
            continue
        _, breach, _, _, _, _ = trend_break(history, 0, rule, place, values[place], work)
        if breach and not broken:
            onsets[place] = int(history[ONSET])
        broken = breach


def alarms_of(values: NDArray[np.float64], seconds: float, condition: TrendBreak = DEFAULT) -> Alarms:
    """The alarms of a series of windows of so many seconds; NaN is an empty window."""
    step = round(seconds * SECOND)
    row = np.zeros(1, layout.RULE)
    lay_trend(row[0], condition, Window(step, step), 0)
    onsets = np.full(len(values), -1)
    history, work = np.full(int(row[0]["width"]), np.nan), np.zeros(int(row[0]["scratch"]) + 1)
    _walk(history, row[0], values, work, onsets)
    raised = np.flatnonzero(onsets >= 0)
    return Alarms(raised.tolist(), onsets[raised].tolist())
