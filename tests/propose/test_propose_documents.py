"""Whatever the sample: what is proposed is sound, its test passes, and the test can fail."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import drafted, regular

from engine.offline.rule_tests import run_test
from engine.propose.choice import Wish
from engine.propose.documents import documents
from engine.rules.loader import Loaded, load_read
from engine.rules.source import read, read_text

if TYPE_CHECKING:
    from engine.propose.draft import Draft
    from engine.propose.naming import Direction

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DIRECTIONS = ("higher_is_better", "lower_is_better", "in_band")


def loaded(draft: Draft) -> Loaded:
    found = read([])
    for name, text in documents(draft).items():
        new = read_text(f"my-rules/{name}", text)
        found.documents.extend(new.documents)
        found.problems.extend(new.problems)
    return load_read(found)


def assert_sound(draft: Draft) -> None:
    found = loaded(draft)
    assert found.rule_set is not None, found.problems
    assert {problem.code for problem in found.problems} <= {"unjudged", "no-decision"}
    assert [rule.mode for rule in found.rule_set.rules] == ["shadow"]
    [test] = found.tests
    assert run_test(test, found.rule_set).differences == (), documents(draft)


def value_of(rng: Random, level: float, spread: float) -> float:
    return round(level + spread * rng.uniform(-1, 1), 4)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("levels", [{"AT": 1.0, "DE": 1.2}, {"AT": 1.0, "DE": 40.0}], ids=["alike", "apart"])
@pytest.mark.parametrize("column", ["duration_ms", "revenue_eur"])
@pytest.mark.parametrize(
    ("step", "count"),
    [(timedelta(minutes=1), 90), (HOUR, 48), (HOUR, 300), (DAY, 20), (DAY, 60), (7 * DAY, 12)],
    ids=["minutes", "two-days", "hours", "days", "two-months", "weeks"],
)
def test_what_is_proposed_for_regular_values_is_sound(
    direction: Direction, levels: dict[str, float], column: str, step: timedelta, count: int
):
    rng = Random(f"{step}{column}")
    assert_sound(
        drafted(regular(step, count, lambda _: value_of(rng, 100, 9), column=column, levels=levels), direction)
    )


@pytest.mark.parametrize("direction", ["higher_is_better", "lower_is_better"])
@pytest.mark.parametrize("a_day", [100_000, 9_000, 900, 90, 20])
@pytest.mark.parametrize("apart", [1, 12], ids=["alike", "apart"])
def test_what_is_proposed_for_counted_events_is_sound(direction: Direction, a_day: int, apart: int):
    rng = Random(a_day)
    days = max(0.2, min(12.0, 4_000 / a_day))
    rows = [
        {"at": 1741003200 + rng.uniform(0, days * 86_400), "country": rng.choices(["AT", "DE"], [1, apart])[0]}
        for _ in range(int(a_day * days))
    ]
    draft = drafted([dict(row) for row in rows], direction, wish=Wish(values=("1",), dimensions=("country",)))
    assert draft.kpis[0].aggregation == "count"
    assert_sound(draft)


@settings(max_examples=60)
@given(
    level=st.floats(-1e6, 1e6),
    spread=st.sampled_from([0.0, 1e-3, 0.1, 1.0]),
    direction=st.sampled_from(DIRECTIONS),
    seed=st.integers(0, 99),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    step=st.sampled_from([timedelta(minutes=5), HOUR, DAY]),
)
def test_what_is_proposed_for_any_level_is_sound(
    level: float, spread: float, direction: Direction, seed: int, zone: str, step: timedelta
):
    rng = Random(seed)
    rows = regular(step, 40, lambda _: value_of(rng, level, abs(level) * spread))
    assert_sound(drafted(rows, direction, zone=zone))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_test_fails_when_the_rule_is_changed(direction: Direction):
    rng = Random(1)
    found = loaded(drafted(regular(HOUR, 40, lambda _: value_of(rng, 100, 9)), direction))
    assert found.rule_set is not None
    rule = found.rule_set.rules[0]
    never = msgspec.structs.replace(rule.condition, op="above", low=None, high=1e9, recover_at=None)
    changed = msgspec.structs.replace(found.rule_set, rules=(msgspec.structs.replace(rule, condition=never),))
    assert run_test(found.tests[0], changed).differences


def test_names_and_texts_of_any_kind_are_written_so_that_they_are_read_back():
    rows = [
        {**row, "country": ("no", "1e3", "a: b, {c}", "Ü 'x' \"y\"")[place % 4]}
        for place, row in enumerate(regular(HOUR, 40, lambda place: 5.0 + place % 3, levels={"x": 1.0}))
    ]
    draft = drafted(rows, "in_band", wish=Wish(dimensions=("country",)))
    assert_sound(draft)
    assert_sound(draft._replace(sample=draft.sample._replace(name="Größe, #1: 'neu'.csv")))


def test_messages_become_a_source_and_rows_a_table():
    rows = regular(HOUR, 40, lambda place: 5.0 + place % 3)
    source, table = (loaded(drafted(rows, "in_band", topic=topic)) for topic in (True, False))
    assert source.rule_set is not None
    assert table.rule_set is not None
    assert (len(source.rule_set.sources), len(source.tables)) == (1, 0)
    assert (len(table.rule_set.sources), len(table.tables)) == (0, 1)


def test_several_values_are_several_kpis_of_one_mapping():
    rows = [
        {**row, "size_kb": str(place)} for place, row in enumerate(regular(HOUR, 40, lambda place: 5.0 + place % 3))
    ]
    found = loaded(drafted(rows, "in_band", wish=Wish(values=("duration_ms", "size_kb"))))
    assert found.rule_set is not None
    assert [kpi.id for kpi in found.rule_set.kpis] == ["orders.duration_ms", "orders.size_kb"]
    assert [mapping.value for mapping in found.tables[0].mappings] == ["duration_ms", "size_kb"]
