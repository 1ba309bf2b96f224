"""A silent source of many series, over both stages in this process."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from engine.model.measurement import Measurement
from engine.model.time import DAY, HOUR, MINUTE, format_time
from engine.model.topics import TRIGGERS
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet

pytestmark = pytest.mark.slow

SERIES = 10_000
START = 1_700_000_000_000_000 // DAY * DAY
QUIET, BACK, END = START + 3 * HOUR, START + 9 * HOUR, START + 14 * HOUR

RULES = """
kind: owner
id: o
name: Owner
---
kind: objective
id: ob
title: Objective
owner: o
---
kind: kpi
id: load
title: Load
owner: o
objective: ob
definition: Requests a second
decision: none
direction: lower_is_better
role: lagging
unit: requests
aggregation: mean
window: {every: 1h}
cadence: 1h
lateness: 10m
sources: [meter]
dimensions: [host]
target: none
series: [%s]
---
kind: rule
id: load-missing
title: No load is reported
kpi: load
condition: {missing_data: {after: 2h}}
severity: warning
owner: o
review: {due_in: 1h, question: "Is the meter broken?"}
"""


def measured(silent: int) -> Iterator[tuple[Micros, Measurement]]:
    """Every series once an hour; the first `silent` of them say nothing for six hours."""
    for time in range(START, END, HOUR):
        at = format_time(time)
        for number in range(SERIES):
            if number >= silent or not QUIET <= time < BACK:
                yield time, Measurement("load", at, 1.0, {"host": f"h{number}"}, source="meter")


@pytest.fixture(scope="module")
def rule_set(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    rules = tmp_path_factory.mktemp("storm") / "rules.yaml"
    rules.write_text(RULES % ", ".join(f"{{host: h{number}}}" for number in range(SERIES)))
    return load_or_raise([rules])


def test_ten_thousand_silent_series_of_one_source_are_one_review(rule_set: RuleSet):
    said = {}
    for partitions in (1, 4):
        replayed = replay(rule_set, measured(SERIES - 1), every=30 * MINUTE, partitions=partitions)
        findings = [json.loads(output.record.value or b"") for output in replayed.findings]
        transitions = Counter(finding["transition"] for finding in findings if finding["type"] == "finding")
        assert transitions == {"firing": SERIES - 1, "resolved": SERIES - 1}
        said[partitions] = [output.record.value for output in replayed.outputs if output.topic == TRIGGERS]
    triggers = [json.loads(value or b"") for value in said[1]]
    assert len({trigger["data"]["review"] for trigger in triggers}) == 1
    assert [trigger["type"].split(".")[2] for trigger in triggers] == [
        "opened",
        "overdue",
        "resolved",
    ]  # due in an hour, silent for six
    assert str(SERIES - 1) in triggers[0]["data"]["explanation"].replace(",", "")
    assert said[4] == said[1]
