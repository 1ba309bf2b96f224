"""The same rule set gives the same bytes, whether it was read from files or from where it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.client.replay import Replay
from engine.model.time import EARLIEST, HOUR
from engine.model.topics import FINDINGS
from engine.rules import compiler
from engine.rules.loader import load_read
from engine.rules.ruleset import RuleSet
from engine.rules.source import read_text
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

RULES = """
kind: owner
id: shop
name: Shop
---
kind: objective
id: growth
title: Growth
owner: shop
---
kind: kpi
id: latency
title: Latency
owner: shop
objective: growth
definition: Seconds until a page stands
decision: none
direction: lower_is_better
role: leading
unit: s
aggregation: mean
window: {every: 1h}
target: none
---
kind: rule
id: slow
title: A slow page
kpi: latency
condition: {threshold: {recover_at: 1, above: 2}}
severity: info
review: {due_in: 1d}
"""


class Sink:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def send(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        del partition
        self.records.append(Record(key, value, tuple(headers)))

    def flush(self) -> None:
        """All is there at once."""


def findings(rules: RuleSet) -> list[bytes | None]:
    sink = Sink()
    replay = Replay(sink, 1, HOUR)
    for hour, value in enumerate((1.0, 3.0, 3.0, 0.5)):
        replay.measurement("latency", {}, EARLIEST + hour * HOUR, value)
    replay.finish(4 * HOUR)
    end = len(sink.records)
    stage = Stage1(0, StageContext({rules.hash: rules}, rules.hash, 1, 1))
    outputs = stage.apply(Batch("measurements", 0, 0, end - 1, end, encode_batch(sink.records, 0)))
    return [output.record.value for output in outputs if output.topic == FINDINGS]


def test_a_rule_set_of_files_and_the_same_set_as_it_is_stored_give_the_same_findings(monkeypatch: pytest.MonkeyPatch):
    loaded = load_read(read_text("rules.yaml", RULES)).rule_set
    assert loaded is not None
    said = []
    for rules in (loaded, RuleSet.decode(loaded.encoded)):
        monkeypatch.setattr(compiler, "_plans", {})  # a plan is kept by the hash, which both have
        said.append(findings(rules))
    assert any(b'"recover_at"' in (value or b"") for value in said[0])
    assert said[0] == said[1]
