"""The numbers of a look at how a KPI is governed, as a table made by hand has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import pytest

from engine.correlate.trace import Looked
from engine.model.finding import BaselinePoint
from engine.model.governance import (
    EasyTarget,
    FallingOutcome,
    FavouredRestatements,
    Governed,
    GovernedKpi,
    LagCorrelation,
    MovedGoalposts,
    OpenMilestone,
    OtherVersion,
    RestatedTally,
    StaleTarget,
    Unfollowed,
    UnprovenMilestones,
)
from engine.model.time import DAY, parse_own_time
from engine.offline.why.evaluations_governed import numbers_of

NOW = parse_own_time("2026-03-01T00:00:00Z")
OWN = GovernedKpi("visits", 100.0, (BaselinePoint("2026-02-27T00:00:00Z", 120.0), BaselinePoint("x", 130.0)))
OPEN = OpenMilestone("relaunch", "Half more", "2026-02-01", None, 150.0, "overdue")


def tally(chance: float) -> RestatedTally:
    return RestatedTally(12, 8, 8, chance, 5.0, 0.1)


@dataclass(frozen=True)
class Case:
    found: Governed | None
    numbers: tuple[float | None, float | None, float | None, float | None]
    kpis: tuple[GovernedKpi, ...] = (OWN,)


CASES = {
    "ten days of thirty": Case(
        StaleTarget(100.0, "2026-12-31", None, "2026-02-19T00:00:00Z", "watched", 30 * DAY, "x"),
        (100.0, 864_000.0, 2_592_000.0, None),
        (),
    ),
    "three were firing": Case(MovedGoalposts((), (), 3), (None, 3.0, 0.0, None), ()),
    "one is overdue": Case(UnprovenMilestones((OPEN,), 125.0), (125.0, 1.0, 0.0, None)),
    "20 clear, of 3 x 5": Case(EasyTarget(20.0, 5.0, 3.0), (130.0, 20.0, 15.0, 100.0)),
    "falls with z = -4": Case(FallingOutcome(9, 10, 0.9, -30, -4.0, 3.1, -0.2, 0.1), (130.0, -4.0, -3.1, None)),
    "followed at no lag": Case(
        Unfollowed((LagCorrelation(0, 20, 0.0, -0.4, 0.4), LagCorrelation(1, 19, 0.1, -0.3, 0.45)), 0.5),
        (130.0, 0.45, 0.5, None),
    ),
    "near the end of a quarter": Case(
        FavouredRestatements((), tally(0.02), tally(0.001), 0.8, 8, 0.05, 0.005), (130.0, 0.001, 0.005, None)
    ),
    "nowhere near one": Case(
        FavouredRestatements((), tally(0.02), None, 0.8, 8, 0.05, 0.005), (130.0, 0.02, 0.005, None)
    ),
    "it cannot be said": Case(None, (None, None, None, None), ()),
}


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_the_table(name: str):
    case = CASES[name]
    assert numbers_of(Looked(NOW, True, case.found, case.kpis)) == pytest.approx(case.numbers)  # noqa: FBT003 (a tuple)


def test_the_table_has_every_kind_but_the_notice_of_a_version_which_no_rule_is():
    assert {type(case.found) for case in CASES.values()} - {type(None)} == {*get_args(Governed)} - {OtherVersion}
