"""Sketches: quantiles within their documented error of an exact sort, distinct values exact up to their room, and both
the same however values came, were merged and are read.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels import layout
from engine.kernels.layout import DISTINCT, QUANTILE
from engine.kernels.sketches import distinct_in, empty, insert_hash, insert_value, join, quantile_in
from engine.model import sketch as model
from engine.model.aggregation import QUANTILE_UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable

NORMAL = np.random.default_rng(11)
DISTRIBUTIONS = {
    "uniform": NORMAL.uniform(10, 20, 20_000),
    "normal around zero": NORMAL.normal(0, 3, 20_000),
    "lognormal": NORMAL.lognormal(3, 1, 20_000),
    "pareto": NORMAL.pareto(1.1, 20_000) + 1,
    "two far apart": np.concatenate([NORMAL.exponential(0.01, 15_000), 1e6 + NORMAL.normal(0, 1e3, 5_000)]),
}
ASKED = [1, 100, 1_000, 2_500, 5_000, 9_000, 9_500, 9_900, 9_990, 9_999]

numbers = st.lists(
    st.one_of(st.integers(-50, 50).map(float), st.floats(-1e6, 1e6), st.floats(-1e-3, 1e-3)), min_size=1, max_size=300
)


def filled(values: Iterable[float], aggregation: int) -> Any:
    sketch = np.zeros(1, layout.SKETCH)[0]
    empty(sketch)
    for value in values:
        (insert_value if aggregation == QUANTILE else insert_hash)(sketch, value)
    return sketch


def merged(parts: Iterable[Any], aggregation: int) -> Any:
    whole = filled([], aggregation)
    for part in parts:
        join(whole, part, aggregation)
    return whole


def window(values: Any) -> Any:
    row = np.zeros(1, layout.CELL)[0]
    row["count"], row["min"], row["max"] = len(values), np.min(values), np.max(values)
    return row


def told(sketch: Any) -> tuple[int, list[int], list[int]]:
    used = int(sketch["used"])
    return int(sketch["level"]), sketch["key"][:used].tolist(), sketch["count"][:used].tolist()


def as_record(sketch: Any) -> model.Buckets:
    level, keys, counts = told(sketch)
    return model.Buckets(level, tuple(keys), tuple(counts))


def exact(values: Any, asked: int) -> float:
    ordered = sorted(values)
    return float(ordered[max(ceil(len(ordered) * asked / QUANTILE_UNIT), 1) - 1])


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_quantiles_are_within_their_error_of_an_exact_sort(name: str):
    values = DISTRIBUTIONS[name]
    sketch, around = filled(values, QUANTILE), window(values)
    bound = model.error_of(int(sketch["level"]))
    for asked in ASKED:
        true = exact(values, asked)
        assert abs(quantile_in(sketch, asked, around) - true) <= bound * abs(true) + 1e-300, asked
    assert bound <= {"uniform": 2**-8, "lognormal": 2**-6, "pareto": 2**-5}.get(name, 2**-2)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_what_is_merged_is_what_came_at_once(name: str):
    values = DISTRIBUTIONS[name][:3_000]
    parts = [filled(values[first::7], QUANTILE) for first in range(7)]
    whole = filled(values, QUANTILE)
    assert told(merged(parts, QUANTILE)) == told(whole)
    assert told(merged(parts[::-1], QUANTILE)) == told(whole)
    assert model.joined([as_record(part) for part in parts]) == as_record(whole)


@given(numbers, st.randoms(use_true_random=False))
def test_the_order_of_values_leaves_no_trace(values: list[float], chance: Any):
    other = list(values)
    chance.shuffle(other)
    for aggregation in (QUANTILE, DISTINCT):
        assert told(filled(values, aggregation)) == told(filled(other, aggregation))


@given(numbers)
def test_few_values_are_counted_in_the_bucket_around_them(values: list[float]):
    sketch, around = filled(values, QUANTILE), window(values)
    assert int(sketch["count"][: sketch["used"]].sum()) == len(values)
    for asked in ASKED:
        true, read = exact(values, asked), quantile_in(sketch, asked, around)
        assert abs(read - true) <= model.error_of(int(sketch["level"])) * abs(true) + 1e-300
        assert read == model.quantile(as_record(sketch), asked, min(values), max(values))


@given(numbers)
def test_distinct_values_are_exact_while_there_is_room(values: list[float]):
    sketch = filled([*values, *values], DISTINCT)
    assert distinct_in(sketch) == len(set(values))


@pytest.mark.parametrize("many", [511, 512, 2_000, 50_000])
def test_many_distinct_values_are_judged_within_three_standard_errors(many: int):
    values = np.arange(many) * 1.5 - 7
    parts = [filled(values[first::3], DISTINCT) for first in range(3)]
    whole = filled(values, DISTINCT)
    assert told(merged(parts, DISTINCT))[:2] == told(whole)[:2]
    assert abs(distinct_in(whole) - many) <= 3 * many / (model.SKETCH_ENTRIES - 2) ** 0.5
    hashes = tuple(f"{key:016x}" for key in told(whole)[1])
    assert model.distinct(hashes) == distinct_in(whole)


def test_zeros_of_either_sign_are_one_value():
    assert distinct_in(filled([0.0, -0.0], DISTINCT)) == 1
    assert quantile_in(filled([-1.0, 0.0, -0.0, 1.0], QUANTILE), 5_000, window([-1.0, 0.0, 0.0, 1.0])) == 0.0
