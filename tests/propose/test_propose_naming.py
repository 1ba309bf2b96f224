from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.propose.columns import words_of
from engine.propose.naming import direction_of, is_summed, slug, title_of, unit_of
from engine.propose.written import duration, flow, listed, number, text
from engine.rules.source import read_text
from engine.rules.spec.scalars import duration as read_duration


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("first_answer_min", ["first", "answer", "min"]),
        ("payment.durationMs", ["duration", "ms"]),
        ("a.items[0].unitPrice", ["unit", "price"]),
        ("Order Date", ["order", "date"]),
        ("NPS", ["nps"]),
    ],
)
def test_names_are_words(name: str, words: list[str]):
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("words", "unit", "title"),
    [
        (["first", "answer", "min"], "minutes", "First answer"),
        (["duration", "ms"], "milliseconds", "Duration"),
        (["revenue", "eur"], "EUR", "Revenue"),
        (["score"], None, "Score"),
        (["ms"], "milliseconds", "Ms"),
    ],
)
def test_a_name_tells_its_unit_and_title(words: list[str], unit: str | None, title: str):
    assert (unit_of(words), title_of(words)) == (unit, title)


@pytest.mark.parametrize(
    ("words", "direction"),
    [
        (["error", "count"], "lower_is_better"),
        (["duration", "ms"], "lower_is_better"),
        (["revenue"], "higher_is_better"),
        (["order", "errors"], None),
        (["temperature"], None),
    ],
)
def test_a_name_tells_which_way_is_better_or_it_does_not(words: list[str], direction: str | None):
    assert direction_of(words) == direction


def test_a_duration_in_seconds_is_no_amount():
    assert is_summed(["order", "amount"])
    assert not is_summed(["order", "seconds"])


@given(st.text(max_size=90))
def test_a_slug_is_an_id_or_nothing(name: str):
    made = slug(name)
    assert made == "" or re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", made)


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30))
def test_text_is_read_back_as_it_was(value: str):
    for written in (f"a: {text(value)}", f"a: {{b: {text(value)}}}", f"a: {listed([value])}", flow({value: "1"})):
        found = read_text("a.yaml", written)
        assert found.problems == [], written
        [document] = found.documents
        assert document.data in ({"a": value}, {"a": {"b": value}}, {"a": [value]}, {value: 1})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_back_as_they_were(value: float):
    [document] = read_text("a.yaml", f"a: {number(value)}").documents
    assert document.data == {"a": value}


@given(st.integers(1, 10**8).map(lambda seconds: seconds * 1_000_000))
def test_durations_are_read_back_as_they_were(micros: int):
    assert read_duration(duration(micros)) == micros
