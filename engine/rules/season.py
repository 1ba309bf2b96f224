"""The season that a condition learns: how many windows it has, and in how many slots it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY, MINUTE, Micros

if TYPE_CHECKING:
    from engine.rules.resolved.timing import Window

WEEK = 7 * DAY
SHORT = 30 * MINUTE
"""Windows below it have the day for their season: a week has too many to be learned twice before anything is said."""
WEEK_SLOT = 30 * MINUTE


def season_of(window: Window, day_slot: Micros, named: str | None = None) -> tuple[int, int]:
    """(windows a season, slots that it is learned in); (1, 1) for none, or where windows do not divide it.

    `named`: day, week or none; null: the week, for short windows the day. A slot of a week is half an hour, one of a
    day `day_slot`, either a window where that is longer.
    """
    name = named or ("day" if window.step < SHORT else "week")
    if name == "none":
        return 1, 1
    if window.zone is not None:
        return (7, 7) if name == "week" else (1, 1)
    length, slot = (DAY, day_slot) if name == "day" else (WEEK, WEEK_SLOT)
    if length % window.step or length == window.step:
        return 1, 1
    windows = length // window.step
    return windows, min(windows, length // slot)
