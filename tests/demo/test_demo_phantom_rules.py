"""The phantom growth pack over worlds that nobody has looked at, through the real stages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fired import triggers_of

from engine.offline.replay import replay
from engine.offline.reviews import ReviewStory, stories
from engine.rules.loader import load_or_raise
from engine.simulate.scenarios.phantom_growth import PhantomGrowth

PACK = Path(__file__).resolve().parents[2] / "rules" / "phantom-growth"
CONFLICT = "traffic-paid-for-elsewhere"
CHURN = "churn-high"
PROMOTERS = "promoters-lost"
COUNTERPART_OWNERS = {"support", "support-engineering", "product"}


def reviews(world: PhantomGrowth) -> list[ReviewStory]:
    return stories(triggers_of(replay(load_or_raise([PACK]), world.measurements()).outputs))


def quarter_end(day: date) -> date:
    first_month = 3 * ((day.month - 1) // 3) + 1
    return date(day.year + first_month // 10, (first_month + 2) % 12 + 1, 1)


@pytest.mark.parametrize("seed", range(700, 706))
def test_the_sick_company_gets_one_review_in_time_and_the_twin_none(seed: int):
    world = PhantomGrowth(seed)
    told = reviews(world)
    assert {story.where for story in told} == {f"company {world.sick}"}
    assert sorted(story.opening.rule for story in told) == [CHURN, PROMOTERS, CONFLICT]
    conflict, promoters, churn = told
    opened = date.fromisoformat(conflict.when)
    assert conflict.opening.rule == CONFLICT
    assert world.onset <= opened <= world.onset + timedelta(days=21)
    assert opened < date.fromisoformat(promoters.when) < date.fromisoformat(churn.when)
    assert opened < quarter_end(world.onset)
    assert conflict.opening.owner == "marketing"
    assert "support" in conflict.opening.participants
    assert conflict.last is None
    joined = {name for _, names in conflict.joined for name in names}
    assert {*conflict.opening.participants, *joined} == COUNTERPART_OWNERS


@pytest.mark.parametrize("seed", range(700, 703))
def test_promoters_are_lost_from_the_day_that_the_score_begins_to_slide(seed: int):
    world = PhantomGrowth(seed)
    [story] = [story for story in reviews(world) if story.opening.rule == PROMOTERS]
    trend = story.opening.evidence.trend
    assert (trend.shape, trend.direction) == ("level", "down")
    slide = world.onset + timedelta(days=12)
    onset = datetime.fromisoformat(trend.onset).astimezone(ZoneInfo("Europe/Berlin")).date()
    # the score takes 24 days to fall by 40 %: what is found is where it has left its scatter
    assert slide - timedelta(days=2) <= onset <= slide + timedelta(days=12)
    assert date.fromisoformat(story.when) <= slide + timedelta(days=16)
    assert trend.size < -0.1 * trend.before


@pytest.mark.parametrize("seed", range(800, 803))
def test_without_a_lift_nothing_is_raised(seed: int):
    assert reviews(PhantomGrowth(seed, 0.0)) == []
