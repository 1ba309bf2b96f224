"""The log is asked as files are: over the shop's five months both say the same, at any time."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from explain_world import at, history, world

from engine.model.time import HOUR
from engine.offline.backtest.files import Reading
from engine.offline.explain.log_check import Question
from engine.offline.why.files import answer_of_files
from engine.offline.why.log import ask_log
from engine.offline.why.named import series_of
from engine.runtime.context import StageContext

if TYPE_CHECKING:
    from pathlib import Path

    from engine.offline.why.gates import Answer

QUESTIONS = [
    ("latency-above", "page=home", at(2, 12.5), None),
    ("latency-outside", "page=home", at(2, 12.5), None),
    ("orders-missing", "region=us", at(19, 12), "within_bounds"),
    ("orders-missing", "region=us", at(22, 12), "already_firing"),
    ("growth-paid-for", "region=eu", at(21, 12), "within_bounds"),
    ("growth-paid-for", "region=eu", at(31, 23.5), None),
    ("wait-runs", "desk=lasting", at(20, 12), "warm_up"),
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "rows.ndjson"
    path.write_text("".join(json.dumps(msgspec.to_builtins(told)) + "\n" for _, told in history()), "utf-8")
    return path


def of_log(rule: str, series: str, moment: int) -> Answer:
    return asyncio.run(ask_log(Question(world().log, StageContext), rule, series, moment))[0]


@pytest.mark.parametrize(("rule", "series", "moment", "gate"), QUESTIONS)
def test_log_and_files_give_the_same_answer(rule: str, series: str, moment: int, gate: str | None, rows: Path):
    rules = world().rule_set
    named = series_of(series, rule, rules)
    of_files = answer_of_files(rules, rule, named, [rows], Reading(), moment, HOUR)
    assert of_files.gate == gate
    assert of_log(rule, series, moment) == of_files
