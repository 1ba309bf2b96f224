"""What the ingest benchmark sends: measurements of many series in log order, made from a seed.

Every series says something every ten seconds of event time. Neighbours in time come a little out of order, but
never across a minute, so that nothing is late; a few measurements come twice. In each stretch of 32 minutes some
series climb, some sink, and some fall silent: that is what the rules find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.model.time import MILLISECOND, MINUTE, Micros

if TYPE_CHECKING:
    from numpy.typing import NDArray

START: Micros = 1_767_571_200_000_000
"""2026-01-05T00:00:00Z, the beginning of a minute."""

A_MINUTE = 6
"""Measurements of a series in each minute."""

_EVERY_MS, _MINUTE_MS = 10_000, 60_000
_DELAY_MS, _REPEAT_AFTER_MS = 3_000, 5_000
_STRETCH = 32
"""Minutes: a series has at most one incident in each stretch of so many."""

_PROFILES = (
    (1.0,),
    (1.2, 1.35, 1.6, 1.75, 1.75, 1.4, 1.25, 1.1),
    (0.8, 0.6, 0.5, 0.5, 0.6, 0.75),
    (np.nan,) * 6,
)
"""What the level is multiplied by, minute after minute: nothing happens, it climbs, it sinks, it is silent."""

_CHANCES = (0.96, 0.02, 0.01, 0.01)


class Load(NamedTuple):
    """Columns in log order. `number` names the measurement; one that comes again bears the same and is a `repeat`.

    `minute` counts from START. There are `minutes` of them, and `hosts` series.
    """

    series: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    number: NDArray[np.int64]
    repeat: NDArray[np.bool_]
    minute: NDArray[np.int32]
    hosts: int
    minutes: int

    @property
    def total(self) -> int:
        """Measurements, repeats included."""
        return len(self.time)


def make_load(messages: int, hosts: int, *, repeats: float = 0.001, seed: int = 7) -> Load:
    """About `messages` measurements (whole rounds over all series, without the silent) and their repeats."""
    chance = np.random.default_rng(seed)
    rounds = max(1, round(messages / hosts))
    series, turn = np.tile(np.arange(hosts, dtype=np.int32), rounds), np.repeat(np.arange(rounds), hosts)
    minute = turn // A_MINUTE
    value = _values(chance, series, minute, hosts)
    spoken = ~np.isnan(value)
    series, turn, minute, value = series[spoken], turn[spoken], minute[spoken], value[spoken]
    told_ms = turn * _EVERY_MS + chance.integers(1, _EVERY_MS, len(turn))
    arrived_ms = told_ms + chance.integers(0, _DELAY_MS, len(turn))
    again = np.flatnonzero(chance.random(len(turn)) < repeats)
    source = np.concatenate([np.arange(len(turn)), again])
    arrived_ms = np.concatenate([arrived_ms, arrived_ms[again] + _REPEAT_AFTER_MS])
    order = np.lexsort((arrived_ms, minute[source]))
    taken = source[order]
    return Load(
        series=series[taken],
        time=START + told_ms[taken] * MILLISECOND,
        value=value[taken],
        number=taken,
        repeat=order >= len(turn),
        minute=minute[taken].astype(np.int32),
        hosts=hosts,
        minutes=(rounds - 1) // A_MINUTE + 1,
    )


def ticks(load: Load) -> range:
    """The numbers of the replay ticks, one a minute: START / MINUTE + m stands before the measurements of minute m.

    The last but one ends the load; the last lets the windows close that nothing later has closed.
    """
    first = START // MINUTE
    return range(first, first + load.minutes + 2)


def _values(
    chance: np.random.Generator, series: NDArray[np.int32], minute: NDArray[np.int64], hosts: int
) -> NDArray[np.float64]:
    """Level, incident and noise, to three decimals; NaN where the series is silent."""
    stretches = int(minute.max()) // _STRETCH + 1
    factors = np.ones((len(_PROFILES), _STRETCH + 1))
    for kind, profile in enumerate(_PROFILES):
        factors[kind, : len(profile)] = profile
    kind = chance.choice(len(_PROFILES), (stretches, hosts), p=_CHANCES)
    begin = chance.integers(0, _STRETCH - max(map(len, _PROFILES)), (stretches, hosts))
    level = chance.uniform(1.8, 2.2, hosts)
    stretch = minute // _STRETCH
    since = minute % _STRETCH - begin[stretch, series]
    factor = factors[kind[stretch, series], np.where(since < 0, _STRETCH, since)]
    return np.round(level[series] * factor + chance.normal(0.0, 0.2, len(series)), 3)
