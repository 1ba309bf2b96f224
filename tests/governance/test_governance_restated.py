"""Whatever comes late or is said again while it may: governance ends where sorted, corrected windows end."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec
import naive_governance as naive
import pytest
from governed_world import HOUR, WEEK, Driven, restated, rules_of, shares, week, with_target
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.correlate.governance.watch import MEMBERS, Watch
from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from engine.model.judgement import Judgement
    from engine.model.records import JoinRecord
    from engine.rules.ruleset import RuleSet

LENGTH = 90
FOREVER = float("inf")
RULES = {
    "always_green": rules_of("{always_green: {windows: 8}}"),
    "green_over_falling": rules_of("{green_over_falling: {windows: 14}}", kpi="kept"),
    "vanity": rules_of("{vanity: {windows: 24, lag: 0, outcome: kept, below: 0.5}}"),
}
KPIS = {"always_green": ("visits",), "green_over_falling": ("kept", "visits", "trials"), "vanity": ("visits", "kept")}


def drawn(name: str, chance: Random) -> dict[str, list[float]]:
    """Weeks in stretches in which it holds, or does not; multiples of four, which two shops share to the last bit."""
    series: dict[str, list[float]] = {kpi: [] for kpi in KPIS[name]}
    while len(series[KPIS[name][0]]) < LENGTH:
        holds = chance.random() < 0.6
        for number in range(chance.randint(10, 40)):
            noise = [4.0 * chance.randint(0, 3) for _ in range(3)]
            if name == "always_green":
                series["visits"].append((800.0 if holds else 88.0) + noise[0])
            elif name == "green_over_falling":
                series["kept"].append((1200.0 - 40.0 * number if holds else 800.0) + noise[0])
                series["visits"].append(160.0 + noise[1])
                series["trials"].append(60.0 + noise[2])
            else:
                moved = 4.0 * chance.randint(0, 200)
                series["visits"].append(400.0 + moved)
                series["kept"].append(4.0 * chance.randint(0, 200) if holds else 40.0 + moved + 20.0 * noise[0])
    return {kpi: values[:LENGTH] for kpi, values in series.items()}


def told_late(series: dict[str, list[float]], chance: Random) -> dict[int, list[JoinRecord]]:
    """By the week in which it is heard: what each shop said of each week, wrong at first, or not in time."""
    heard: dict[int, list[JoinRecord]] = {}
    for kpi, values in series.items():
        for number, value in enumerate(values):
            wrong = chance.random() < 0.25
            said = [[msgspec.structs.replace(each) for each in shares(kpi, number, 4.0 * chance.randint(1, 300))]]
            said = [*(said if wrong else []), restated(kpi, number, value, 1, late=chance.random() < 0.5)]
            for shop in range(2):
                late = 0
                for of_all in said:
                    late = min(MEMBERS - 1, late + chance.choice([0, 0, 0, chance.randrange(MEMBERS)]))
                    heard.setdefault(number + late, []).append(of_all[shop])
    for records in heard.values():
        records.sort(key=lambda record: (record.window.index, record.series, record.revision))
    return heard


def standing(told: list[Judgement]) -> list[tuple[int, float]]:
    """The weeks at whose ends alerts began and ended, by all that was said of them."""
    spans: dict[str, float] = {}
    for each in told:
        at = (parse_own_time(each.event_time) - week(0)) // WEEK
        if each.turn == "withdrawn":
            del spans[each.opened]
        elif each.turn in ("began", "resumed"):
            assert (each.opened in spans) == (each.turn == "resumed")
            spans[each.opened] = FOREVER
        else:
            assert (spans[each.opened] == FOREVER) == (each.turn == "ended")
            spans[each.opened] = at
    return sorted(((parse_own_time(opened) - week(0)) // WEEK, end) for opened, end in spans.items())


def expected(name: str, series: dict[str, list[float]]) -> list[tuple[int, float]]:
    if name == "always_green":
        found = naive.turns(naive.always_green(series["visits"], 100.0, 8))
    elif name == "green_over_falling":
        board = {100.0: series["visits"], 40.0: series["trials"]}
        verdicts = naive.green_over_falling(series["kept"], board, 14)
        found = naive.turns(verdicts)
    else:
        found = naive.turns(naive.vanity(series["visits"], series["kept"], 24, 0, 0.5))
    return list(zip(found.begins, [*found.ends, FOREVER], strict=False))


def driven(rules: RuleSet, heard: dict[int, list[JoinRecord]]) -> Driven:
    """A barrier a week, the state written and read in between."""
    world = Driven(rules)
    for number in range(LENGTH + MEMBERS):
        said = world.watching.advance(world.watch, heard.get(number, []), week(number) + HOUR)
        world.told += [(number, each) for each in said]
        world.watch = msgspec.msgpack.decode(msgspec.msgpack.encode(world.watch), type=Watch)
    return world


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_any_order_and_any_corrections_end_in_what_sorted_corrected_windows_say(name: str, seed: int):
    series = drawn(name, Random(seed))
    world = driven(RULES[name], told_late(series, Random(seed + 1)))
    assert standing([each for _, each in world.told]) == expected(name, series)
    on = [opened for opened, end in expected(name, series) if end == FOREVER]
    assert (world.watch.opened is not None) == bool(on)


BY_TICKS = {
    "set_and_forget": with_target(rules_of("{set_and_forget: {after: 400d}}"), reviewed="2025-12-20"),
    "unproven_milestone": rules_of("{unproven_milestone: {}}"),
}


IN_ANY_ORDER = [rules.rule_by_id["told"] for rules in (*RULES.values(), *BY_TICKS.values())]


@pytest.mark.parametrize("name", BY_TICKS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_what_hangs_on_dates_stands_in_the_end_where_it_does_with_sorted_corrected_windows(name: str, seed: int):
    """It is told at the tick of the date, by what is known then: corrections end it, or begin it, later."""
    chance = Random(seed)
    values = [4.0 * chance.randint(30, 45) for _ in range(LENGTH)]
    sorted_heard = {number: shares("visits", number, value) for number, value in enumerate(values)}
    late, plain = (driven(BY_TICKS[name], heard) for heard in (told_late({"visits": values}, chance), sorted_heard))
    assert (late.watch.opened is None) == (plain.watch.opened is None)
    assert late.watch.told == plain.watch.told
    if name == "set_and_forget":
        assert [each.turn for _, each in late.told] == [each.turn for _, each in plain.told] == ["began"]


def test_these_corrections_reach_every_turn():
    turns = {
        (name, each.turn)
        for name in RULES
        for seed in range(30)
        for _, each in driven(RULES[name], told_late(drawn(name, Random(seed)), Random(seed + 1))).told
    }
    wanted = ("began", "ended", "withdrawn", "resumed", "changed")
    assert {turn for _, turn in turns} == set(wanted)
    assert {(name, turn) for name in RULES for turn in wanted[:3]} <= turns
