"""A value that was worked out is worked out again, from what the record in the log says it came of."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
from memory_installation import PARTITIONS, MemoryInstallation

from engine.model.measurement import Measurement
from engine.model.outputs import WorkedOut
from engine.model.time import DAY, HOUR, format_time, parse_own_time
from engine.model.topics import MEASUREMENTS
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.explain.log_check import Question, ask_log
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.runtime.context import StageContext
from engine.runtime.ports import Output

PAGE = Path(__file__).parents[2] / "docs" / "rules" / "formula.md"
BEGIN = parse_own_time("2026-03-02T00:00:00Z")


def installed() -> MemoryInstallation:
    """The page's shop: on phones of Germany hardly anybody buys from five o'clock on."""
    loaded = load_read(read_text("formula.md", PAGE.read_text("utf-8").split("```yaml\n")[1].split("```")[0]))
    assert loaded.rule_set is not None
    told = []
    for hour in range(12):
        time = BEGIN + hour * HOUR
        for device, sessions, orders in (("phone", 1000.0, 5.0 if 5 <= hour < 8 else 50.0), ("desk", 500.0, 30.0)):
            where = {"country": "de", "device": device}
            told.append((time, Measurement("sessions", format_time(time), sessions, where)))
            told.append((time, Measurement("orders", format_time(time), orders, where)))
    installation = MemoryInstallation(loaded.rule_set)
    installation.run(told, DAY)
    installation.close()
    return installation


def test_the_log_says_from_what_the_value_was_worked_out():
    there = installed()
    opened = json.loads(there.triggers[0])
    assert opened["type"].endswith("opened.v1")
    verdict = asyncio.run(ask_log(Question(there.log, StageContext), given(opened)))
    assert verdict.verdict == "same bytes"
    assert str(verdict.detail).endswith(
        "orders / sessions of orders 35.0 (of 2 in 2 series), sessions 1500.0 (of 2 in 2 series)"
    )


def test_the_account_says_the_formula():
    lines = [line for step in explain(given(json.loads(installed().triggers[0]))).steps for line in step.lines]
    assert any(line.text.startswith("orders / sessions = 0.0233") for line in lines)
    assert any("; orders / sessions of " in line.text for line in lines)


def test_a_value_that_is_not_what_its_record_says_is_found():
    there = installed()
    opened = given(json.loads(there.triggers[0]))
    time = opened.event["data"]["evidence"]["point"]["window"]["start"]
    for partition in range(PARTITIONS):
        for record in list(there.log.records(MEASUREMENTS, partition)):
            header = dict(record.headers).get(WorkedOut.HEADER)
            if header is not None and f'"{time}"'.encode() in (record.value or b""):
                wrong = msgspec.json.decode(header)
                wrong["inputs"][0]["value"] = 36.0
                headers = ((WorkedOut.HEADER, msgspec.json.encode(wrong)),)
                again = record._replace(headers=headers)  # a repeat to stage 1, whatever it came of
                there.log.append_now([Output(MEASUREMENTS, partition, again)])
    verdict = asyncio.run(ask_log(Question(there.log, StageContext), opened))
    assert verdict.verdict == "differs"
    assert "orders / sessions of orders 36.0" in str(verdict.detail)
