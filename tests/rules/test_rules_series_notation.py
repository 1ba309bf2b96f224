"""The notation of series in rule tests, against a renderer that writes down every value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.series_notation import VALUES_MAX, Values, parse_values

numbers = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 3))
times = st.integers(1, 4)


@st.composite
def items(draw: st.DrawFn, depth: int = 2) -> tuple[str, list[float | None]]:
    """An item as text, and the values that it stands for."""
    kind = draw(st.sampled_from(["number", "gap", "run", *(["group"] if depth else [])]))
    count = draw(times)
    suffix = f"x{count}" if count > 1 or draw(st.booleans()) else ""
    if kind == "number":
        value = draw(numbers)
        return f"{value}{suffix}", [value] * count
    if kind == "gap":
        return f"_{suffix}", [None] * count
    if kind == "run":
        first, step = draw(st.integers(-99, 99)), draw(st.integers(0, 9))
        sign = draw(st.sampled_from([1, -1]))
        return f"{first}{'+' if sign > 0 else '-'}{step}x{count}", [first + sign * step * k for k in range(count)]
    inner = draw(st.lists(items(depth=depth - 1), min_size=1, max_size=3))
    values = [value for _, held in inner for value in held]
    return f"({' '.join(text for text, _ in inner)}){suffix}", values * count


@given(st.lists(items(), min_size=1, max_size=5))
def test_what_is_written_is_what_is_read(drawn: list[tuple[str, list[float | None]]]):
    text = "  ".join(text for text, _ in drawn)
    assert parse_values(text) == tuple(value for _, values in drawn for value in values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2 3x5 _ 9", (1, 2, 3, 3, 3, 3, 3, None, 9)),
        ("-1.5 .5 2e3", (-1.5, 0.5, 2000)),
        ("10+2x3", (10, 12, 14)),
        ("10-2.5x3", (10, 7.5, 5)),
        ("(5 (1 _)x2)x2", (5, 1, None, 1, None, 5, 1, None, 1, None)),
        ("_x3", (None, None, None)),
    ],
)
def test_examples(text: str, values: Values):
    assert parse_values(text) == values


@pytest.mark.parametrize(
    "text", ["", " ", "()", "a", "1,2", "1x", "1x0", "3x5x2", "1 2)", "(1 2", "1+x3", "1_", "nan", "--1"]
)
def test_what_is_no_series_is_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        parse_values(text)


@pytest.mark.parametrize("text", [f"1x{VALUES_MAX + 1}", "(" * 9 + "1" + ")x9999" * 9, "1+1x999999999999"])
def test_endless_series_are_refused_before_they_are_made(text: str):
    with pytest.raises(ValueError, match="values"):
        parse_values(text)
