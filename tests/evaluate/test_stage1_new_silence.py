"""A rule that an activation brings, on what is wrong already: stage 2 knows the rule before stage 1 speaks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from test_stage1_rule_sets import GONE, measure, rule_set, tick
from test_stage1_twin import rule

from engine.model.records import Activate
from engine.model.time import SECOND
from engine.model.topics import FINDINGS, TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.rules.resolved.catalogue import Owner
from engine.rules.resolved.condition import MissingData
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Stage

QUIET = rule("quiet", MissingData(30 * SECOND))
SLOWER = rule("quiet", MissingData(20 * SECOND), fingerprint="slower")


def owned(rules: RuleSet) -> RuleSet:
    return msgspec.structs.replace(rules, owners=(Owner("o", "O", None),))


def told(old: RuleSet, new: RuleSet) -> list[str]:
    """The triggers of one measurement and then silence, with `new` from tick 8 on."""
    around = StageContext({one.hash: one for one in (old, new)}, old.hash, 1, 1)
    activation = encode_control(Activate(7, new.hash, from_tick=8))
    measurements = [measure(1, 1.0), activation, *map(tick, range(1, 12))]
    findings = [activation, *_said(Stage1(0, around), measurements, FINDINGS)]
    stage = Stage2(0, around)
    values = [record.value for record in _said(stage, findings, TRIGGERS)]
    stage.close()
    triggers = [msgspec.json.decode(value, type=ReviewTrigger) for value in values if value is not None]
    return [trigger.type.split(".")[2] for trigger in triggers]


def _said(stage: Stage, records: list[Record], topic: str) -> list[Record]:
    batch = Batch("in", 0, 0, len(records) - 1, len(records), encode_batch(records, 0))
    return [output.record for output in stage.apply(batch) if output.topic == topic]


@pytest.mark.parametrize(
    ("old", "expected"), [(GONE, ["opened"]), (QUIET, ["opened", "withdrawn", "opened"])], ids=["new", "changed"]
)
def test_a_silence_that_stands_when_its_rule_comes_opens_a_review(old: RuleSet, expected: list[str]) -> None:
    assert told(owned(rule_set(old)), owned(rule_set(SLOWER))) == expected
