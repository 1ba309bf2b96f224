"""The scanner says what the reference decoder says, whatever the records are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from comparing import Rows, batch_of, said
from crc32c import crc32c
from mutations import Messages

from engine.decode.scanner import ScanningDecoder
from engine.model.records import Activate, Tick
from engine.wire.batch import Record
from engine.wire.control import encode_control
from engine.wire.reference import ReferenceDecoder

if TYPE_CHECKING:
    from engine.wire.compression import Compression

SEEDS = 40
BATCHES, AT_ONCE = 5, 100


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_scanner_says_what_the_reference_says(seed: int):
    messages = Messages(seed)
    scanner, reference, rows, other = ScanningDecoder(run_max=1 + seed % 3), ReferenceDecoder(), Rows(), Rows()
    for number in range(BATCHES):
        batch = batch_of([messages.record() for _ in range(AT_ONCE)], base=number * AT_ONCE)
        assert said(scanner, batch, rows) == said(reference, batch, other)


def test_the_drawn_messages_are_of_every_sort():
    messages = Messages(1)
    batch = batch_of([messages.record() for _ in range(20_000)])
    found = said(ReferenceDecoder(), batch, Rows())
    refused = {each[1] for each in found[:-1] if isinstance(each[1], str) and each[1].isidentifier()}
    assert refused >= {
        "bad_id", "bad_provenance", "bad_time", "duplicate_field", "empty", "looks_like_milliseconds", "missing_field",
        "naive_time", "negative_revision", "not_an_object", "not_finite", "not_json", "not_utf8", "out_of_range",
        "source_not_allowed", "time_out_of_range", "unknown_field", "unknown_kpi", "wrong_type",
    }  # fmt: skip
    assert sum(len(each) == 9 for each in found[:-1]) > 5_000, "measurements"


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_batches_say_the_same(codec: Compression):
    records = [Messages(3).record() for _ in range(300)]
    assert said(ScanningDecoder(), batch_of(records, 7, codec), Rows()) == said(
        ReferenceDecoder(), batch_of(records, 7), Rows()
    )


def test_control_records_end_a_stretch_wherever_they_stand():
    messages = Messages(5)
    records = [messages.record() for _ in range(200)]
    for place in (0, 3, 4, 77, 199, 205):
        records.insert(place, encode_control(Tick("replay", place, "2013-02-08T05:00:00Z")))
    records.append(encode_control(Activate(1, "h", 2)))
    batch = batch_of(records)
    found = said(ScanningDecoder(), batch, Rows())
    assert found == said(ReferenceDecoder(), batch, Rows())
    assert sum(getattr(each, "record", None) is not None for each in found) == 7


def test_records_outside_the_batch_are_left_out():
    messages = Messages(6)
    batch = batch_of([messages.record() for _ in range(100)], base=1_000)
    part = batch._replace(first_offset=1_020, last_offset=1_059, next_offset=1_060)
    found = said(ScanningDecoder(), part, Rows())
    assert found == said(ReferenceDecoder(), part, Rows())
    assert found


def test_a_series_given_out_anew_is_asked_for_anew():
    scanner, rows = ScanningDecoder(), Rows()
    record = Record(None, b'{"kpi":"load","time":1700000000,"value":1,"id":"a"}')
    batch = batch_of([record, record, record])
    said(scanner, batch, rows)
    rows.rows = {"load{}": 7}
    assert [each[2] for each in said(scanner, batch, rows)[:-1]] == [0, 0, 0]
    scanner.forget()
    assert [each[2] for each in said(scanner, batch, rows)[:-1]] == [7, 7, 7]


@pytest.mark.parametrize("damage", range(60))
def test_damaged_batches_are_refused_alike(damage: int):
    """Bytes of the records are changed and the checksum made right again: only the framing can tell."""
    messages = Messages(damage)
    batch = batch_of([messages.record() for _ in range(20)])
    data = bytearray(batch.data)
    place = 61 + damage * 7 % (len(data) - 61)
    data[place] ^= 1 << damage % 8
    data[17:21] = crc32c(bytes(data[21:])).to_bytes(4, "big")
    hurt = batch._replace(data=bytes(data))
    assert said(ScanningDecoder(), hurt, Rows()) == said(ReferenceDecoder(), hurt, Rows())


SPELLINGS = (
    b'{"kpi":"load","time":"2013-02-08T05:00:00Z","value":%d.25,"dimensions":{"host":"h%d"},"id":"%d"}',
    b'{"kpi": "load", "time": 1360303200, "value": %d, "dimensions": {"host": "h%d"}, "id": "i%d"}',
    b'{"value":-%de-3,"source":"meter","dimensions":{"host":"\xc3\xbc%d"},"id":"%d","kpi":"load","time":1360303200.5}',
    (
        b'{"kpi":"load","revision":3,"time":"2013-02-08T05:00:00.5-05:00","value":0.%d4999999999999,'
        b'"source":null,"provenance":"self_reported","dimensions":{"host":"h%d"},"id":"\xc3\xa4%d"}'
    ),
)


@pytest.mark.parametrize("zone", ["", "\u00fc" * 3, "long" * 20, "too long" * 130])
def test_ids_are_made_as_the_reference_makes_them(zone: str):
    text = '{"kpi":"load","time":%d,"value":1,"dimensions":{"host":"h%d","zone":"' + zone + '"}}'
    times = [0, 1, -1, 9, 10, -10, 99_999, 1_700_000_000, -2_000_000_000, 25_000_000_000]
    records = [Record(None, (text % (time, host)).encode()) for time in times for host in range(5)]
    scanner, reference = ScanningDecoder(), ReferenceDecoder()
    assert said(scanner, batch_of(records), Rows()) == said(reference, batch_of(records), Rows())
    assert scanner.left == (0 if len(zone) < 500 else 50)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_plain_measurement_is_left_to_the_reference(spelling: bytes):
    records = [Record(b"key", spelling % (number + 1, number % 10, number)) for number in range(1_000)]
    scanner, reference = ScanningDecoder(), ReferenceDecoder()
    assert said(scanner, batch_of(records), Rows()) == said(reference, batch_of(records), Rows())
    assert scanner.left == 0
    said(scanner, batch_of(records), Rows())
    assert scanner.left == 0


def test_headers_of_others_are_passed_over():
    record = Record(None, SPELLINGS[0] % (1, 1, 1), (("traceparent", b"00-4bf92f"), ("empty", b"")))
    scanner = ScanningDecoder()
    said(scanner, batch_of([record] * 100), Rows())
    assert scanner.left == 0
