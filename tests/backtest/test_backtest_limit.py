"""A storm of a rule with a `limit`: a worker's stages and a backtest say the same, on any number of partitions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from test_backtest_conditions import BEGIN, CATALOGUE, written

from engine.model.measurement import Measurement
from engine.model.time import HOUR, format_time
from engine.model.topics import TRIGGERS
from engine.offline.backtest.files import Reading
from engine.offline.backtest.run import run
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    from pathlib import Path

RULE = """kpi: visits
condition: {threshold: {above: 30}}
limit: 20
review: {reopen_within: 0s}
"""
SHOPS = 60
BAD = {shop: (3 if shop < 10 else 5, 9 if shop % 2 else 12) for shop in range(SHOPS)}
"""By shop the hours from and to which it has too many visits: ten begin before the others."""


def history() -> list[tuple[int, Measurement]]:
    found = []
    for hour in range(16):
        time = BEGIN + hour * HOUR
        for shop, (begin, end) in BAD.items():
            value = 50.0 if begin <= hour < end else 5.0
            name = f"{shop}-{hour}"
            found.append((time, Measurement("visits", format_time(time), value, {"shop": f"{shop}"}, name)))
    return found


@pytest.mark.parametrize("partitions", [1, 3])
def test_live_and_backtest_say_the_same_of_a_storm(partitions: int, tmp_path: Path):
    rules = load_read(read_text("all.yaml", CATALOGUE + RULE)).rule_set
    assert rules is not None
    told = history()
    live = replay(rules, told, every=HOUR, partitions=partitions)
    triggers = sorted(output.record.value or b"" for output in live.outputs if output.topic == TRIGGERS)
    found: list[bytes] = []
    run(rules, [written(tmp_path / "rows.ndjson", told)], Reading(), every=HOUR, triggers=found.append)
    assert sorted(found) == triggers
    events = [json.loads(each) for each in triggers]
    opened = [each["data"] for each in events if each["type"].endswith("opened.v1")]
    assert len(opened) == 10 + 1
    [storm] = [each for each in opened if each["evidence"]["type"] == "group"]
    assert (storm["evidence"]["count"], storm["evidence"]["storm"]["apart"]) == (50, 10)
    assert not any(explain(given(each)).failures for each in events)
