"""The windows that a governance rule holds: waited for, restated while they can be, merged when they are final."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import naive_governance as naive
import pytest
from governed_world import Driven, restated, rules_of, shares, week
from hypothesis import given
from hypothesis import strategies as st

from engine.correlate.governance.watch import MEMBERS, merged
from engine.correlate.judge import aggregate
from engine.model.records import Parts
from engine.model.time import HOUR, format_time

if TYPE_CHECKING:
    from engine.model.records import JoinRecord

values = st.integers(-1000, 1000).map(float)
EASY = rules_of("{always_green: {windows: 8}}")
LATE = 3 * HOUR


@st.composite
def measured(draw: st.DrawFn) -> Parts:
    """The parts of one series: of so many values at as many times."""
    held = draw(st.lists(values, min_size=1, max_size=4))
    time = format_time(draw(st.integers(0, 50)) * HOUR)
    return Parts(len(held), sum(held), min(held), max(held), sum(value != 0 for value in held), held[-1], time)


@given(
    st.lists(measured(), min_size=1, max_size=5),
    st.sampled_from(["count", "sum", "mean", "min", "max", "last", "share"]),
)
def test_merged_shares_have_the_value_of_all_of_them(parts: list[Parts], aggregation: str):
    assert aggregate([merged(parts)], aggregation, []) == aggregate(parts, aggregation, [])  # type: ignore[arg-type]


def fed(driven: Driven, number: int, records: list[JoinRecord], after: int = HOUR) -> int:
    """How much was said at the barrier so long after the week's end."""
    said = driven.watching.advance(driven.watch, records, week(number) + after)
    driven.told += [(number, each) for each in said]
    return len(said)


def easy_weeks(count: int) -> Driven:
    driven = Driven(EASY)
    for number in range(count):
        driven.week(number, {"visits": 300.0 + number % 3})
    return driven


def test_a_window_waits_for_the_series_that_sent_something_before():
    driven = easy_weeks(7)
    first, second = shares("visits", 7, 300.0)
    assert fed(driven, 7, [first]) == 0
    assert driven.watch.wake == week(7) + HOUR + EASY.rule_by_id["told"].idle
    assert fed(driven, 7, [second], LATE) == 1


def test_and_goes_without_it_when_its_idle_has_passed():
    driven = easy_weeks(7)
    first, _ = shares("visits", 7, 300.0)
    fed(driven, 7, [first])
    idle = EASY.rule_by_id["told"].idle
    assert fed(driven, 7, [], HOUR + idle - 1) == 0
    assert fed(driven, 7, [], HOUR + idle) == 1


@pytest.mark.parametrize(("back", "turns"), [(1, ["ended"]), (MEMBERS - 1, ["withdrawn"]), (MEMBERS + 1, [])])
def test_what_is_restated_is_judged_again_until_it_is_final(back: int, turns: list[str]):
    """A value far below the target, `back` windows before the newest: it was on since the eighth."""
    driven = easy_weeks(12)
    assert driven.weeks("began") == [7]
    restated = [msgspec.structs.replace(each, revision=1) for each in shares("visits", 11 - back, 10.0)]
    fed(driven, 11, restated, LATE)
    driven.week(12, {"visits": 300.0})
    assert [each.turn for _, each in driven.told[1:]] == turns


def test_a_watch_holds_one_share_of_each_old_window_and_no_more_windows_than_it_needs():
    driven = easy_weeks(60)
    [ring] = driven.watch.rings.values()
    assert {len(window.shares) for index, window in ring.windows.items() if index < 59 - MEMBERS} == {1}
    assert len(ring.windows) == 2 * (8 + MEMBERS)


def test_a_window_that_one_kpi_lacks_is_passed_over():
    rules = rules_of("{green_over_falling: {windows: 8}}", kpi="kept")
    driven = Driven(rules)
    for number in range(20):
        values = {"visits": 120.0, "trials": 50.0, "kept": 100.0 - 4 * number}
        driven.week(number, values if number != 5 else {"visits": 120.0, "kept": 1.0})
    complete = [number for number in range(20) if number != 5]
    fell = [100.0 - 4 * number for number in complete]
    board = {100.0: [120.0] * len(fell), 40.0: [50.0] * len(fell)}
    [begin] = naive.turns(naive.green_over_falling(fell, board, 8)).begins
    assert driven.weeks("began") == [complete[begin]]
    first = driven.told[0][1].evidence
    assert [point.value for point in first.kpis[0].points] == fell[begin - 7 : begin + 1]


GRACED = ("aggregation: sum\nwindow: {every: 7d}", "aggregation: sum\ngrace: 140d\nwindow: {every: 7d}")
FEW = "{restated_in_favour: {windows: 12, changed: 8, sensitivity: high}}"


def corrected(records: list[JoinRecord], *edits: tuple[str, str]) -> Driven:
    """Twelve weeks of a hundred each; with the last of them come records on what was before."""
    driven = Driven(rules_of(FEW, "visits", GRACED, *edits))
    for number in range(11):
        driven.week(number, {"visits": 100.0})
    driven.week(11, {"visits": 100.0}, records)
    return driven


def all_of(value: float, count: int = 8, *, late: bool = False, revision: int = 1) -> list[JoinRecord]:
    return [each for week in range(count) for each in restated("visits", week, value, revision, late=late)]


def up_and_back(value: float) -> list[JoinRecord]:
    return [*all_of(value), *all_of(100.0, revision=2)]


LOWER = (
    "direction: higher_is_better\nrole: leading\nunit: visits",
    "direction: lower_is_better\nrole: leading\nunit: visits",
)


@pytest.mark.parametrize(
    ("records", "edits", "on"),
    [
        (all_of(110.0), (), True),
        (all_of(110.0, late=True), (), False),
        (all_of(110.0, 7), (), False),
        (all_of(90.0), (), False),
        (all_of(90.0), (LOWER,), True),
        (all_of(110.0), (LOWER,), False),
        (all_of(101.0), (), False),  # 8 of 1200 are less than one in a hundred
        (all_of(101.5), (), True),  # 12 of 1200
        (up_and_back(110.0), (), False),
        (up_and_back(100.1), (), False),
        # What came late stands in the values, and in no change: 8 of 1200 + 8 * 50.
        ([*all_of(150.0, late=True), *all_of(151.0, revision=2)], (), False),
        ([*all_of(150.0, late=True), *all_of(154.0, revision=2)], (), True),
        # The same record twice, as after a crash.
        ([*all_of(101.0), *all_of(101.0)], (), False),
        # A series of which nothing was known says what it is, and restates nothing.
        ([msgspec.structs.replace(each, series="visits{}") for each in all_of(110.0)], (), False),
    ],
)  # fmt: skip
def test_windows_that_are_restated_in_favour_by_hand(
    records: list[JoinRecord], edits: tuple[tuple[str, str], ...], on: object
):
    driven = corrected(records, *edits)
    assert driven.weeks("began") == ([11] if on else [])


def test_restatements_are_counted_for_as_long_as_the_grace_lets_them_come():
    """The oldest of eight is eleven weeks behind the newest; others are final after seven."""
    driven = corrected(all_of(110.0))
    found = driven.told[0][1].evidence.found
    assert [(each.start[:10], each.before, each.times) for each in found.windows][:2] == [
        ("2026-01-01", 100.0, 2),
        ("2026-01-08", 100.0, 2),
    ]
    assert (found.all.changed, found.all.net, found.all.chance) == (8, 80.0, 1 / 256)


def test_a_milestone_is_proven_by_what_is_restated_for_as_long_as_the_grace_lets_it_come():
    """Seven of the last twelve, the oldest of them eleven weeks behind the newest."""
    done = ("value: 150", "value: 150, done: 2026-01-01")
    driven = Driven(rules_of("{unproven_milestone: {windows: 12}}", "visits", GRACED, done))
    for number in range(20):
        driven.week(number, {"visits": 120.0})
    fed(driven, 19, [each for week in range(8, 15) for each in restated("visits", week, 160.0, 1)], LATE)
    assert (driven.weeks("began"), driven.weeks("ended")) == ([0], [19])


def test_a_watch_forgets_the_restatements_of_windows_that_it_no_longer_holds():
    driven = corrected(all_of(110.0))
    for number in range(12, 80):
        driven.week(number, {"visits": 100.0})
    assert driven.watch.restated == {}
    assert driven.weeks("ended") == [16], "four of eight are half, three are not: the weeks 5 to 16 hold three"


def test_a_rule_that_is_taken_away_while_it_is_on_never_was():
    driven = easy_weeks(10)
    [withdrawn] = driven.watching.dropped(driven.watch, "rule removed")
    assert (withdrawn.turn, withdrawn.cause, withdrawn.opened) == ("withdrawn", "rule removed", format_time(week(7)))
    assert Driven(EASY).watching.dropped(Driven(EASY).watch, "rule removed") == []
