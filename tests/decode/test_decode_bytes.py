"""Strings, hashes and spellings, against what Python and the libraries say of the same bytes."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.memory import SpellingMemory
from engine.kernels.blake2b import BLOCK, HEX, SCRATCH, blake2b_hex
from engine.kernels.scan.message import ABSENT, MESSAGE, NULL
from engine.kernels.scan.spellings import NOT_THERE, find, learn
from engine.kernels.scan.strings import characters, string_end
from engine.kernels.words import copy_bytes
from engine.kernels.xxh64 import xxh64

BYTES = st.binary(max_size=100)
STRANGE = st.lists(st.sampled_from([b'"', b"\\", b"\x00", b"\x1f", b" ", b"!", b"\x7f", b"\x80", b"\xff", b"a"])).map(
    b"".join
)
SURROGATES = st.sampled_from([b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf"])


def array(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(data, np.uint8)


@given(BYTES, st.integers(0, 40), st.integers(0, 2**64 - 1))
def test_the_hash_is_that_of_the_library(data: bytes, start: int, seed: int):
    start = min(start, len(data))
    found = xxh64(array(data), start, len(data) - start, np.uint64(seed))
    assert int(found) == xxhash.xxh64_intdigest(data[start:], seed)


@given(st.binary(max_size=400))
def test_the_digest_is_that_of_the_library(data: bytes):
    blocks, out = np.zeros((len(data) // BLOCK + 1) * BLOCK, np.uint8), np.zeros(HEX + 2, np.uint8)
    blocks[: len(data)] = array(data)
    blake2b_hex(blocks, len(data), np.zeros(SCRATCH, np.uint64), out, 1)
    assert out.tobytes().decode() == "\0" + blake2b(data, digest_size=16).hexdigest() + "\0"


@given(st.one_of(BYTES, STRANGE), st.integers(0, 20), st.integers(0, 20))
def test_a_string_ends_at_its_first_quote_unless_something_odd_comes_first(data: bytes, start: int, rest: int):
    start, end = min(start, len(data)), max(len(data) - rest, 0)
    expected = -1
    for place in range(start, end):
        if data[place] == 0x22:
            expected = place
        if data[place] in (0x22, 0x5C) or data[place] < 0x20:
            break
    assert int(string_end(array(data), start, end)) == expected


@given(
    st.one_of(BYTES, st.text(max_size=40).map(lambda text: text.encode(errors="surrogatepass"))),
    SURROGATES,
    st.booleans(),
)
def test_characters_are_those_of_python(data: bytes, wrong: bytes, hurt: bool):  # noqa: FBT001 (drawn)
    data = data + wrong if hurt else data
    try:
        expected = len(data.decode())
    except UnicodeDecodeError:
        expected = -1
    assert int(characters(array(data + b"\x80"), 0, len(data))) == expected


Spelling = tuple[bytes, bytes | None, bytes | None, bool]
SPELLING = st.tuples(
    st.binary(min_size=1, max_size=12),
    st.none() | st.binary(min_size=2, max_size=30),
    st.none() | st.binary(max_size=9),
    st.booleans(),
)


def laid_out(spelling: Spelling) -> tuple[bytes, np.ndarray[tuple[int], np.dtype[np.void]]]:
    """The bytes of a message and where its parts stand. A source of None is absent, or null if the last says so."""
    kpi, dimensions, source, null = spelling
    message = np.zeros(1, MESSAGE)
    data = b"<" + kpi + b">" + (dimensions or b"") + b">" + (source or b"") + b">"
    message["kpi"], message["kpi_length"] = 1, len(kpi)
    message["dimensions"] = 2 + len(kpi)
    message["dimensions_length"] = ABSENT if dimensions is None else len(dimensions)
    message["source"] = 3 + len(kpi) + len(dimensions or b"")
    message["source_length"] = (NULL if null else ABSENT) if source is None else len(source)
    return data, message


def meant(spelling: Spelling) -> Spelling:
    return spelling if spelling[2] is None else (*spelling[:3], False)


@given(st.lists(SPELLING, max_size=60), st.lists(SPELLING, max_size=10))
def test_a_spelling_is_found_by_all_of_its_bytes(spellings: list[Spelling], others: list[Spelling]):
    memory, rows = SpellingMemory(), dict[Spelling, int]()
    for row, spelling in enumerate(spellings):
        if meant(spelling) not in rows:
            rows[meant(spelling)] = row
            data, message = laid_out(spelling)
            memory.make_room(len(data))
            learn(memory.spellings, array(data), message[0], row)
    for spelling in [*spellings, *others]:
        data, message = laid_out(spelling)
        number = int(find(memory.spellings, array(data), message[0]))
        row = NOT_THERE if number < 0 else int(memory.spellings.entries[number]["row"])
        assert row == rows.get(meant(spelling), NOT_THERE)


def test_the_memory_of_spellings_grows():
    memory = SpellingMemory()
    for row in range(5_000):
        data, message = laid_out((b"load", b'{"host":"a rather long name of a host %d"}' % row, None, False))
        memory.make_room(len(data))
        learn(memory.spellings, array(data), message[0], row)
    for row in range(0, 5_000, 7):
        data, message = laid_out((b"load", b'{"host":"a rather long name of a host %d"}' % row, None, False))
        assert int(find(memory.spellings, array(data), message[0])) == row


@given(BYTES, st.integers(0, 20), st.integers(0, 20))
def test_bytes_are_copied_and_nothing_around_them(data: bytes, start: int, place: int):
    start = min(start, len(data))
    target = np.full(len(data) + 40, 7, np.uint8)
    copy_bytes(target, place, array(data), start, len(data) - start)
    assert target.tobytes() == (b"\7" * place + data[start:]).ljust(len(target), b"\7")
