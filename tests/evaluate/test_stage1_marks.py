"""Series of a mapped source age by its marks; in a replay, which has none, by the sender's ticks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from test_stage1_twin import START, kpi, rule

from engine.model.records import Ingested, Tick
from engine.model.time import SECOND, format_time
from engine.rules.resolved.condition import MissingData
from engine.rules.resolved.source import FieldRule, Mapping, Source
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from engine.model.records import Domain

MAPPED = msgspec.structs.replace(kpi("count", 0), sources=("crm",))
RULES = RuleSet((), (), (MAPPED,), (rule("missing", MissingData(60 * SECOND)),), (Source("crm", "crm.v1", ()),), {})
SECONDS = (1, 61, 121)


def silences(records: list[Record], rules: RuleSet = RULES) -> list[str]:
    subject = Stage1(0, StageContext({rules.hash: rules}, rules.hash, 1, 1))
    first = Record(None, json.dumps({"kpi": "k", "id": "a", "time": START / 1e6, "value": 1, "source": "crm"}).encode())
    batch = Batch("m", 0, 0, len(records), len(records) + 1, encode_batch([first, *records], 0))
    values = [json.loads(output.record.value or b"") for output in subject.apply(batch)]
    return [value["event_time"] for value in values if value["type"] == "finding"]


def at(seconds: int) -> str:
    return format_time(START + seconds * SECOND)


@pytest.mark.parametrize(("domain", "found"), [("replay", [at(61)]), ("live", [])])
def test_ticks_age_the_series_of_a_mapped_source_in_a_replay_only(domain: Domain, found: list[str]):
    assert silences([encode_control(Tick(domain, second, at(second))) for second in SECONDS]) == found


def test_marks_age_them_in_live():
    marks = [encode_control(Ingested("crm", second, at(second))) for second in SECONDS]
    assert silences(marks) == [at(61)]


def test_a_kpi_that_names_no_source_ages_by_the_marks_of_the_one_that_maps_to_it():
    mapping = Mapping(FieldRule(const="k"), FieldRule(const=1), FieldRule("at"), "s", None, {}, (), (), "automated")
    source = Source("crm", "crm.v1", (mapping,))
    rules = msgspec.structs.replace(RULES, kpis=(kpi("count", 0),), sources=(source,))
    assert silences([encode_control(Tick("live", second, at(second))) for second in SECONDS], rules) == []
    assert silences([encode_control(Ingested("crm", second, at(second))) for second in SECONDS], rules) == [at(61)]
