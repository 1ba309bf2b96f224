"""Owners of keys: the same partition as every Java client."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_python_murmur2

from engine.wire.partition import murmur2, owner

JAVA = [
    (b"21", -973932308),
    (b"foobar", -790332482),
    (b"a-little-bit-long-string", -985981536),
    (b"a-little-bit-longer-string", -1486304829),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    (b"abc", 479470107),
]


@pytest.mark.parametrize(("data", "expected"), JAVA)
def test_murmur2_gives_the_values_of_the_java_client(data: bytes, expected: int):
    assert murmur2(data) == expected


@given(st.binary(max_size=200))
def test_murmur2_agrees_with_kafka_python(data: bytes):
    assert murmur2(data) & 0xFFFFFFFF == kafka_python_murmur2(data) & 0xFFFFFFFF


@given(st.binary(max_size=60), st.integers(1, 500))
def test_the_owner_is_one_of_the_partitions(key: bytes, count: int):
    assert owner(key, count) == (murmur2(key) & 0x7FFFFFFF) % count
    assert 0 <= owner(key, count) < count


def test_a_key_whose_hash_is_negative_has_an_owner_by_its_low_31_bits():
    assert owner(b"21", 12) == (-973932308 & 0x7FFFFFFF) % 12
