"""Rows are brought together by series, and nothing else of them changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from backtest_world import RULES, START, Told, rule_set, written
from hypothesis import given
from hypothesis import strategies as st

from engine.model.time import SECOND
from engine.offline.backtest.columns import nothing
from engine.offline.backtest.files import Reading
from engine.offline.backtest.gather import gathered, order_of
from engine.offline.backtest.run import run
from engine.wire.columns import Chunk

if TYPE_CHECKING:
    from pathlib import Path

# On both sides of 16 bits, and with equal low halves.
NUMBERS = st.lists(st.sampled_from([0, 1, 2, 65_535, 65_536, 65_537, 131_073, 2**31 - 1]), max_size=40)


@given(NUMBERS)
def test_the_order_is_by_series_and_within_it_as_it_was(numbers: list[int]):
    found = order_of(np.array(numbers, np.int32)).tolist()
    assert found == sorted(range(len(numbers)), key=lambda place: (numbers[place], place))


def chunk_of(rows: list[int]) -> Chunk:
    made = nothing()
    wide = {name: np.arange(len(rows)).astype(getattr(made, name).dtype) for name in made._fields}
    return Chunk(made._replace(**{**wide, "row": np.array(rows, np.int32)}), (), None)


def test_each_row_keeps_what_is_its_own():
    columns = gathered(chunk_of([1, 0, 1, 0]), 2).columns
    assert columns.row.tolist() == [0, 0, 1, 1]
    for name in ("time", "value", "id_hash", "revision", "offset", "id_start", "id_length"):
        assert getattr(columns, name).tolist() == [1, 3, 0, 2], name
    assert columns.ids.tolist() == [0, 1, 2, 3]


def test_where_hardly_any_series_has_two_rows_they_stay_as_they_are():
    assert gathered(chunk_of([1, 0, 1]), 2).columns.row.tolist() == [1, 0, 1]


def test_what_the_evaluation_refuses_is_told_by_its_line(tmp_path: Path):
    hosts = ["a", "b", "b", "a", "b", "a", "b", "b"]
    told = [Told(host, START + second * SECOND, 1.0, str(second)) for second, host in enumerate(hosts)]
    restated = Told("b", START + 9 * SECOND, 2.0, "2", revision=1)  # of another time than what was said before
    path = written(tmp_path / "rows.ndjson", [*told, restated, Told("a", START + 10 * SECOND, 1.0, "10")])
    refusals = run(rule_set(rules=RULES), [path], Reading()).refusals
    assert refusals.counts == {"restated": 1}
    assert refusals.examples["restated"][0].startswith(f"{path}:9: ")
