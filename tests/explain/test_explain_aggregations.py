"""Windows of every aggregation, recomputed from the parts that stand in the evidence, and nothing changed unnoticed."""

from __future__ import annotations

import copy
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from explain_world import MONDAY, explained

from engine.model.event_parts import event_digests, evidence_parts
from engine.model.identity import digest_of
from engine.model.measurement import Measurement
from engine.model.time import HOUR, MINUTE, format_time
from engine.model.topics import TRIGGERS
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

NAMED = {"rate": None, "deviation": "squares", "p90": "buckets", "median": "buckets", "distinct": "smallest"}
"""By aggregation, the part that its value is taken from."""
RULES = """
kind: owner
id: o
name: O
---
kind: objective
id: b
title: B
owner: o
---
kind: kpi
id: k
title: K
owner: o
objective: b
definition: D
decision: E
direction: lower_is_better
role: lagging
unit: u
aggregation: {aggregation}
window: {{size: 3h, every: 1h}}
target: none
---
kind: rule
id: above
title: Above
kpi: k
condition: {{threshold: {{above: 0}}}}
warm_up: 5
review: {{due_in: 1d, question: "Why?"}}
"""


@cache
def opened(aggregation: str) -> dict[str, Any]:
    rules = load_read(read_text("rules.yaml", RULES.format(aggregation=aggregation))).rule_set
    assert rules is not None
    chance = Random(5)
    times = [MONDAY + n * 7 * MINUTE for n in range(120)]
    history = [(time, Measurement("k", format_time(time), round(chance.lognormvariate(3, 2), 2))) for time in times]
    outputs = replay(rules, history).outputs
    event: dict[str, Any] = msgspec.json.decode(
        next(output.record.value or b"" for output in outputs if output.topic == TRIGGERS)
    )
    assert event["time"] > format_time(MONDAY + 5 * HOUR)  # a window of three cells
    return event


@pytest.mark.parametrize("aggregation", NAMED)
def test_the_value_is_that_of_the_parts(aggregation: str):
    assert explained(opened(aggregation)).failures == ()


@pytest.mark.parametrize(("aggregation", "part"), [pair for pair in NAMED.items() if pair[1]])
def test_a_part_that_was_changed_is_seen(aggregation: str, part: str):
    event = copy.deepcopy(opened(aggregation))
    evidence = event["data"]["evidence"]
    parts = evidence["point"]["parts"]
    parts[part] = {
        "squares": lambda known: known * 1.5,
        "buckets": lambda known: [known[0] + 1, *known[1:]],
        "smallest": lambda known: known[1:],
    }[part](parts[part])
    evidence["digests"] = {key: digest_of(part) for key, part in evidence_parts(evidence).items()}
    event["data"]["digests"] = event_digests(event)
    assert explained(event).evidence == "not consistent"
