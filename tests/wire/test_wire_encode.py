"""What is written: the same bytes for the same thing, and read back as what it was."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import WireError
from engine.model.finding import Episode, Evidence, Finding, RawPoint
from engine.model.records import Activate, Ids, JoinRecord, Parts, Progress, ReviewCommand, Signal, Tick, WindowBounds
from engine.wire.encode import FindingRecord, decode_finding_record, encode_measurement, encode_record
from engine.wire.item import item_of
from engine.wire.message import tree_of
from engine.wire.times import EARLIEST, LATEST

TIME = "2013-02-08T05:00:00Z"
WINDOW = WindowBounds(TIME, "2013-02-09T05:00:00Z", 15744)
PARTS = Parts(2, 3.0, 1.0, 2.0, 2, 2.0, TIME)
RECORDS: list[FindingRecord] = [
    Finding(
        id="f",
        rule="r",
        kpi="k",
        series="k{}",
        dimensions={},
        transition="firing",
        status="new",
        revision=0,
        event_time=TIME,
        opened_event_time=TIME,
        scope="k{}",
        value=1.0,
        evidence=Evidence({"threshold": {"above": 0.5}}, RawPoint(TIME, 1.0, "m-1"), "hash", 1.0, 0.5),
        episode=Episode(1, TIME, TIME, 1.0),
        tick=3,
        tick_time=TIME,
    ),
    JoinRecord("r", "{}", "k", "k{}", WINDOW, 0, PARTS, Ids(2, "17", "m-1", "m-2"), 3),
    Signal("c", "{}", "r", "k{}", "f", "firing", TIME, 3),
    ReviewCommand("c-1", "review", "resolve", "ops", TIME, "We did", "real"),
    Progress(0, 3, TIME),
    Activate(1, "hash", 3),
    Tick("live", 3, TIME),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_of_the_findings_topic_are_read_back(record: FindingRecord):
    assert decode_finding_record(encode_record(record)) == record


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b'{"type":"tick"', "not_json"),
        (b'{"type":"other"}', "not_json"),
        (b'{"type":"tick"}', "not_json"),
        (b"[]", "not_json"),
        (b'{"type":"\xff"}', "not_utf8"),
    ],
)
def test_what_is_no_record_of_the_findings_topic_is_refused_by_name(value: bytes | None, reason: str):
    with pytest.raises(WireError) as caught:
        decode_finding_record(value)
    assert caught.value.reason == reason


def test_a_measurement_has_one_spelling():
    first = encode_measurement("k", 1_360_299_600_000_000, 1.0, {"b": "2", "a": "1"}, id="m", revision=1)
    assert first == (
        b'{"kpi":"k","time":"2013-02-08T05:00:00Z","value":1.0,"dimensions":{"a":"1","b":"2"},"id":"m","revision":1}'
    )
    assert encode_measurement("k", TIME, 1.0) == b'{"kpi":"k","time":"2013-02-08T05:00:00Z","value":1.0}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_no_measurement_may_have_is_not_written(value: float):
    with pytest.raises(WireError, match="not_finite"):
        encode_measurement("k", TIME, value)


@given(
    kpi=st.text(min_size=1, max_size=20),
    time=st.integers(EARLIEST, LATEST - 1),
    value=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60),
    dimensions=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4),
    identifier=st.none() | st.text(min_size=1, max_size=40),
    source=st.none() | st.text(max_size=5),
    provenance=st.sampled_from(["automated", "self_reported"]),
    revision=st.integers(0, 2**31 - 1),
)
def test_what_a_sender_writes_the_decoder_takes(
    kpi: str,
    time: int,
    value: float,
    dimensions: dict[str, str],
    identifier: str | None,
    source: str | None,
    provenance: str,
    revision: int,
):
    encoded = encode_measurement(
        kpi,
        time,
        value,
        dimensions,
        id=identifier,
        source=source,
        provenance=provenance,  # type: ignore[arg-type]
        revision=revision,
    )
    item = item_of(tree_of(encoded), 16)
    assert item == (kpi, time, float(value), dimensions, identifier, source, int(provenance != "automated"), revision)
    assert json.loads(encoded) == msgspec.json.decode(encoded)
