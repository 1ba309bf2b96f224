"""Columns of texts, against Python's own reading of each: the same number, time or id, or left alone."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import WireError
from engine.kernels.blake2b import HEX, SCRATCH
from engine.kernels.lines import BYTES, LINES, RECORD_ROOM, RECORDS, records_of
from engine.kernels.scan.derived import TEXT_BYTES
from engine.kernels.texts import BEGINNING, TEXT_ROOM, derive_ids, hash_ids, numbers_of, times_of
from engine.model.identity import derived_id_beginning, derived_measurement_id, id_hash
from engine.wire.frames import Frame
from engine.wire.records import parse
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]

WRITTEN = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.text("0123456789+-.eE_ naif", max_size=12),
    st.sampled_from(["2013-02-08T05:00:00Z", "2013-02-08T05:00:00.25-05:00", "1700000000", "x" * 60]),
)


def column(texts: list[str]) -> Column:
    encoded = [text.encode() for text in texts]
    ends = [0, *accumulate(map(len, encoded))]
    return (
        np.frombuffer(b"".join(encoded), np.uint8),
        np.array(ends[:-1], np.int32),
        np.array([len(each) for each in encoded], np.int32),
    )


@given(st.lists(WRITTEN, min_size=1))
@example(["1", "23", "4e5"])
def test_numbers_end_where_their_text_does_and_are_those_of_python(texts: list[str]):
    values, taken = np.zeros(len(texts)), np.ones(len(texts), np.uint8)
    numbers_of(*column(texts), np.zeros(TEXT_ROOM, np.uint8), values, taken)
    for text, value, good in zip(texts, values.tolist(), taken.tolist(), strict=True):
        if good:
            assert value == float(text)
        else:
            assert value == 0


@given(st.lists(WRITTEN, min_size=1))
def test_times_are_those_of_the_contract(texts: list[str]):
    times, taken = np.zeros(len(texts), np.int64), np.ones(len(texts), np.uint8)
    times_of(*column(texts), 1, np.zeros(TEXT_ROOM, np.uint8), times, taken)
    for text, time, good in zip(texts, times.tolist(), taken.tolist(), strict=True):
        if good:
            try:
                assert time == parse_time(_as_written(text))
            except WireError as error:
                assert error.reason == "time_out_of_range"  # noqa: PT017 (whoever reads the column looks at the range)


def _as_written(text: str) -> str | float:
    """A number, where the text is one."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


@given(st.lists(st.text(max_size=60), min_size=1))
def test_ids_are_hashed_as_the_library_does(texts: list[str]):
    hashes = np.zeros(len(texts), np.uint64)
    hash_ids(*column(texts), hashes)
    assert hashes.tolist() == [id_hash(text.encode()) for text in texts]


@given(st.text(max_size=80), st.lists(st.integers(-(2**50), 2**55), min_size=1, max_size=5))
def test_ids_are_derived_as_python_does(host: str, times: list[int]):
    beginning = derived_id_beginning("k", {"host": host})
    arena, beginnings = np.frombuffer(beginning, np.uint8), np.zeros(1, BEGINNING)
    beginnings["beginning_length"] = len(beginning)
    made = np.zeros(HEX * len(times), np.uint8)
    which, moments = np.zeros(len(times), np.int32), np.array(times, np.int64)
    derive_ids(arena, beginnings, which, moments, np.zeros(TEXT_BYTES, np.uint8), np.zeros(SCRATCH, np.uint64), made)
    expected = [derived_measurement_id("k", {"host": host}, time) for time in times]
    assert made.tobytes().decode() == "".join(expected)


@given(st.lists(st.binary(max_size=400).map(lambda line: line.replace(b"\n", b"")), max_size=30), st.booleans())
def test_each_line_that_is_not_blank_is_a_record_by_its_number(lines: list[bytes], ends: bool):  # noqa: FBT001
    data = b"\n".join(lines) + (b"\n" if ends else b"")
    counts = np.zeros(4, np.int64)
    out = np.zeros(len(data) + RECORD_ROOM * (len(lines) + 1), np.uint8)
    records_of(np.frombuffer(data, np.uint8), out, counts)
    found = parse(Frame(7, int(counts[RECORDS]), out[: counts[BYTES]].tobytes()))
    split = data.split(b"\n")
    expected = [(7 + number, line) for number, line in enumerate(split) if line.strip(b" \t\r")]
    assert [(offset, value) for offset, _, value, _ in found] == expected
    assert counts[LINES] == len(split) - (not split[-1])
