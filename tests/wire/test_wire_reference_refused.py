"""The reference decoder: what is refused, and why."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from reference_messages import decode, raw_value, refusal, with_, without

from engine.model.limits import Limits
from engine.wire.columns import Rejected
from engine.wire.reasons import BATCH_FAULTS, REASONS, SENTENCES
from engine.wire.reference import ReferenceDecoder

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
