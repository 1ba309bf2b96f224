"""A storm in the log: every trigger comes out of it again, and `why-not` names the review of the storm."""

from __future__ import annotations

import asyncio
from functools import cache

import msgspec
import pytest
from memory_installation import MemoryInstallation
from test_explain_log import asked

from engine.model.measurement import Measurement
from engine.model.time import HOUR, format_time, parse_own_time
from engine.model.trigger import ReviewTrigger
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.explain.log_check import Question
from engine.offline.why.log import ask_log
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.runtime.context import StageContext

RULES = """\
kind: owner
id: web
name: Web
---
kind: objective
id: up
title: It is up
owner: web
---
kind: kpi
id: errors
title: Errors
owner: web
objective: up
definition: Errors of a host
decision: Take it out
direction: lower_is_better
role: leading
unit: errors
aggregation: sum
window: {every: 1h}
dimensions: [host]
target: {value: 5, by: 2030-12-31}
---
kind: rule
id: errors-high
title: Too many errors
kpi: errors
condition: {threshold: {above: 10}}
limit: 4
"""
BEGIN = parse_own_time("2026-01-05T00:00:00Z")
BAD = {"early": (2, 12), "calm": (0, 0), **{f"h{number}": (5, 9 + number % 2) for number in range(8)}}
"""By host the hours from and to which it has errors."""


@cache
def installation() -> MemoryInstallation:
    rules = load_read(read_text("rules.yaml", RULES)).rule_set
    assert rules is not None
    made = MemoryInstallation(rules)
    history = []
    for hour in range(15):
        for host, (begin, end) in BAD.items():
            time, value = BEGIN + hour * HOUR, 20.0 if begin <= hour < end else 1.0
            history.append((time, Measurement("errors", format_time(time), value, {"host": host}, f"{host}-{hour}")))
    made.run(history, 4 * HOUR)
    made.close()
    return made


def test_every_trigger_comes_out_of_its_evidence_and_of_the_log_again():
    there = installation()
    scopes = set()
    for value in there.triggers:
        event = msgspec.json.decode(value)
        scopes.add(event["subject"])
        assert explain(given(event)).failures == ()
        verdict = asked(there, value)  # type: ignore[arg-type]
        assert (verdict.verdict, verdict.differences) == ("same bytes", ())
    assert scopes == {"errors-high|{}", 'errors{"host":"early"}'}


@pytest.mark.parametrize(
    ("host", "hour", "gate"),
    [("early", 7, "already_firing"), ("h0", 7, "limit"), ("h7", 7, "limit"), ("calm", 7, "within_bounds")],
)
def test_why_a_series_opened_no_review(host: str, hour: int, gate: str):
    question = Question(installation().log, StageContext)
    answer, gone = asyncio.run(ask_log(question, "errors-high", f"host={host}", BEGIN + hour * HOUR + HOUR // 2))
    assert (answer.gate, gone) == (gate, [])
    if gate != "limit":
        return
    [storm] = {
        trigger.data.review
        for trigger in (msgspec.json.decode(each, type=ReviewTrigger) for each in installation().triggers)
        if trigger.data.scope == "errors-high|{}"
    }
    assert (answer.review, answer.number, answer.limit) == (storm, 8, 4)
    assert answer.sentence.endswith(f"than its limit lets through: it is in the storm's review {storm}.")
