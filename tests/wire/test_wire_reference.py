"""The reference decoder: what counts, what is refused and why, and that neighbours of a bad item count."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import WireError
from engine.model.identity import derived_measurement_id, id_hash, series_key
from engine.model.limits import Limits
from engine.model.records import Activate, Ingested, Rebaseline, Tick
from engine.model.time import parse_own_time
from engine.wire.batch import Batch, Record
from engine.wire.columns import FOREIGN, SELF_REPORTED, Chunk, Foreign, Rejected
from engine.wire.control import HEADER, encode_control
from engine.wire.reasons import BATCH_FAULTS, REASONS, SENTENCES
from engine.wire.records import encode_batch
from engine.wire.reference import ReferenceDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD: dict[str, Any] = {"kpi": "k", "time": "2013-02-08T05:00:00Z", "value": 1.5}
NOON = parse_own_time("2013-02-08T05:00:00Z")


class Rows:
    """A resolver that gives out rows in order of appearance, and remembers what it was asked."""

    def __init__(self, foreign: Sequence[str] = ()) -> None:
        self.asked: list[tuple[str, dict[str, str], str | None]] = []
        self.rows: dict[str, int] = {}
        self.foreign = foreign

    def __call__(self, kpi: str, dimensions: dict[str, str], source: str | None) -> int:
        self.asked.append((kpi, dimensions, source))
        if kpi == "nobody's":
            raise WireError("unknown_kpi", "no such KPI", path="$.kpi")
        if kpi in self.foreign:
            return FOREIGN
        return self.rows.setdefault(series_key(kpi, dimensions), len(self.rows))


def batch_of(*values: bytes | Record | None, base: int = 100) -> Batch:
    made = [value if isinstance(value, Record) else Record(None, value) for value in values]
    return Batch("t", 0, base, base + len(made) - 1, base + len(made), encode_batch(made, base))


def decode(
    *values: bytes | Record | None, decoder: ReferenceDecoder | None = None, rows: Rows | None = None
) -> list[Chunk]:
    return list((decoder or ReferenceDecoder()).decode(batch_of(*values), rows or Rows()))


def refusal(value: bytes | None, limits: Limits | None = None) -> tuple[str, str, int | None]:
    (chunk,) = decode(value, decoder=ReferenceDecoder(limits))
    assert len(chunk.columns.row) == 0
    (aside,) = chunk.asides
    assert isinstance(aside, Rejected)
    assert aside.message == (value or b"")
    assert aside.offset == 100
    assert aside.error.detail
    return aside.error.reason, aside.error.path, aside.error.index


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in GOOD.items() if key != name}).encode()


def with_(**fields: Any) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def raw_value(text: str) -> bytes:
    return b'{"kpi":"k","time":1360303200,"value":%s}' % text.encode()


REFUSED: list[tuple[bytes | None, str, str]] = [
    (None, "empty", "$"),
    (b"", "empty", "$"),
    (b" \r\n\t", "empty", "$"),
    (b"[]", "empty", "$"),
    (b'{"kpi":"\xff","time":1,"value":1}', "not_utf8", "$"),
    (b'{"kpi":"\\ud800","time":1,"value":1}', "not_utf8", "$.kpi"),
    (b"{", "not_json", "$"),
    (b"\xef\xbb\xbf" + with_(), "not_json", "$"),
    (b"[" * 100_000, "not_json", "$"),
    (b'{"kpi":' * 100_000, "not_json", "$"),
    (with_() + b" x", "not_json", "$"),
    (b"kpi=k value=1", "not_json", "$"),
    (b"17", "not_an_object", "$"),
    (b'"text"', "not_an_object", "$"),
    (b"null", "not_an_object", "$"),
    (b"NaN", "not_an_object", "$"),
    (without("kpi"), "missing_field", "$.kpi"),
    (without("time"), "missing_field", "$.time"),
    (without("value"), "missing_field", "$.value"),
    (b"{}", "missing_field", "$.kpi"),
    (with_(vlaue=1), "unknown_field", "$.vlaue"),
    (with_(type="tick"), "unknown_field", "$.type"),
    (b'{"kpi":"k","time":1,"value":1,"value":2}', "duplicate_field", "$.value"),
    (b'{"kpi":"k","time":1,"value":1,"\\u0076alue":2}', "duplicate_field", "$.value"),
    (b'{"kpi":"k","time":1,"value":1,"dimensions":{"a":"1","a":"2"}}', "duplicate_field", "$.dimensions.a"),
    (with_(value=True), "wrong_type", "$.value"),
    (with_(value="1"), "wrong_type", "$.value"),
    (with_(value=None), "wrong_type", "$.value"),
    (with_(value=[1]), "wrong_type", "$.value"),
    (with_(kpi=1), "wrong_type", "$.kpi"),
    (with_(time=None), "wrong_type", "$.time"),
    (with_(time=True), "wrong_type", "$.time"),
    (with_(dimensions=None), "wrong_type", "$.dimensions"),
    (with_(dimensions={"a": 1}), "wrong_type", "$.dimensions.a"),
    (with_(id=7), "wrong_type", "$.id"),
    (with_(revision=1.5), "wrong_type", "$.revision"),
    (with_(revision=True), "wrong_type", "$.revision"),
    (raw_value("NaN"), "not_finite", "$.value"),
    (raw_value("Infinity"), "not_finite", "$.value"),
    (raw_value("-Infinity"), "not_finite", "$.value"),
    (raw_value("1e400"), "out_of_range", "$.value"),
    (raw_value("-1e400"), "out_of_range", "$.value"),
    (raw_value("9" * 400), "out_of_range", "$.value"),
    (raw_value("9" * 9_000), "out_of_range", "$.value"),
    (with_(revision=2**31), "out_of_range", "$.revision"),
    (with_(time="yesterday"), "bad_time", "$.time"),
    (with_(time="2013-02-30T05:00:00Z"), "bad_time", "$.time"),
    (with_(time="2013-02-08"), "bad_time", "$.time"),
    (with_(time="2013-02-08 05:00:00Z"), "bad_time", "$.time"),
    (with_(time="1360303200"), "bad_time", "$.time"),
    (with_(time="2016-12-31T23:59:60Z"), "bad_time", "$.time"),
    (with_(time="2013-02-08T24:00:00Z"), "bad_time", "$.time"),
    (with_(time="2013-02-08T05:00:00+24:00"), "bad_time", "$.time"),
    (with_(time="\uff12013-02-08T05:00:00Z"), "bad_time", "$.time"),
    (with_(time="2013-02-08T05:00:00"), "naive_time", "$.time"),
    (with_(time="2013-02-08T05:00:00.25"), "naive_time", "$.time"),
    (with_(time=1_360_303_200_000), "looks_like_milliseconds", "$.time"),
    (with_(time=1.36e18), "looks_like_milliseconds", "$.time"),
    (with_(time="9999-12-31T23:59:59Z"), "time_out_of_range", "$.time"),
    (with_(time="0000-01-01T00:00:00Z"), "time_out_of_range", "$.time"),
    (with_(time="0001-01-01T00:00:00+01:00"), "time_out_of_range", "$.time"),
    (with_(time=-5e9), "time_out_of_range", "$.time"),
    (with_(id=""), "bad_id", "$.id"),
    (with_(id="x" * 257), "bad_id", "$.id"),
    (with_(provenance="guessed"), "bad_provenance", "$.provenance"),
    (with_(dimensions={str(i): "" for i in range(17)}), "too_many_dimensions", "$.dimensions"),
    (with_(kpi=""), "unknown_kpi", "$.kpi"),
    (with_(kpi="nobody's"), "unknown_kpi", "$.kpi"),
    (with_(revision=-1), "negative_revision", "$.revision"),
]


@pytest.mark.parametrize(("value", "reason", "path"), REFUSED, ids=[f"{i}-{row[1]}" for i, row in enumerate(REFUSED)])
def test_a_bad_message_is_refused_with_reason_and_path(value: bytes | None, reason: str, path: str):
    assert refusal(value) == (reason, path, None)


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_a_bad_message_is_refused_alike_after_good_ones_of_its_series(number: int):
    value, reason, path = REFUSED[number]
    decoder = ReferenceDecoder()
    good = [with_(), raw_value("1"), with_(dimensions={"a": "1"}), b'{"kpi":"k","time":1,"value":1}']
    decode(*good, decoder=decoder)
    (chunk,) = decode(value, *good, decoder=decoder)
    (aside,) = chunk.asides
    assert isinstance(aside, Rejected)
    assert (aside.error.reason, aside.error.path) == (reason, path)
    assert chunk.columns.offset.tolist() == [101, 102, 103, 104]


def test_a_message_over_the_limit_is_refused():
    assert refusal(with_(), Limits(message_bytes_max=10))[0] == "too_long"
    assert len(decode(with_(), decoder=ReferenceDecoder(Limits(message_bytes_max=len(with_()))))[0].columns.row) == 1


def test_a_message_over_the_limit_is_refused_also_when_its_series_is_known():
    decoder = ReferenceDecoder(Limits(message_bytes_max=len(with_())))
    (chunk,) = decode(with_(), with_() + b" ", decoder=decoder)
    assert chunk.columns.offset.tolist() == [100]
    assert chunk.asides[0].error.reason == "too_long"  # type: ignore[union-attr]


def test_every_reason_has_a_sentence():
    assert set(SENTENCES) == set(REASONS)


def test_every_reason_that_is_given_to_an_input_is_listed_and_every_listed_one_is_given():
    engine = Path(__file__).parents[2] / "engine"
    given = {
        call.args[0].value
        for floor in ("wire", "rules", "state", "evaluate")
        for file in (engine / floor).rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "WireError"
        if isinstance(call.args[0], ast.Constant)
    }
    assert given == {*REASONS, *BATCH_FAULTS}


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


NUMBERS = st.sampled_from(
    ["1", "-0", "-0.0", "1e5", "0.1", "1e400", "NaN", "true", "null", '"1"', "01", "1.", "9" * 30]
)
TIMES = st.sampled_from(
    [
        '"2013-02-08T05:00:00Z"',
        '"2013-02-08T05:00:07Z"',
        '"2013-02-08t05:00:07z"',
        '"2013-02-08T05:00:07.5+01:00"',
        "1360299600",
        "1360299600.5",
        "1e12",
        '"2013-02-08T05:00:07"',
        "null",
        '"2013-02-08T05:00:61Z"',
    ]
)
NAMES = st.sampled_from(["a", "b", "\\u0061", "é", "\\ud800", "x y", '\\"'])
PAIRS = st.lists(st.tuples(NAMES, NAMES), max_size=3)
MEMBERS = st.lists(
    st.one_of(
        st.tuples(st.just("kpi"), st.sampled_from(['"k"', '"\\u006b"', '"l"', "1", '""'])),
        st.tuples(st.just("time"), TIMES),
        st.tuples(st.just("value"), NUMBERS),
        st.tuples(st.just("dimensions"), PAIRS.map(lambda p: "{" + ",".join(f'"{n}": "{v}"' for n, v in p) + "}")),
        st.tuples(st.just("id"), st.sampled_from(['"i"', '""', "null", "3", '"é"', f'"{"x" * 257}"'])),
        st.tuples(st.just("source"), st.sampled_from(['"s"', "null", "3"])),
        st.tuples(st.just("provenance"), st.sampled_from(['"automated"', '"self_reported"', '"x"', "null"])),
        st.tuples(st.just("revision"), st.sampled_from(["0", "7", "-1", "1.0", "1.5", "3000000000"])),
        st.tuples(st.sampled_from(["", "x", "\\u0076alue"]), NUMBERS),
    ),
    max_size=4,
)
START = [("kpi", '"k"'), ("time", '"2013-02-08T05:00:00Z"'), ("value", "1")]


def written(members: list[tuple[str, str]]) -> bytes:
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in members) + "}").encode()


@given(st.lists(st.tuples(st.booleans(), MEMBERS), min_size=1, max_size=12))
def test_what_was_seen_before_never_changes_what_a_message_means(drawn: list[tuple[bool, list[tuple[str, str]]]]):
    """The quick way and the careful way agree: one decoder with a memory, and a new one for each message."""
    messages = []
    for complete, members in drawn:
        names = {name for name, _ in members}
        kept = [pair for pair in START if pair[0] not in names] if complete else START
        messages += [written(kept + members)] * 2
    rows = Rows()
    together = decode(*messages, rows=rows)[0]
    found: dict[int, Any] = {}
    for place, row in enumerate(zip(*(column.tolist() for column in together.columns[:8]), strict=True)):
        found[row[6] - 100] = (*row[:6], together.columns.id_length[place])
    for aside in together.asides:
        assert isinstance(aside, Rejected)
        found[aside.offset - 100] = (aside.error.reason, aside.error.path)
    for number, message in enumerate(messages):
        (alone,) = decode(message, rows=rows)
        if alone.asides:
            (aside,) = alone.asides
            assert isinstance(aside, Rejected)
            assert found[number] == (aside.error.reason, aside.error.path)
        else:
            columns = [column.tolist()[0] for column in alone.columns[:6]]
            assert repr(found[number]) == repr((*columns, alone.columns.id_length[0]))
