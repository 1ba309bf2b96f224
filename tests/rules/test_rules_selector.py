"""What a selector means is what its parts say, one value at a time."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.resolved.selector import Selector, matcher, selects

values = st.text(alphabet="ab1-\n", max_size=4)
patterns = st.sampled_from(["a", "a|b", "ab*", "[ab]+", "a.", "(a|b)-1", ".*", "", "b-?1?", "^a$", r"\w+"])


@given(values, patterns)
def test_a_pattern_matches_the_whole_value(value: str, pattern: str):
    assert Selector(pattern=pattern).holds(value) == bool(re.fullmatch(pattern, value))
    assert Selector(pattern=pattern, negate=True).holds(value) != bool(re.fullmatch(pattern, value))


@given(values, st.lists(values, min_size=1))
def test_a_list_means_each_of_its_values_and_its_negation_all_others(value: str, listed: list[str]):
    assert Selector(values=tuple(listed)).holds(value) == (value in listed)
    assert Selector(values=tuple(listed), negate=True).holds(value) == (value not in listed)


def test_a_series_without_the_dimension_is_meant_only_by_what_excludes():
    assert not selects({"site": "shop"}, {})
    assert not selects({"site": Selector(values=("shop",))}, {})
    assert not selects({"site": Selector(pattern=".*")}, {})
    assert selects({"site": Selector(values=("shop",), negate=True)}, {})
    assert selects({"site": Selector(pattern="shop", negate=True)}, {})


def test_all_dimensions_must_hold():
    where = {"site": Selector(values=("shop", "blog")), "host": Selector(pattern="web-.*", negate=True), "team": "a"}
    assert selects(where, {"site": "shop", "host": "db-1", "team": "a"})
    assert not selects(where, {"site": "shop", "host": "web-1", "team": "a"})
    assert not selects(where, {"site": "docs", "host": "db-1", "team": "a"})
    assert not selects(where, {"site": "shop", "host": "db-1", "team": "b"})


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{100000}{1000}"])
def test_what_is_no_pattern_is_refused_with_a_reason(pattern: str):
    with pytest.raises(ValueError, match=r"\w"):
        matcher(pattern)


def test_a_pattern_that_would_backtrack_for_ever_elsewhere_is_done_in_one_pass():
    assert not Selector(pattern="(a*)*b").holds("a" * 20_000)
    assert Selector(pattern="(a*)*b").holds("a" * 20_000 + "b")
    assert Selector(pattern=f"[{string.ascii_lowercase}]+").holds("abc")
