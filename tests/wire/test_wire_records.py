"""Record batches: what other clients write is read, what is written other clients read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.memory_records import MemoryRecords as KafkaPythonRecords
from kafka.record.memory_records import MemoryRecordsBuilder

from engine.errors import WireError
from engine.wire.batch import Batch, LogRecord, Record
from engine.wire.compression import CODES, compress_block, decompress, decompress_block
from engine.wire.records import encode_batch, records

if TYPE_CHECKING:
    from collections.abc import Sequence

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=3).map(tuple)
OPTIONAL = st.none() | st.binary(max_size=200)
RECORDS = st.lists(st.builds(Record, OPTIONAL, OPTIONAL, HEADERS), max_size=8)


def batch_of(data: bytes, first: int, last: int, aborted: tuple[tuple[int, int], ...] = ()) -> Batch:
    return Batch("t", 0, first, last, last + 1, data, aborted)


def written_by_aiokafka(
    values: Sequence[bytes], base: int, *, codec: int = 0, transactional: bool = False, producer: int = -1
) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, int(transactional), producer, 0, 0, 1 << 20)
    for delta, value in enumerate(values):
        builder.append(delta, 1_700_000_000_000 + delta, b"k", value, [("h", b"x")])
    data = bytearray(builder.build())
    data[:8] = base.to_bytes(8, "big")
    return bytes(data)


def marker(base: int, producer: int, *, commit: bool) -> bytes:
    """A control batch as a broker writes it: one record, key (version 0, type 0 abort or 1 commit)."""
    record = Record(b"\0\0\0" + bytes([commit]), b"\0\0\0\0\0\0")
    plain = bytearray(encode_batch([record], base, timestamp_ms=1))
    plain[21:23] = (0x30).to_bytes(2, "big")
    plain[43:51] = producer.to_bytes(8, "big")
    from crc32c import crc32c  # noqa: PLC0415 (only this function makes a batch by hand)

    plain[17:21] = crc32c(bytes(plain[21:])).to_bytes(4, "big")
    return bytes(plain)


@pytest.mark.parametrize("codec", CODECS)
@given(given_records=RECORDS, base=st.integers(0, 2**40))
def test_what_is_encoded_is_read_back(codec: str | None, given_records: list[Record], base: int):
    data = encode_batch(given_records, base, 1_700_000_000_000, codec)
    read = list(records(batch_of(data, base, base + len(given_records) - 1)))
    assert read == [LogRecord(base + i, *record) for i, record in enumerate(given_records)]


@pytest.mark.parametrize(
    ("codec", "library"),
    # kafka-python has no snappy, lz4 or zstd without further packages
    [*((codec, MemoryRecords) for codec in CODECS), (None, KafkaPythonRecords), ("gzip", KafkaPythonRecords)],
)
def test_other_clients_read_what_is_encoded(codec: str | None, library: type):
    given_records = [Record(b"k", b"v" * 300, (("h", b"1"),)), Record(None, None), Record(b"", b"")]
    reader = library(encode_batch(given_records, 70, 1_234, codec))
    read = reader.next_batch()
    assert read.validate_crc()
    found = [(r.offset, r.key, r.value, tuple(r.headers), r.timestamp) for r in read]
    assert found == [(70 + i, r.key, r.value, r.headers, 1_234) for i, r in enumerate(given_records)]
    assert not reader.has_next()


@pytest.mark.parametrize("code", CODES.values())
def test_what_aiokafka_writes_is_read(code: int):
    data = written_by_aiokafka([b"one" * 40, b"two"], 5, codec=code)
    expected = [LogRecord(5, b"k", b"one" * 40, (("h", b"x"),)), LogRecord(6, b"k", b"two", (("h", b"x"),))]
    assert list(records(batch_of(data, 5, 6))) == expected


@pytest.mark.parametrize("code", [CODES[None], CODES["gzip"]])
def test_what_kafka_python_writes_is_read(code: int):
    builder = MemoryRecordsBuilder(2, code, 1 << 20)
    values = [b"%d" % i * 20_000 for i in range(9)]
    for value in values:
        builder.append(timestamp=9_000_000_000_000, key=None, value=value)
    builder.close()
    assert [record.value for record in records(batch_of(bytes(builder.buffer()), 0, 8))] == values


def test_snappy_without_framing_is_read():
    import cramjam  # noqa: PLC0415 (only here)

    assert decompress(bytes(cramjam.snappy.compress_raw(b"plain" * 9)), CODES["snappy"]) == b"plain" * 9


@given(st.lists(RECORDS.filter(bool), min_size=1, max_size=4), st.data())
def test_only_records_between_first_and_last_offset_are_given(batches: list[list[Record]], data: st.DataObject):
    whole = [record for part in batches for record in part]
    starts = [sum(map(len, batches[:i])) for i in range(len(batches))]
    encoded = b"".join(encode_batch(part, start) for part, start in zip(batches, starts, strict=True))
    first = data.draw(st.integers(0, len(whole) - 1))
    last = data.draw(st.integers(first - 1, len(whole) - 1))
    found = [(r.offset, r.value) for r in records(batch_of(encoded, first, last))]
    assert found == [(i, whole[i].value) for i in range(first, last + 1)]


def test_records_of_aborted_transactions_and_control_batches_are_left_out():
    data = b"".join(
        [
            written_by_aiokafka([b"lost"], 0, transactional=True, producer=7),
            written_by_aiokafka([b"kept by another"], 1, transactional=True, producer=8),
            written_by_aiokafka([b"plain"], 2, producer=7),
            marker(3, 7, commit=False),
            written_by_aiokafka([b"kept later"], 4, transactional=True, producer=7),
            marker(5, 7, commit=True),
            marker(6, 8, commit=True),
        ]
    )
    found = [r.value for r in records(batch_of(data, 0, 6, ((7, 0),)))]
    assert found == [b"kept by another", b"plain", b"kept later"]


def test_an_aborted_transaction_stays_out_when_the_batch_begins_behind_its_first_record():
    data = written_by_aiokafka([b"a", b"b"], 0, transactional=True, producer=7) + marker(2, 7, commit=False)
    data += written_by_aiokafka([b"c"], 3, transactional=True, producer=7)
    assert [r.value for r in records(batch_of(data, 1, 3, ((7, 0),)))] == [b"c"]


@given(st.data())
def test_a_batch_cut_short_is_refused_by_name(data: st.DataObject):
    encoded = encode_batch([Record(b"k", b"v" * 50)] * 3, 0)
    cut = data.draw(st.integers(1, len(encoded) - 1))
    with pytest.raises(WireError) as caught:
        list(records(batch_of(encoded[:cut], 0, 2)))
    assert caught.value.reason == "truncated_batch"


@given(st.data(), st.sampled_from(CODECS))
def test_a_flipped_bit_is_never_read_as_data(data: st.DataObject, codec: str | None):
    encoded = bytearray(encode_batch([Record(b"k", b"v" * 50)] * 3, 0, 5, codec))
    place = data.draw(st.integers(17, len(encoded) - 1))
    encoded[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(WireError) as caught:
        list(records(batch_of(bytes(encoded), 0, 2)))
    assert caught.value.reason == "corrupt_batch"


def test_an_older_record_format_is_refused_by_name():
    encoded = bytearray(encode_batch([Record(None, b"v")], 0))
    encoded[16] = 1
    with pytest.raises(WireError, match="expected record format 2, found 1"):
        list(records(batch_of(bytes(encoded), 0, 0)))


def test_no_records_are_no_bytes():
    assert encode_batch([], 5) == b""
    assert list(records(Batch("t", 0, 5, 4, 9, b""))) == []


@given(st.binary(max_size=300).map(lambda data: data * 20))
def test_blocks_of_our_own_come_back_whole_or_not_at_all(data: bytes):
    block = compress_block(data)
    assert decompress_block(block) == data
    with pytest.raises(WireError, match="LZ4"):
        decompress_block(block[:-1])
