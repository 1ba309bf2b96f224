"""A toy of a stage, and a worker of the real kind that runs it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.model.topics import FINDINGS
from engine.rules.ruleset import RuleSet
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runtime.context import StageContext
    from engine.wire.batch import Batch

EMPTY = RuleSet(owners=(), objectives=(), kpis=(), rules=(), sources=(), zones={})


class Counting:
    """Counts records per key, remembers how often each offset came, and says so every hundred of a key."""

    def __init__(self, partition: int, context: StageContext, *, says: bool) -> None:
        self.partition = partition
        self.counts: Counter[str] = Counter()
        self.taken = 0
        self._says = says
        self._hash = context.first_rule_set

    @property
    def rule_set_hash(self) -> str:
        return self._hash

    def apply(self, batch: Batch) -> list[Output]:
        said = []
        for record in records(batch):
            self.taken += 1
            if record.key is None:
                continue
            key = record.key.decode()
            self.counts[key] += 1
            if self._says and self.counts[key] % 100 == 0:
                value = msgspec.json.encode({"type": "said", "key": key, "count": self.counts[key]})
                said.append(Output(FINDINGS, None, Record(record.key, value)))
        return said

    def all_pages(self) -> dict[str, bytes]:
        return {"counts": msgspec.json.encode(dict(self.counts)), "taken": b"%d" % self.taken}

    dirty_pages = all_pages

    def restore(self, pages: Mapping[str, bytes]) -> None:
        self.counts = Counter(msgspec.json.decode(pages["counts"], type=dict[str, int]))
        self.taken = int(pages["taken"])

    def close(self) -> None:
        pass
