"""Both stages of a worker over one log with activations in it: weeks of measurements, a tick a day, edited rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from governed_world import BEGIN, WEEK

from engine.model.records import Activate, Tick
from engine.model.time import DAY, format_time
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.encode import encode_measurement, encode_record
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.rules.ruleset import RuleSet

_FIRST_TICK = BEGIN // DAY


class Log:
    """What stands in the measurements, and which activations stand among the findings."""

    def __init__(self, rules: RuleSet) -> None:
        self.sets = {rules.hash: rules}
        self.first = rules.hash
        self.activations: list[Activate] = []
        self.records: list[Record] = []
        self._weeks = 0
        self._tick = _FIRST_TICK
        self._control(Activate(0, rules.hash, 0))

    def weeks(self, count: int, values: Mapping[str, float], shops: str = "ab") -> Log:
        """So many weeks, each with these values on its second day, half of them in either shop."""
        for _ in range(count):
            time = BEGIN + self._weeks * WEEK + DAY
            self._ticks(time)
            for kpi, value in values.items():
                for shop in shops:
                    name = f"{kpi}-{shop}-{self._weeks}"
                    message = encode_measurement(kpi, time, value / 2, {"shop": shop}, id=name)
                    self.records.append(Record(None, message))
            self._weeks += 1
        self._ticks(BEGIN + self._weeks * WEEK + 2 * DAY)
        return self

    def again(self, kpi: str, week: int, value: float, shop: str = "a", revision: int = 1) -> Log:
        """What a shop measured in a week that is over is another value."""
        time = BEGIN + week * WEEK + DAY
        name = f"{kpi}-{shop}-{week}"
        message = encode_measurement(kpi, time, value, {"shop": shop}, id=name, revision=revision)
        self.records.append(Record(None, message))
        return self

    def activate(self, rules: RuleSet) -> Log:
        """From the next tick on."""
        self.sets[rules.hash] = rules
        self._control(Activate(len(self.activations) + 1, rules.hash, self._tick + 1))
        return self

    def _control(self, activate: Activate) -> None:
        self.activations.append(activate)
        self.records.append(encode_control(activate))

    def _ticks(self, until: int) -> None:
        while (self._tick + 1) * DAY <= until:
            self._tick += 1
            self.records.append(encode_control(Tick("replay", self._tick, format_time(self._tick * DAY))))

    def findings(self) -> list[Record]:
        """What stage 1 says of it, with the activations before everything."""
        stage = Stage1(0, self._context())
        said = [each.record for each in stage.apply(_batch(MEASUREMENTS, 0, self.records)) if each.topic == FINDINGS]
        return [Record(b"", encode_record(each)) for each in self.activations[1:]] + said

    def triggers(self, at_once: int = 10_000, *, restart: bool = False) -> list[bytes]:
        """What stage 2 says of that; with `restart` it begins anew from its pages after each batch."""
        records, said = self.findings(), []
        stage = Stage2(0, self._context())
        for base in range(0, len(records), at_once):
            chunk = records[base : base + at_once]
            outputs = stage.apply(_batch(FINDINGS, base, chunk))
            said += [each.record.value or b"" for each in outputs if each.topic == TRIGGERS]
            if restart:
                pages = stage.all_pages()
                stage.close()
                stage = Stage2(0, self._context())
                stage.restore(pages)
        stage.close()
        return said

    def _context(self) -> StageContext:
        return StageContext(self.sets, self.first, 1, 1, future_max=DAY)


def _batch(topic: str, base: int, records: Sequence[Record]) -> Batch:
    end = base + len(records)
    return Batch(topic, 0, base, end - 1, end, encode_batch(list(records), base))


def heard(log: Log, rule: str = "told") -> list[tuple[str, ReviewTrigger]]:
    """(what happened, trigger) of a rule, in order."""
    found = [msgspec.json.decode(value, type=ReviewTrigger) for value in log.triggers()]
    return [(each.type.split(".")[2], each) for each in found if each.data.rule == rule]
