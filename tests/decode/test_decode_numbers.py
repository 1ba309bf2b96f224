"""Numbers, against Python's own reader: the same double bit by bit, or left alone."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.kernels.scan.numbers import number

GRAMMAR = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def read(text: str) -> tuple[int, float, bool]:
    place, value, whole = number(np.frombuffer(text.encode() + b"}", np.uint8), 0)
    return int(place), float(value), bool(whole)


def is_same(text: str) -> bool:
    """Whether it was taken; it is then what Python reads."""
    place, value, whole = read(text)
    if place < 0:
        return False
    assert place == len(text)
    assert struct.pack("d", value) == struct.pack("d", float(text))
    assert whole == text.lstrip("-").isdigit()
    return True


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(0.1)
@example(1.7976931348623157e308)
@example(2.2250738585072014e-308)
@example(9007199254740993.0)
def test_the_shortest_spelling_of_every_normal_double_is_taken(value: float):
    is_small = value != 0.0 and abs(value) < 2.2250738585072014e-308
    assert is_same(repr(value)) or is_small or str(value) == "-0.0"


@given(st.integers(-(10**19) + 1, 10**19 - 1), st.integers(-342, 308))
@example(9007199254740993, 0)
@example(1, 23)
def test_any_digits_and_exponent_give_the_nearest_double(digits: int, exponent: int):
    assert is_same(f"{digits}e{exponent}") or digits == 0 or not 1e-300 < abs(float(f"{digits}e{exponent}")) < 1e300
    assert is_same(f"{digits}")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=7, min_value=-(10**9), max_value=10**9))
def test_fixed_point_numbers_are_taken(value: object):
    text = f"{value:f}"
    assert is_same(text) or float(text) == 0.0


@pytest.mark.parametrize("text", ["0.000123456789012345678", "-0.00012345678901234567", "0.0000000000000000000000001"])
def test_zeros_before_the_first_digit_are_no_digits(text: str):
    assert is_same(text)


@given(st.integers(1, 2**53 - 1), st.integers(0, 9))
def test_the_middle_between_two_doubles_goes_to_the_even_one(mantissa: int, shift: int):
    middle = (2 * (mantissa | 1 << 52) + 1) << shift
    assert is_same(f"{middle}")
    assert is_same(f"{middle}.0") or len(str(middle)) > 18


@given(st.text("0123456789+-.eE", min_size=1, max_size=12))
def test_only_what_the_grammar_of_json_allows_is_taken(text: str):
    place, _, _ = read(text)
    if place >= 0:
        match = GRAMMAR.match(text)
        assert match
        assert place == match.end()


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e-400", "5e-324", "-0", "-0.0", "1" * 20, "1e99999999999"])
def test_what_cannot_be_told_is_left(text: str):
    assert read(text)[0] == -1
