"""Days of two KPIs with the rules that learn of them, over several partitions, with activations and deaths."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from governed_world import BEGIN, VISITS

from engine.model.identity import series_key
from engine.model.records import Activate, ReviewCommand, Tick
from engine.model.time import DAY, HOUR, format_time, parse_own_time
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.encode import encode_measurement, encode_record
from engine.wire.partition import owner
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output

SHOPS = ("a", "b", "c")
CATALOGUE = (
    VISITS
    + """\
aggregation: mean
window: {every: 1d}
dimensions: [shop]
version: 1
target: {value: 1000, by: 2026-12-31, start: 90, reviewed: 2026-01-01}
counterparts: [{kpi: tickets, minimum_effect: 5%}]
---
kind: kpi
id: tickets
title: Tickets
owner: board
objective: growth
definition: Tickets of a shop
decision: Hire
direction: lower_is_better
role: lagging
unit: tickets
aggregation: mean
window: {every: 1d}
dimensions: [shop]
target: none
"""
)
RULES = {
    "broken": "trend_break: {of: level}",
    "unusual": "anomaly: {season: none}",
    "charted": "control_chart: {ewma: {limit: 4}}",
    "changed": "change: {up: 20%, against: {median_of: 5, same: windows}}",
    "paid": "counterpart_conflict: {improves: {by: 5%, against: USUAL}, worsens: {by: 5%, against: USUAL}}".replace(
        "USUAL", "{median_of: 7, same: windows}"
    ),
}


def rules_of(conditions: Mapping[str, str], *edits: tuple[str, str], more: str = "") -> RuleSet:
    """The catalogue with these rules on visits; `edits` replace texts."""
    text = CATALOGUE + "".join(
        f"---\nkind: rule\nid: {name}\ntitle: Of visits\nkpi: visits\ncondition: {{{condition}}}\n{more}"
        for name, condition in sorted(conditions.items())
    )
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    loaded = load_read(read_text("all.yaml", text))
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    return loaded.rule_set


class Days:
    """What stands in the log: measurements and ticks in their order, and activations between them."""

    def __init__(self, rules: RuleSet) -> None:
        self.sets = {rules.hash: rules}
        self.first = rules.hash
        self.day = 0
        self._requests = 0
        self._tick = BEGIN // HOUR
        self.records: list[tuple[str | None, Record]] = []
        self.activate(rules)

    def days(self, count: int, **levels: float) -> Days:
        """So many days with these levels, each value a little off in a way that repeats every eleven days."""
        for _ in range(count):
            for at, hours in ((BEGIN + self.day * DAY + 6 * HOUR, 6), (BEGIN + (self.day + 1) * DAY, 24)):
                if hours < 24:
                    for kpi, level in levels.items():
                        for shop in SHOPS:
                            self.measure(kpi, shop, at, level * (1 + ((self.day * 37 + ord(shop)) % 11 - 5) / 300))
                self.ticks(at)
            self.day += 1
        return self

    def measure(self, kpi: str, shop: str, at: int, value: float) -> None:
        key = series_key(kpi, {"shop": shop})
        message = encode_measurement(kpi, at, value, {"shop": shop}, id=f"{key}{at}")
        self.records.append((key, Record(None, message)))

    def ticks(self, until: int) -> Days:
        while (self._tick + 6) * HOUR <= until:
            self._tick += 6
            self.records.append((None, encode_control(Tick("replay", self._tick, format_time(self._tick * HOUR)))))
        return self

    def activate(self, rules: RuleSet) -> Days:
        """From the next tick on."""
        self.sets[rules.hash] = rules
        self.records.append((None, encode_control(Activate(self._requests, rules.hash, self._tick + 1))))
        self._requests += 1
        return self

    def context(self, partitions: int, findings: int) -> StageContext:
        return StageContext(self.sets, self.first, partitions, findings, future_max=DAY)

    def evaluated(self, partitions: int = 1, findings: int = 1, *, dies: bool = False) -> list[list[Output]]:
        """By partition what stage 1 says; where it dies, it begins anew from its pages after every fifty records."""
        context = self.context(partitions, findings)
        return [_stage1(context, number, self._of(number, partitions), dies=dies) for number in range(partitions)]

    def _of(self, partition: int, partitions: int) -> list[Record]:
        return [each for key, each in self.records if key is None or owner(key.encode(), partitions) == partition]

    def findings(self, partition: int = 0, partitions: int = 1) -> list[dict[str, Any]]:
        found = [msgspec.json.decode(each.record.value or b"{}") for each in self.evaluated(partitions)[partition]]
        return [each for each in found if each.get("type") == "finding"]

    def triggers(
        self, partitions: int = 1, findings: int = 1, *, dies: bool = False, commands: Sequence[ReviewCommand] = ()
    ) -> list[bytes]:
        """All that stage 2 says, of whatever partition, sorted."""
        said = [each for outputs in self.evaluated(partitions, findings, dies=dies) for each in outputs]
        activations = [each for key, each in self.records if key is None and b'"activate"' in (each.value or b"")]
        found: list[bytes] = []
        for number in range(findings):
            own = [each.record for each in said if each.topic == FINDINGS and _goes(each, findings) == number]
            own = [*activations, *own, *(Record(b"", encode_record(each)) for each in commands)]
            found += _stage2(self.context(partitions, findings), number, own, dies=dies)
        return sorted(found)


def _goes(output: Output, findings: int) -> int:
    return owner(output.record.key or b"", findings) if output.partition is None else output.partition


def _chunks(records: list[Record], *, dies: bool) -> list[tuple[int, list[Record]]]:
    size = 50 if dies else 10_000
    return [(base, records[base : base + size]) for base in range(0, len(records), size)]


def _batch(topic: str, base: int, records: list[Record]) -> Batch:
    end = base + len(records)
    return Batch(topic, 0, base, end - 1, end, encode_batch(records, base))


def _stage1(context: StageContext, partition: int, records: list[Record], *, dies: bool) -> list[Output]:
    stage, said = Stage1(partition, context), []
    for base, chunk in _chunks(records, dies=dies):
        said += stage.apply(_batch(MEASUREMENTS, base, chunk))
        if dies:
            pages = {name: page for name, page in stage.all_pages().items() if page}
            stage = Stage1(partition, context)
            stage.restore(pages)
    return [each for each in said if each.topic == FINDINGS]


def _stage2(context: StageContext, partition: int, records: list[Record], *, dies: bool) -> list[bytes]:
    stage, said = Stage2(partition, context), []
    for base, chunk in _chunks(records, dies=dies):
        said += [
            each.record.value or b"" for each in stage.apply(_batch(FINDINGS, base, chunk)) if each.topic == TRIGGERS
        ]
        if dies:
            pages = stage.all_pages()
            stage.close()
            stage = Stage2(partition, context)
            stage.restore(pages)
    stage.close()
    return said


def opened(triggers: Sequence[bytes]) -> Counter[str]:
    """How many reviews each rule has opened."""
    events = [msgspec.json.decode(each) for each in triggers]
    return Counter(each["data"]["rule"] for each in events if each["type"].endswith("opened.v1"))


def of_rule(triggers: Sequence[bytes], rule: str) -> list[dict[str, Any]]:
    """The events of one rule, in the order of their transitions."""
    events = [msgspec.json.decode(each) for each in triggers]
    own = [each for each in events if each["data"]["rule"] == rule]
    return sorted(own, key=lambda each: (each["time"], parse_own_time(each["data"]["event_time"]), each["id"]))
