"""Rules over aligned windows that ask for several of the last ones: every trigger is recomputed, and what is changed in
the list of these windows is named.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from explain_world import MONDAY, explained

from engine.model.measurement import Measurement
from engine.model.time import HOUR, format_time
from engine.model.topics import TRIGGERS
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

OWNED = "kind: owner\nid: web\nname: Web\n---\nkind: objective\nid: growth\ntitle: Growth\nowner: web\n"
KPI = """---
kind: kpi
id: {name}
title: {name}
owner: web
objective: growth
definition: {name}
decision: none
direction: {direction}
role: leading
unit: events
aggregation: sum
window: {{every: 1h}}
grace: 4h
dimensions: [shop]
target: {{value: 6, by: 2024-03-30}}
counterparts: {counterparts}
"""
KPIS = (
    ("visits", "higher_is_better", "[{kpi: tickets, minimum_effect: 10%}]"),
    ("tickets", "lower_is_better", "[]"),
    ("booked", "higher_is_better", "[]"),
)
CONDITIONS = {
    "conflict": "kpi: visits\ncondition: {counterpart_conflict: {improves: {above: 6}, worsens: {above: 6}}}",
    "held": "kpi: visits\ncondition: {counterpart_conflict: {worsens: {above: 6}, "
    "improves: {by: 20%, against: {median_of: 2, same: windows}}}}",
    "books": "kpi: visits\ncondition: {reconciliation: {against: booked, tolerance: 25%}}",
    "course": "kpi: visits\ncondition: {off_track: {learn: 16, confidence: 60%, scope: [shop]}}",
}
WAITS = ("", "for: 2h", "keep_firing_for: 2h", "for: 1h\nkeep_firing_for: 1h\nwarm_up: 5")


@cache
def said(name: str, waits: str, seed: int) -> tuple[bytes, ...]:
    text = OWNED + "".join(KPI.format(name=kpi, direction=way, counterparts=other) for kpi, way, other in KPIS)
    text += f"---\nkind: rule\nid: told\ntitle: Told\n{CONDITIONS[name]}\nat_least: {{m: 2, of: 4}}\n{waits}\n"
    loaded = load_read(read_text("all.yaml", text + "review: {reopen_within: 0s, close: on_recovery}\n"))
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    draw, history = Random(seed), []
    for hour in range(90):
        for kpi, _, _ in KPIS:
            if draw.random() < 0.95:
                at, late = MONDAY + hour * HOUR, draw.choice([0, 0, 0, 2]) * HOUR
                value = float(draw.choice([2, 5, 7, 12]))
                told = Measurement(kpi, format_time(at), value, {"shop": "a"}, f"{kpi}-{hour}")
                history.append((at + late, told))
    history.sort(key=lambda pair: pair[0])
    outputs = replay(loaded.rule_set, history, every=HOUR).outputs
    return tuple(output.record.value or b"" for output in outputs if output.topic == TRIGGERS)


@pytest.mark.parametrize("waits", WAITS)
@pytest.mark.parametrize("name", CONDITIONS)
def test_whatever_they_say_is_recomputed(name: str, waits: str):
    told = [value for seed in range(2) for value in said(name, waits, seed)]
    assert told
    for value in told:
        assert explained(value).failures == (), value


def changed(value: bytes, change: Any) -> set[str]:
    """The leaves that are named once something is another in the event."""
    event = msgspec.json.decode(value)
    change(event["data"]["evidence"]["recent"])
    return {check.path for check in explained(msgspec.json.encode(event)).failures}


def test_what_is_changed_in_the_last_windows_is_named():
    opened = next(each for each in said("books", "", 0) if b'"turn":"began"' in each)
    assert not changed(opened, lambda recent: recent[-1].update(holds=True))
    assert "data.evidence.recent[2].holds" in changed(opened, lambda recent: recent[-1].update(holds=False))
    assert "data.evidence.recent[2].end" in changed(opened, lambda recent: recent[-1].update(end=recent[0]["end"]))
    assert "data.evidence.recent" in changed(opened, lambda recent: recent.insert(0, recent[0]))
    assert "data.evidence.recent" in changed(opened, lambda recent: [each.update(holds=False) for each in recent[:-1]])
