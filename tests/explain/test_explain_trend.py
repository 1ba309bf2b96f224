"""Breaks of series of every make, recomputed from their evidence: no false alarm."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from explain_world import MONDAY, explained

from engine.model.measurement import Measurement
from engine.model.time import DAY, HOUR, format_time
from engine.model.topics import TRIGGERS
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros

RULES = Path(__file__).parent / "trend_rules.yaml"
STEPS = {"daily": (DAY, 200), "hourly": (HOUR, 800)}


def series(rng: Random, kpi: str, name: str) -> Iterator[tuple[Micros, Measurement]]:
    """Flat, shifted for a while or for good, or bent; noisy, remembering, seasonal, in whole numbers, with gaps."""
    step, count = STEPS[kpi]
    level, scale = rng.choice((0.0, 20.0, 1e6, -50.0)), rng.choice((0.0, 0.01, 1.0, 5.0))
    size, onset = scale or 1.0, rng.randrange(count)
    shift, slope = rng.choice((0.0, 3.0, -4.0, 8.0)) * size, rng.choice((0.0, 0.0, 0.05, -0.1)) * size
    end = rng.choice((count, onset + rng.randrange(5, 80)))
    memory, season, gaps = rng.choice((0.0, 0.6)), rng.choice((0.0, 3.0)) * scale, rng.choice((0.0, 0.0, 0.3))
    whole, noise = rng.random() < 0.2, 0.0
    for index in range(count):
        noise = memory * noise + rng.gauss(0, 1)
        value = level + scale * noise + (shift if onset <= index < end else 0.0) + slope * max(0, index - onset)
        value += season * (index % 7 in (5, 6)) + (20 * size if rng.random() < 0.01 else 0.0)
        time = MONDAY + index * step + step // 3
        if rng.random() >= gaps:
            told = Measurement(kpi, format_time(time), float(round(value)) if whole else value, {"of": name})
            yield time, told


@pytest.mark.parametrize("seed", range(8))
def test_whatever_breaks_is_recomputed_to_the_last_bit(seed: int):
    rng = Random(seed)
    history = [each for kpi in STEPS for name in "ab" for each in series(rng, kpi, name)]
    history.sort(key=lambda pair: (pair[0], pair[1].kpi, str(pair[1].dimensions)))
    outputs = replay(load_or_raise([RULES]), history).outputs
    said = [output.record.value or b"" for output in outputs if output.topic == TRIGGERS]
    assert len(said) > 3
    for value in said:
        assert explained(value).failures == (), value
