"""A small world for backtests: one KPI, rules of several kinds, files in every form, the log that a worker reads."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from pyarrow import parquet

from engine.model.records import Activate, Tick
from engine.model.time import HOUR, MINUTE, SECOND, Micros, format_time
from engine.model.topics import FINDINGS, MEASUREMENTS, SHADOW_TRIGGERS, TRIGGERS
from engine.offline.tail import tail_of
from engine.rules.resolved.catalogue import Kpi
from engine.rules.resolved.condition import Change, MissingData, Threshold, TrendBreak
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.encode import encode_measurement
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.runtime.ports import Output

START = 1_700_000_000 // 3600 * 3600 * SECOND
EVERY = 5 * MINUTE
TEN = Window(10 * MINUTE, 10 * MINUTE)
REVIEW = ReviewSpec(None, (), None, None, "on_recovery")


@dataclass(frozen=True)
class Told:
    """One measurement of the world."""

    host: str
    time: Micros
    value: float
    id: str | None = None
    revision: int = 0


def kpi(lateness: Micros) -> Kpi:
    return Kpi(
        id="load", title="Load", owner="o", objective="ob", definition="d", decision=None, direction="lower_is_better",
        role="leading", unit="u", aggregation="mean", window=TEN, lateness=lateness, idle=20 * MINUTE, cadence=None,
        sources=(), dimensions=("host",), series=({"host": "a"}, {"host": "silent"}), rolls_up_to=None, target=None,
        counterparts=(), publish=False,
    )  # fmt: skip


def rule(name: str, condition: Any, **changes: Any) -> Rule:
    plain = Rule(
        id=name, title=name, kpi="load", where={}, condition=condition, points="window", window=TEN, lateness=0,
        idle=20 * MINUTE, for_=0, keep_firing_for=0, severity="warning", mode="on", owner=None, review=REVIEW,
        known_gaps=(), declared={}, fingerprint=name,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


RULES = (
    rule("change", Change("windows", 2, 0.5, 0.4, relative=True), lateness=15 * MINUTE),
    rule("critical", Threshold("above", None, 6.0, None), severity="critical",
         review=msgspec.structs.replace(REVIEW, close="on_answer")),
    rule("high", Threshold("above", None, 4.0, 2.0), lateness=15 * MINUTE),
    rule("missing", MissingData(60 * MINUTE)),
    rule("raw", Threshold("outside", 1.0, 7.0, None), points="raw", lateness=10 * MINUTE),
    rule("shadowed", Threshold("above", None, 5.0, None), mode="shadow"),
    rule("trend", TrendBreak(2.0, None, None, 0.0, relative=False, learn=4)),
)  # fmt: skip


def rule_set(lateness: Micros = 0, rules: Sequence[Rule] = RULES) -> RuleSet:
    return RuleSet((), (), (kpi(lateness),), tuple(rules), (), {})


def live(rules: RuleSet, told: Sequence[Told], at_once: int = 7) -> tuple[list[bytes], list[bytes], dict[Any, int]]:
    """(triggers, those in shadow, what stage 1 counted) of a worker's stages over the log that the rows make."""
    context = StageContext({rules.hash: rules}, rules.hash, 1, 1, future_max=EVERY)
    first, second = Stage1(0, context), Stage2(0, context)
    records = _log(rules, told)
    findings = []
    for base in range(0, len(records), at_once):
        findings += [each for each in first.apply(_batch(MEASUREMENTS, base, records[base : base + at_once]))
                     if each.topic == FINDINGS]  # fmt: skip
    outputs: list[Output] = []
    for base in range(0, len(findings), at_once):
        outputs += second.apply(_batch(FINDINGS, base, [each.record for each in findings[base : base + at_once]]))
    triggers, shadow = (
        [each.record.value or b"" for each in outputs if each.topic == topic] for topic in (TRIGGERS, SHADOW_TRIGGERS)
    )
    return triggers, shadow, first.counts


def _log(rules: RuleSet, told: Sequence[Told]) -> list[Record]:
    """An activation, then the rows in their order, with the ticks up to the newest row so far before each."""
    records = [encode_control(Activate(0, rules.hash, 0))]
    newest = tick = None
    for each in told:
        newest = each.time if newest is None else max(newest, each.time)
        due = -(-newest // EVERY) - 1
        records += [_tick(number) for number in range(due if tick is None else tick + 1, due + 1)]
        tick = due
        message = encode_measurement(
            "load", each.time, each.value, {"host": each.host}, id=each.id, revision=each.revision
        )
        records.append(Record(None, message))
    if newest is not None and tick is not None:
        records += [_tick(number) for number in range(tick + 1, (newest + tail_of(rules, EVERY)) // EVERY + 1)]
    return records


def _tick(number: int) -> Record:
    return encode_control(Tick("replay", number, format_time(number * EVERY)))


def _batch(topic: str, base: int, records: list[Record]) -> Batch:
    end = base + len(records)
    return Batch(topic, 0, base, end - 1, end, encode_batch(records, base))


def written(path: Path, told: Sequence[Told]) -> Path:
    """The rows as a file of the kind that its name says."""
    {".csv": _csv, ".ndjson": _ndjson, ".parquet": _parquet}[path.suffix](path, told)
    return path


def _csv(path: Path, told: Sequence[Told]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["kpi", "time", "value", "dimensions", "id", "revision"])
        for each in told:
            dimensions = json.dumps({"host": each.host})
            table.writerow(["load", format_time(each.time), each.value, dimensions, each.id or "", each.revision])


def _ndjson(path: Path, told: Sequence[Told]) -> None:
    lines = [
        encode_measurement("load", each.time, each.value, {"host": each.host}, id=each.id, revision=each.revision)
        for each in told
    ]
    path.write_bytes(b"\n".join(lines))


def _parquet(path: Path, told: Sequence[Told]) -> None:
    columns = {
        "kpi": pa.array(["load"] * len(told), pa.string()),
        "time": pa.array([each.time for each in told], pa.timestamp("us", "UTC")),
        "value": pa.array([each.value for each in told], pa.float64()),
        "dimensions": pa.array([{"host": each.host} for each in told], pa.struct([("host", pa.string())])),
        "id": pa.array([each.id for each in told], pa.string()),
        "revision": pa.array([each.revision for each in told], pa.int32()),
    }
    parquet.write_table(pa.table(columns), path, row_group_size=5)


HOURS = 3 * HOUR // SECOND
