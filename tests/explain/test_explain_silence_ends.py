"""An alert that silence ended: its trigger comes out of its evidence and of the log again, and `why-not` names it."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import msgspec
import pytest
from memory_installation import MemoryInstallation
from test_explain_limit import BEGIN, RULES
from test_explain_log import asked

from engine.model.measurement import Measurement
from engine.model.time import HOUR, MINUTE, format_time
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.explain.log_check import Question
from engine.offline.why.log import ask_log
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.runtime.context import StageContext

OK = "no_data: {then: ok, after: 3h}"
CONDITIONS = {
    "above": "{threshold: {above: 10}}",
    "change": "{change: {against: {median_of: 24, same: windows}, up: 50%}}",
    "often": "{threshold: {above: 10}}\nat_least: {m: 2, of: 3}",
    "raw": "{threshold: {above: 10}}\npoints: raw",
    "trend": "{trend_break: {}}",
    "runs": "{control_chart: {rules: western_electric, centre: 1, sigma: 1}}",
}
PACK = RULES.partition("---\nkind: rule")[0] + "".join(
    f"---\nkind: rule\nid: {name}\ntitle: Too many errors\nkpi: errors\ncondition: {condition}\n{OK}\n"
    "review: {reopen_within: 0h}\n"
    for name, condition in CONDITIONS.items()
)
COMPOSITES = """\
---
kind: rule
id: both
title: Both
condition: {composite: {all: [above, raw]}}
---
kind: rule
id: one-then-other
title: One after the other
condition: {composite: {sequence: [above, often], within: 9h}}
"""
HOURS = [
    *((hour, 1.0) for hour in range(40)),
    *((hour, 20.0) for hour in range(40, 46)),
    (56, 20.0),
    (57, 1.0),
    (58, 1.0),
]
"""From the tenth hour before the end on nothing comes; `late` sends then what it has kept back meanwhile."""


@cache
def installation() -> MemoryInstallation:
    rules = load_read(read_text("rules.yaml", PACK + COMPOSITES)).rule_set
    assert rules is not None
    made = MemoryInstallation(rules)
    history = [
        (time, Measurement("errors", format_time(time), value, {"host": host}, f"{host}-{hour}"))
        for hour, value in HOURS
        for host in ("a", "b")
        for time in (BEGIN + hour * HOUR + 10 * MINUTE,)
    ]
    made.run(history, 6 * HOUR)
    made.close()
    return made


def triggers(rule: str, kind: str) -> list[dict[str, Any]]:
    found = [msgspec.json.decode(value) for value in installation().triggers]
    told = [each for each in found if each["data"]["rule"] == rule and each["type"].split(".")[2] == kind]
    return sorted(told, key=lambda each: (each["data"]["scope"], each["time"]))


def test_every_trigger_comes_out_of_its_evidence_and_of_the_log_again():
    there = installation()
    for value in there.triggers:
        assert explain(given(msgspec.json.decode(value))).failures == ()
        verdict = asked(there, value)  # type: ignore[arg-type]
        assert (verdict.verdict, verdict.differences) == ("same bytes", ())


@pytest.mark.parametrize(
    ("rule", "end"), [("above", 46 * 60), ("often", 46 * 60), ("raw", 45 * 60 + 10), ("runs", 46 * 60)]
)
def test_it_ends_with_what_was_measured_last_and_says_since_when_there_is_nothing(rule: str, end: int):
    first = [each for each in triggers(rule, "resolved") if "silence" in str(each["data"]["evidence"]["point"]["type"])]
    assert [each["data"]["scope"] for each in first] == ['errors{"host":"a"}', 'errors{"host":"b"}']
    for each in first:
        assert each["data"]["event_time"] == format_time(BEGIN + end * MINUTE)
        host = each["data"]["dimensions"]["host"]
        assert each["data"]["explanation"].startswith(
            f"Errors of {{host {host}}} was last measured at 2026-01-06T21:10:00Z and was silent at "
            "2026-01-07T01:00:00Z, which ends the alert (`no_data: ok`)"
        )


def test_what_comes_after_it_is_another_alert():
    assert [each["data"]["event_time"] for each in triggers("above", "opened")] == [
        format_time(BEGIN + hour * HOUR) for hour in (41, 57) * 2
    ]


def test_composites_hear_of_the_end():
    assert len(triggers("both", "opened")) == len(triggers("both", "resolved")) == 4


@pytest.mark.parametrize(
    ("rule", "hour", "gate"),
    [
        ("above", 45, "already_firing"),
        ("above", 52, "stale"),
        ("above", 57.5, None),
        ("raw", 45.5, "already_firing"),
        ("raw", 52, "stale"),
        ("often", 52, "stale"),
        ("often", 57.5, "at_least"),
    ],
)
def test_why_it_does_not_fire(rule: str, hour: float, gate: str | None):
    moment = BEGIN + int(hour * HOUR)
    answer, gone = asyncio.run(ask_log(Question(installation().log, StageContext), rule, "host=a", moment))
    assert (answer.gate, gone) == (gate, [])
