"""Another rule set takes effect at its tick: unchanged rules keep their state, others take their findings back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from test_stage1_twin import START, kpi, rule

from engine.model.records import Activate, Tick
from engine.model.time import SECOND, format_time
from engine.rules.resolved.condition import Threshold
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from engine.rules.resolved.rule import Rule

KEPT = rule("kept", Threshold("above", None, 5.0, None), for_=20 * SECOND)
GONE = rule("gone", Threshold("above", None, 5.0, None))
RAW = rule("raw", Threshold("above", None, 5.0, None), points="raw", lateness=30 * SECOND)


def rule_set(*rules: Rule) -> RuleSet:
    return RuleSet((), (), (kpi("mean", 0),), tuple(sorted(rules, key=lambda r: r.id)), (), {})


def measure(second: int, value: float) -> Record:
    body = {"kpi": "k", "id": f"m{second}", "time": format_time(START + second * SECOND), "value": value}
    return Record(None, json.dumps(body).encode())


def tick(number: int) -> Record:
    return encode_control(Tick("replay", number, format_time(START + number * 10 * SECOND)))


def run(sets: list[RuleSet], records: list[Record], cut: int = 100, *, restore: bool = False) -> list[dict[str, Any]]:
    known = {one.hash: one for one in sets}
    around = StageContext(known, sets[0].hash, 1, 1)
    stage, said = Stage1(0, around), []
    for first in range(0, len(records), cut):
        part = records[first : first + cut]
        batch = Batch("m", 0, first, first + len(part) - 1, first + len(part), encode_batch(part, first))
        said += [json.loads(output.record.value) for output in stage.apply(batch)]
        if restore:
            pages = {name: page for name, page in stage.all_pages().items() if page}
            stage = Stage1(0, around)
            stage.restore(pages)
    return [(s["rule"], s["transition"], s["status"], s["cause"]) for s in said if s["type"] == "finding"]


def scenario(new: RuleSet) -> list[Record]:
    activation = encode_control(Activate(7, new.hash, from_tick=3))
    return [
        measure(1, 8.0), tick(1), measure(11, 8.0), tick(2), activation, measure(21, 8.0),
        tick(3), measure(31, 8.0), tick(4), measure(41, 8.0), tick(5),
    ]  # fmt: skip


def test_a_rule_that_is_removed_while_firing_takes_its_finding_back_and_the_others_go_on():
    old, new = rule_set(KEPT, GONE), rule_set(KEPT)
    expected = [
        ("gone", "firing", "new", None),
        ("gone", "firing", "withdrawn", "rule removed"),
        ("kept", "firing", "new", None),
    ]
    assert run([old, new], scenario(new)) == expected
    assert run([old, new], scenario(new), cut=1, restore=True) == expected


def test_a_changed_rule_begins_anew_and_a_new_one_begins():
    changed = msgspec.structs.replace(GONE, condition=Threshold("above", None, 7.0, None), fingerprint="other")
    old, new = rule_set(GONE), rule_set(changed, KEPT)
    assert run([old, new], scenario(new)) == [
        ("gone", "firing", "new", None),
        ("gone", "firing", "withdrawn", "rule changed"),
        ("gone", "firing", "new", None),
    ]


def test_two_activations_before_either_takes_effect_both_do_in_their_order():
    changed = msgspec.structs.replace(GONE, condition=Threshold("above", None, 7.0, None), fingerprint="other")
    first, second = rule_set(GONE), rule_set(changed)
    activations = [encode_control(Activate(1, second.hash, 3)), encode_control(Activate(2, first.hash, 3))]
    records = [measure(1, 8.0), tick(1), measure(11, 8.0), tick(2), *activations, tick(3), measure(21, 8.0), tick(4)]
    fired = ("gone", "firing", "new", None)
    expected = [fired, ("gone", "firing", "withdrawn", "rule changed"), fired]
    assert run([first, second], records) == expected
    assert run([first, second], records, cut=1, restore=True) == expected


def test_raw_points_that_are_not_final_move_along():
    old, new = rule_set(RAW), rule_set(RAW, KEPT)
    records = [measure(1, 8.0), encode_control(Activate(1, new.hash, from_tick=1)), tick(1), measure(11, 8.0)]
    late = [Record(None, json.dumps({"kpi": "k", "id": "late", "time": format_time(START), "value": 0.0}).encode())]
    assert run([old, new], [*records, *late]) == [("raw", "firing", "new", None)]
    early = [Record(None, json.dumps({"kpi": "k", "id": "late", "time": format_time(START), "value": 9.0}).encode())]
    assert run([old, new], [*records, *early]) == [
        ("raw", "firing", "new", None),
        ("raw", "firing", "withdrawn", "late measurement"),
        ("raw", "firing", "new", "late measurement"),
    ]


def test_what_was_counted_before_an_activation_in_the_same_batch_stays_counted():
    old, new = rule_set(GONE), rule_set(KEPT)
    stage = Stage1(0, StageContext({one.hash: one for one in (old, new)}, old.hash, 1, 1))
    records = [*scenario(new), measure(41, 8.0)]
    stage.apply(Batch("m", 0, 0, len(records) - 1, len(records), encode_batch(records, 0)))
    assert (stage.counts["accepted"], stage.counts["duplicate"]) == (5, 1)


def test_an_activation_with_a_number_that_is_not_higher_is_ignored():
    old, new = rule_set(GONE), rule_set(KEPT)
    records = [measure(1, 8.0), encode_control(Activate(5, old.hash, 1)), encode_control(Activate(5, new.hash, 1))]
    assert run([old, new], [*records, tick(1), measure(11, 8.0), tick(2)]) == [("gone", "firing", "new", None)]
