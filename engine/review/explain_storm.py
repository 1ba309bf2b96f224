"""The plain sentence of a storm: how many series, since when, and whether it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.trigger import StormOf


def storm_words(count: int, storm: StormOf, when: str) -> str:
    """`a storm of 5,000 series as of ...`; `count` are those that are part of it."""
    if not count:
        return f"the storm of {storm.since} is over as of {when}"
    if not storm.rages:
        fires = "1 of its series fires" if count == 1 else f"{count:,} of its series fire"
        return f"the storm of {storm.since} is over, {fires} on as of {when}"
    beside = f" beside {storm.apart:,} with reviews of their own" if storm.apart else ""
    began = f"it began at {storm.since} with more than {storm.limit:,} at once"
    return f"a storm of {count:,} series{beside} as of {when}; {began}"
