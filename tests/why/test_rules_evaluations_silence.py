"""Silence is evaluated at ticks; of a mapped source, at its marks."""

from __future__ import annotations

import json

import pytest
from test_stage1_marks import RULES, at

from engine.model.records import Ingested, Tick
from engine.offline.why.health import Rounds, Tally
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.records import encode_batch


def measure(second: int) -> Record:
    body = {"kpi": "k", "id": f"m{second}", "time": at(second), "value": 1, "source": "crm"}
    return Record(None, json.dumps(body).encode())


def mark(second: int) -> Record:
    return encode_control(Ingested("crm", second, at(second)))


def found(*records: Record) -> list[tuple[str, float | None, str]]:
    """(time, seconds of silence, state)."""
    stage, rounds = Stage1(0, StageContext({RULES.hash: RULES}, RULES.hash, 1, 1)), Rounds(3)
    batch = Batch("m", 0, 0, len(records) - 1, len(records), encode_batch(list(records), 0))
    for chunk in stage.chunks(batch):
        list(rounds.take(stage, chunk))
    tally = Tally(RULES, rounds)
    tally.first(stage.state)
    [rule] = tally.health(0, {}).rules
    assert [told.limit for told in rule.evaluations] == [60.0] * len(rule.evaluations)
    return [(told.time, told.statistic, told.state) for told in rule.evaluations]


TICK = encode_control(Tick("live", 7, at(500)))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((measure(0),), []),
        ((measure(0), TICK), []),
        ((measure(0), mark(1)), [(at(1), 0.0, "inactive")]),
        ((measure(0), mark(1), mark(61), TICK), [(at(61), 60.0, "firing")]),
        ((measure(0), mark(1), mark(61), mark(121)), [(at(121), 120.0, "firing")]),
        ((measure(0), mark(1), mark(61), measure(62)), [(at(61), 0.0, "inactive")]),
        ((measure(0), mark(1), encode_control(Tick("replay", 9, at(41)))), [(at(41), 40.0, "inactive")]),
    ],
)
def test_the_last_time_that_it_was_looked_at(records: tuple[Record, ...], expected: list[tuple[str, float, str]]):
    assert found(*records) == expected
