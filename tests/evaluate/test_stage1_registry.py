"""Series are found by their keys, byte for byte, and nothing but keys is kept of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels import registry as kernel
from engine.kernels.registry import ABSENT
from engine.model.identity import series_key
from engine.state.memory import Memory
from engine.state.registry import Registry
from engine.wire.partition import murmur2

ALIKE = (b'k{"a":"137724"}', b'k{"a":"404510"}')
"""Keys of one length and one hash."""

names = st.text('abé\\"{ 1', max_size=6)
series = st.tuples(st.sampled_from(["k", "k.b"]), st.dictionaries(names, names, max_size=3))


@given(st.binary(max_size=80))
def test_the_compiled_hash_is_that_of_the_partitioner(key: bytes):
    padded = np.frombuffer(b"xyz" + key, np.uint8)
    assert kernel.murmur2(padded, 3, len(padded)) == murmur2(key) & 0xFFFFFFFF


@given(st.lists(st.lists(series, max_size=40), max_size=6), st.sampled_from(["add", "extend"]))
def test_a_registry_is_a_list_of_series_and_a_dictionary_of_rows(
    batches: list[list[tuple[str, dict[str, str]]]], how: str
):
    registry = Registry({"k": 0, "k.b": 1})
    listed: list[tuple[int, dict[str, str], str]] = []
    rows: dict[str, int] = {}
    for batch in batches:
        fresh = {series_key(kpi, dims): (kpi, dims) for kpi, dims in batch if series_key(kpi, dims) not in rows}
        keys = [key.encode() for key in fresh]
        assert [registry.find(key) for key in keys] == [ABSENT] * len(keys)
        for key, (kpi, dims) in fresh.items():
            rows[key] = len(listed)
            listed.append((("k", "k.b").index(kpi), dims, key))
        if how == "add":
            for key in keys:
                registry.add(key)
        else:
            registry.extend(b"".join(keys), np.array([len(key) for key in keys], np.int64))
    assert list(registry) == listed
    assert len(registry) == len(listed)
    assert {key: registry.find(key.encode()) for key in rows} == rows
    copy = Registry({"k": 0, "k.b": 1})
    copy.extend(*registry.keys(0, len(registry)))
    assert list(copy) == listed


def test_series_whose_keys_have_one_hash_stay_two_series():
    one, other = ALIKE
    assert murmur2(one) == murmur2(other)
    assert len(one) == len(other)
    registry = Registry({"k": 0})
    registry.add(one)
    assert registry.find(other) == ABSENT
    registry.add(other)
    assert [registry.find(one), registry.find(other)] == [0, 1]


def test_there_is_no_series_beyond_the_last():
    registry = Registry({"k": 0})
    registry.add(b"k{}")
    with pytest.raises(IndexError):
        registry[1]
    with pytest.raises(IndexError):
        registry[-1]


@pytest.mark.parametrize("somebody_looks", [False, True])
def test_memory_grows_with_what_is_in_it_and_the_rest_is_zero(*, somebody_looks: bool):
    memory = Memory(np.dtype(np.int64), 8)
    memory.array[:] = range(1, 9)
    former = memory.array[2:4] if somebody_looks else None
    grown = memory.grow(100_000)
    assert grown is memory.array
    assert grown[:8].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(grown) == 100_000
    assert not grown[8:].any()
    assert former is None or former.tolist() == [3, 4]
