from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine.model.time import SECOND
from engine.simulate.scenarios.phantom_growth import COMPANIES, PhantomGrowth

SEEDS = range(100, 125)


def daily(world: PhantomGrowth) -> dict[tuple[str, str], np.ndarray]:
    """Sums (rates: means) a day, by company and KPI; the day is that of the catalogue's zone."""
    parts = defaultdict(lambda: np.zeros((2, world.days)))
    for time, measurement in world.measurements():
        assert time == measurement.time * SECOND
        day = datetime.fromtimestamp(measurement.time, ZoneInfo("Europe/Berlin")).date()
        held = parts[measurement.dimensions["company"], measurement.kpi][:, (day - world.first_day).days]
        held += (measurement.value, 1)
    added = ("web.sessions", "support.tickets")
    return {key: sums if key[1] in added else sums / counts for key, (sums, counts) in parts.items()}


def after_to_before(world: PhantomGrowth, values: np.ndarray, delay: int) -> float:
    """The level of four weeks that begin `delay` days after the onset, as a multiple of the eight weeks before it."""
    onset = (world.onset - world.first_day).days
    return values[onset + delay : onset + delay + 28].mean() / values[onset - 56 : onset].mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_is_the_same_world(seed: int):
    assert list(PhantomGrowth(seed).measurements()) == list(PhantomGrowth(seed).measurements())


def test_other_seeds_are_other_worlds():
    worlds = [PhantomGrowth(seed) for seed in SEEDS]
    assert len({world.onset for world in worlds}) > 20
    assert {world.sick for world in worlds} == set(COMPANIES)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_log_is_in_order_with_an_id_for_each_measurement_and_every_day_is_measured(seed: int):
    world = PhantomGrowth(seed)
    emitted = list(world.measurements())
    assert [time for time, _ in emitted] == sorted(time for time, _ in emitted)
    assert max(Counter(measurement.id for _, measurement in emitted).values()) == 1
    assert all((values > 0).all() for values in daily(world).values())


@pytest.mark.parametrize("seed", SEEDS)
def test_both_grow_alike_and_only_the_sick_one_pays(seed: int):
    world = PhantomGrowth(seed)
    days = daily(world)
    for company in COMPANIES:
        sessions, tickets = days[company, "web.sessions"], days[company, "support.tickets"]
        assert 1.3 < after_to_before(world, sessions, 14) < 1.5
        paid = 1.4 if company == world.sick else 1.0
        assert abs(after_to_before(world, tickets / sessions, 16) - paid) < 0.06
        assert (
            abs(
                after_to_before(world, days[company, "support.time_to_resolution"], 26)
                - (1.45 if company == world.sick else 1.0)
            )
            < 0.08
        )
        assert (
            abs(after_to_before(world, days[company, "product.nps"], 38) - (0.6 if company == world.sick else 1.0))
            < 0.06
        )
    churn = days[world.sick, "customers.churn_rate"]
    assert after_to_before(world, churn, 0) < 1.05
    assert after_to_before(world, churn, 80) > 1.7


@pytest.mark.parametrize("seed", SEEDS)
def test_three_weeks_after_the_onset_it_is_still_the_same_quarter(seed: int):
    onset = PhantomGrowth(seed).onset
    end = onset + timedelta(days=21)
    assert (onset.year, (onset.month - 1) // 3) == (end.year, (end.month - 1) // 3)
    assert date(onset.year, 4, 1) <= onset <= date(onset.year, 8, 31)


def test_without_a_lift_nothing_grows_but_the_slow_trend():
    ratios = []
    for seed in SEEDS:
        world = PhantomGrowth(seed, 0.0)
        days = daily(world)
        ratios += [after_to_before(world, days[company, "web.sessions"], 14) for company in COMPANIES]
    assert min(ratios) > 0.95
    assert max(ratios) < 1.07


def test_a_lift_beyond_the_scenario_is_refused():
    with pytest.raises(ValueError, match=r"expected 0 to 0\.4, found 0\.5"):
        PhantomGrowth(1, 0.5)
