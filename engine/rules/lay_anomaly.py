"""An anomaly rule as a row of parameters: its season, and how many floats an instance keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels.anomaly_layout import EVIDENCE_FLOATS, RECENT, SCRATCH_FLOATS, floats_of
from engine.kernels.layout import ANOMALY
from engine.model.time import DAY, HOUR, MINUTE
from engine.rules.season import season_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.model.time import Micros
    from engine.rules.resolved.condition import Anomaly
    from engine.rules.resolved.timing import Window

SLOT = 30 * MINUTE
"""Of the season of a day."""
CALM = 6 * HOUR


def lay_anomaly(row: NDArray[np.void], condition: Anomaly, window: Window, waits: Micros) -> None:
    """Fill the row of a rule on such windows that waits so long with its incident on before it fires."""
    step = window.step
    row["kind"] = ANOMALY
    row["level_limit"] = condition.limit
    row["direction"] = {"up": 1, "down": -1, None: 0}[condition.direction]
    row["up"], row["relative"] = condition.at_least, condition.relative
    row["learn"] = 0 if condition.learn is None else condition.learn
    row["declared"] = condition.season is not None
    row["season"], row["slots"] = season_of(window, SLOT, condition.season)
    row["lasting"] = max(RECENT, DAY // step, waits // step + 1)
    row["calm"] = max(1, CALM // step)
    row["count"], row["scratch"] = EVIDENCE_FLOATS, SCRATCH_FLOATS
    row["width"] = floats_of(int(row["slots"]))
