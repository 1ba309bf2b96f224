"""Control charts of series of every make, recomputed from their evidence: no false alarm."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from explain_world import explained
from test_explain_trend import STEPS, series

from engine.model.topics import TRIGGERS
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise

RULES = Path(__file__).parent / "control_rules.yaml"


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_out_of_control_is_recomputed_to_the_last_bit(seed: int):
    rng = Random(seed)
    history = [each for kpi in STEPS for each in series(rng, kpi, "a")]
    history.sort(key=lambda pair: (pair[0], pair[1].kpi, str(pair[1].dimensions)))
    outputs = replay(load_or_raise([RULES]), history).outputs
    said = [output.record.value or b"" for output in outputs if output.topic == TRIGGERS]
    assert len(said) > 20
    for value in said:
        assert explained(value).failures == (), value
