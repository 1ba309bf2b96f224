"""Another rule set takes effect: what a rule that stays has evaluated stays, and late measurements still correct it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from test_stage1_rule_sets import GONE, KEPT, RAW, measure, rule_set, tick
from test_stage1_twin import START

from engine.model.records import Activate
from engine.model.time import SECOND, format_time, parse_own_time
from engine.offline.why.health import Rounds, Tally
from engine.rules.resolved.condition import Threshold
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

CHANGED = msgspec.structs.replace(GONE, condition=Threshold("above", None, 7.0, None), fingerprint="other")
OLD, NEW = rule_set(GONE, RAW), rule_set(CHANGED, KEPT, RAW)


def late(second: int, value: float) -> Record:
    body = {"kpi": "k", "id": f"late{second}", "time": format_time(START + second * SECOND), "value": value}
    return Record(None, json.dumps(body).encode())


def evaluated(records: list[Record], last: RuleSet, cut: int) -> dict[str, list[tuple[int, float | None, str]]]:
    """By rule (seconds since the start, value, state), the newest first, where batches hold so many records."""
    stage, rounds = Stage1(0, StageContext({OLD.hash: OLD, NEW.hash: NEW}, OLD.hash, 1, 1)), Rounds(9)
    for first in range(0, len(records), cut):
        part = records[first : first + cut]
        batch = Batch("m", 0, first, first + len(part) - 1, first + len(part), encode_batch(part, first))
        for chunk in stage.chunks(batch):
            list(rounds.take(stage, chunk))
    tally = Tally(last, rounds)
    tally.first(stage.state)
    return {
        each.rule: [
            ((parse_own_time(told.time) - START) // SECOND, told.value, told.state) for told in each.evaluations
        ]
        for each in tally.health(START, {}).rules
    }


def test_what_stays_keeps_its_evaluations_and_what_changed_begins_anew():
    activation = encode_control(Activate(1, NEW.hash, from_tick=2))
    before = [measure(1, 8.0), measure(2, 4.0), tick(1), measure(11, 6.0), activation]
    raw = [(11, 6.0, "firing"), (2, 4.0, "inactive"), (1, 8.0, "firing")]
    assert evaluated(before, OLD, 1) == {"gone": [(10, 6.0, "firing")], "raw": raw}
    records = [*before, tick(2), late(1, 3.0), measure(31, 9.0)]
    # The windows of ten seconds: 4 to 8 had closed before, 6 closes under the new set.
    corrected = [(31, 9.0, "firing"), *raw[:2], (1, 3.0, "inactive"), raw[2]]
    expected = {"gone": [(20, 6.0, "inactive")], "kept": [(20, 6.0, "pending")], "raw": corrected}
    assert evaluated(records, NEW, 1) == expected
    assert evaluated(records, NEW, 100) == expected


def test_a_late_point_as_old_as_what_is_final_takes_nothing_away():
    records = [measure(1, 8.0), measure(31, 6.0), late(1, 3.0), late(20, 9.0), measure(32, 1.0)]
    # A point of the first second is final when the second one comes, and another of that time is just not too late.
    wanted = [(32, 1.0, "inactive"), (31, 6.0, "firing"), (20, 9.0, "firing"), (1, 3.0, "inactive"), (1, 8.0, "firing")]
    assert evaluated(records, OLD, 100)["raw"] == wanted
