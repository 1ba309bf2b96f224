"""The reference decoder: what counts, and that neighbours of a bad item count."""

from __future__ import annotations

import json

import pytest
from reference_messages import GOOD, NOON, Rows, batch_of, decode, raw_value, refusal, with_

from engine.model.identity import derived_measurement_id, id_hash
from engine.model.records import Activate, Ingested, Rebaseline, Tick
from engine.wire.batch import Batch, Record
from engine.wire.columns import SELF_REPORTED, Foreign
from engine.wire.control import HEADER, encode_control
from engine.wire.reference import ReferenceDecoder


def test_the_columns_hold_what_was_sent():
    message = with_(dimensions={"b": "2", "a": "1"}, id="né", source="s", provenance="self_reported", revision=3)
    rows = Rows()
    (chunk,) = decode(with_(), message, rows=rows)
    columns = chunk.columns
    assert columns.row.tolist() == [0, 1]
    assert columns.time.tolist() == [NOON, NOON]
    assert columns.value.tolist() == [1.5, 1.5]
    derived = derived_measurement_id("k", {}, NOON).encode()
    assert columns.id_hash.tolist() == [id_hash(derived), id_hash("né".encode())]
    assert columns.revision.tolist() == [0, 3]
    assert columns.flags.tolist() == [0, SELF_REPORTED]
    assert columns.offset.tolist() == [100, 101]
    start, length = int(columns.id_start[1]), int(columns.id_length[1])
    assert columns.ids[start : start + length].tobytes() == "né".encode()
    assert [str(column.dtype) for column in columns] == [
        *("int32", "int64", "float64", "uint64", "int32", "uint8", "int64", "int32", "int32", "int32", "uint8")
    ]
    assert rows.asked == [("k", {}, None), ("k", {"b": "2", "a": "1"}, "s")]
    assert chunk.control is None


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("2013-02-08t05:00:00z", NOON),
        ("2013-02-08T00:00:00-05:00", NOON),
        ("2013-02-08T10:45:00+05:45", NOON),
        ("2013-02-08T05:00:00-00:00", NOON),
        ("2013-02-08T05:00:00.25Z", NOON + 250_000),
        ("2013-02-08T05:00:00.1234569Z", NOON + 123_456),
        ("1969-12-31T23:59:59.999999Z", -1),
        (1360299600, NOON),
        (1360299600.0, NOON),
        (1360299600.25, NOON + 250_000),
        (-1.5, -1_500_000),
        (0, 0),
    ],
)
def test_times_with_any_offset_or_in_seconds_are_taken(written: str | float, micros: int):
    for decoder in (ReferenceDecoder(), warm()):
        assert decode(with_(time=written), decoder=decoder)[0].columns.time.tolist() == [micros]


def warm() -> ReferenceDecoder:
    decoder = ReferenceDecoder()
    decode(with_(), decoder=decoder)
    return decoder


def test_an_integer_that_no_double_holds_counts_as_the_nearest():
    values = decode(raw_value("9007199254740993"), raw_value("1" + "0" * 30))[0].columns.value.tolist()
    assert values == [9007199254740992.0, 1e30]


def test_null_id_and_source_are_as_absent_ones():
    for decoder in (ReferenceDecoder(), warm()):
        (chunk,) = decode(with_(id=None, source=None), with_(), with_(id=None, source=None), decoder=decoder)
        assert len(set(chunk.columns.id_hash.tolist())) == 1
        assert chunk.columns.row.tolist() == [0, 0, 0]


def test_bad_items_of_an_array_are_refused_with_their_index_and_the_others_count():
    items = [json.dumps(GOOD), '{"kpi":"k"}', "7", '{"kpi":"k","time":1,"value":NaN}', json.dumps(GOOD), "[]"]
    message = ("[" + ", ".join(items) + "]").encode()
    (chunk,) = decode(message)
    assert chunk.columns.item.tolist() == [0, 4]
    assert chunk.columns.offset.tolist() == [100, 100]
    assert [(aside.error.reason, aside.error.index) for aside in chunk.asides] == [  # type: ignore[union-attr]
        ("missing_field", 1),
        ("not_an_object", 2),
        ("not_finite", 3),
        ("not_an_object", 5),
    ]


def test_an_item_of_an_array_that_is_not_utf8_leaves_the_others_alone():
    for number in (b"1", b"NaN"):
        message = b'[{"kpi":"\xff","time":1,"value":1}, {"kpi":"k","time":1,"value":%s}, %s]' % (number, with_())
        (chunk,) = decode(message)
        assert chunk.columns.item.tolist()[-1] == 2
        assert chunk.asides[0].error.reason == "not_utf8"  # type: ignore[union-attr]


def test_bad_lines_of_ndjson_are_refused_with_their_index_and_the_others_count():
    good = json.dumps(GOOD).encode()
    message = b"\n".join([b"oops", good + b"\r", b"", b'{"kpi":"\xff"}', b"[]", good, b'{"value":NaN}', b" "])
    (chunk,) = decode(message)
    assert chunk.columns.item.tolist() == [1, 4]
    assert [(aside.error.reason, aside.error.index) for aside in chunk.asides] == [  # type: ignore[union-attr]
        ("not_json", 0),
        ("not_utf8", 2),
        ("not_an_object", 3),
        ("missing_field", 5),
    ]


def test_one_measurement_over_several_lines_is_one():
    (chunk,) = decode(json.dumps(GOOD, indent=2).encode(), b"\n" + json.dumps(GOOD).encode() + b"\n")
    assert chunk.columns.offset.tolist() == [100, 101]
    assert chunk.columns.item.tolist() == [0, 0]


def test_one_broken_measurement_over_several_lines_is_refused_once():
    assert refusal(json.dumps(GOOD, indent=2).encode()[:-3]) == ("not_json", "$", None)


def test_control_records_end_a_chunk():
    controls = [
        Tick("live", 3, "2013-02-08T05:00:00Z"),
        Activate(1, "ab", 7),
        Ingested("crm", 3, "2013-02-08T05:00:00Z"),
        Rebaseline("r", "k{}"),
    ]
    chunks = decode(with_(), *map(encode_control, controls), with_())
    assert [chunk.control and chunk.control.record for chunk in chunks] == [*controls, None]
    assert [chunk.control and chunk.control.offset for chunk in chunks] == [101, 102, 103, 104, None]
    assert [len(chunk.columns.row) for chunk in chunks] == [1, 0, 0, 0, 1]


def test_a_control_record_without_its_header_is_a_bad_measurement():
    assert refusal(encode_control(Tick("live", 3, "2013-02-08T05:00:00Z")).value)[0] == "unknown_field"


def test_a_marked_record_that_is_no_control_record_is_refused():
    for value in (with_(), b"", None, b"\xff"):
        (chunk,) = decode(Record(None, value, ((HEADER, b""),)))
        assert chunk.asides[0].error.reason == "bad_control"  # type: ignore[union-attr]


def test_other_headers_mean_nothing():
    (chunk,) = decode(Record(b"k", with_(), (("traceparent", b"00"),)))
    assert len(chunk.columns.row) == 1


def test_a_measurement_of_another_partition_is_handed_out_alone_with_its_id():
    item = {**GOOD, "dimensions": {"b": "2", "a": "1"}, "revision": 2, "provenance": "self_reported", "source": "s"}
    message = json.dumps([item, {**GOOD, "kpi": "mine"}]).encode()
    (chunk,) = decode(message, rows=Rows(foreign=["k"]))
    (aside,) = chunk.asides
    assert isinstance(aside, Foreign)
    assert (aside.offset, aside.item, aside.key) == (100, 0, b'k{"a":"1","b":"2"}')
    assert json.loads(aside.value) == {**item, "id": derived_measurement_id("k", item["dimensions"], NOON)}
    assert chunk.columns.item.tolist() == [1]
    (owner,) = decode(aside.value)
    assert owner.columns.time.tolist() == [NOON]
    assert owner.columns.flags.tolist() == [SELF_REPORTED]


def test_the_resolver_is_asked_once_for_a_spelling_until_told_to_forget():
    rows, decoder = Rows(), ReferenceDecoder()
    decode(with_(), with_(value=2), decoder=decoder, rows=rows)
    decode(with_(value=3), decoder=decoder, rows=rows)
    assert len(rows.asked) == 1
    decoder.forget()
    decode(with_(value=4), decoder=decoder, rows=rows)
    assert len(rows.asked) == 2


def test_the_next_stretch_is_resolved_only_when_asked_for():
    rows = Rows()
    chunks = ReferenceDecoder().decode(batch_of(encode_control(Rebaseline("r", "s")), with_()), rows)
    next(chunks)
    assert rows.asked == []
    next(chunks)
    assert len(rows.asked) == 1


def test_message_at_gives_back_the_record_of_the_last_batch():
    decoder = ReferenceDecoder()
    decode(b"first", None, decoder=decoder)
    assert decoder.message_at(100) == b"first"
    assert decoder.message_at(101) == b""
    with pytest.raises(KeyError):
        decoder.message_at(102)


def test_an_empty_batch_has_no_chunks():
    assert list(ReferenceDecoder().decode(Batch("t", 0, 5, 4, 9, b""), Rows())) == []
