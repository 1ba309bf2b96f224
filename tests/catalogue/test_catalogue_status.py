from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from catalogue_world import NOW, state, trigger
from hypothesis import given
from hypothesis import strategies as st

from engine.model.time import DAY, HOUR, parse_own_time
from engine.offline.catalogue.milestones import proof_of
from engine.offline.catalogue.pace import Line, line_to
from engine.offline.catalogue.seen import Reading, fresh_for, readings_of, reviews_of
from engine.offline.catalogue.status import status_of
from engine.rules.resolved.catalogue import Milestone, Target

if TYPE_CHECKING:
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.ruleset import RuleSet

AT = parse_own_time(NOW)


def _at(time: str) -> int:
    return parse_own_time(f"{time}T00:00:00Z")


def _kpi(rules: RuleSet, name: str = "web.sessions", **changed: Any) -> Kpi:
    return msgspec.structs.replace(rules.kpi_by_id[name], **changed)


@pytest.mark.parametrize(
    ("value", "status"),
    [(39_100.0, "on track"), (39_000.0, "off track"), (50_000.0, "on track"), (60_000.0, "on track")],
)
def test_a_kpi_is_on_track_at_or_past_the_straight_line(rules: RuleSet, value: float, status: str):
    judged = status_of(_kpi(rules), Reading(value, _at("2026-06-15")), [], AT)
    assert judged.status == status
    assert judged.pace == pytest.approx(30_000 + 20_000 * 165 / 365)


@pytest.mark.parametrize(("value", "status"), [(417.0, "on track"), (418.0, "off track"), (300.0, "on track")])
def test_a_period_end_is_that_of_the_present_period(rules: RuleSet, value: float, status: str):
    """75 of the quarter's 91 days."""
    judged = status_of(_kpi(rules, "support.tickets"), Reading(value, _at("2026-06-15")), [], AT)
    assert judged.status == status
    assert judged.pace == pytest.approx(500 - 100 * 75 / 91)


def test_after_its_deadline_a_target_must_be_reached(rules: RuleSet):
    kpi = _kpi(rules, target=Target(50_000.0, "2026-05-31", 30_000.0, "2026-01-01"))
    assert status_of(kpi, Reading(49_999.0, _at("2026-06-15")), [], AT).status == "off track"
    assert status_of(kpi, Reading(50_000.0, _at("2026-06-15")), [], AT).status == "on track"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"target": None}, "it has no target"),
        ({"target": Target(1.0, "2026-12-31", None, "2026-01-01")}, "where it began"),
        ({"target": Target(1.0, "2026-12-31", 0.0, None)}, "since when"),
        ({"direction": "in_band"}, "neither way is better"),
    ],
)
def test_what_cannot_be_judged_is_never_green(rules: RuleSet, changed: dict[str, Any], why: str):
    for reading in (None, Reading(99_999.0, _at("2026-06-15"))):
        judged = status_of(_kpi(rules, **changed), reading, [], AT)
        assert judged.status == "unjudged"
        assert why in judged.why


def test_a_value_is_stale_when_the_next_should_have_closed(rules: RuleSet):
    kpi = _kpi(rules)
    assert fresh_for(kpi) == DAY + 2 * HOUR + DAY
    fresh, old = Reading(45_000.0, AT - fresh_for(kpi)), Reading(45_000.0, AT - fresh_for(kpi) - 1)
    assert status_of(kpi, fresh, [], AT).status == "on track"
    assert status_of(kpi, old, [], AT).status == "stale"
    assert status_of(kpi, None, [], AT).why == "no value"
    assert "publish: true" in status_of(_kpi(rules, publish=False), None, [], AT).why


def test_an_open_review_of_a_conflict_outweighs_any_value(rules: RuleSet):
    conflict = trigger("a", "traffic-paid-for-by-support", "web.sessions")
    other = trigger("b", "followers-few", "web.sessions")
    reading = Reading(60_000.0, _at("2026-06-15"))
    for triggers, status in (([conflict], "conflicting"), ([other], "on track")):
        assert status_of(_kpi(rules), reading, reviews_of(rules, triggers, AT), AT).status == status
    [review] = reviews_of(rules, [conflict, trigger("a", "x", "web.sessions", "resolved", ordinal=2)], AT)
    assert review.ended


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1))
def test_the_line_never_leaves_what_lies_between_its_ends(start: float, value: float, share: float):
    line = Line(start, value, 0, DAY)
    assert min(start, value) - 1e-6 <= line.at(int(share * DAY)) <= max(start, value) + 1e-6
    assert (line.at(-1), line.at(0)) == (start, start)
    assert (line.at(DAY), line.at(2 * DAY)) == (value, value)


@pytest.mark.parametrize(
    ("by", "since", "until"),
    [
        ("month-end", "2026-12-01", "2027-01-01"),
        ("quarter-end", "2026-10-01", "2027-01-01"),
        ("year-end", "2026-01-01", "2027-01-01"),
    ],
)
def test_periods_end_with_the_year(by: str, since: str, until: str):
    line = line_to(Target(1.0, by, 0.0, None), _at("2026-12-31") + DAY - 1)
    assert line == Line(0.0, 1.0, _at(since), _at(until))


@pytest.mark.parametrize(
    ("value", "milestone", "expected"),
    [
        (450.0, Milestone("m", "2026-03-31", "support.tickets", 450.0), "proven"),
        (451.0, Milestone("m", "2026-06-14", "support.tickets", 450.0), "overdue"),
        (451.0, Milestone("m", "2026-06-15", "support.tickets", 450.0), "due"),
        (451.0, Milestone("m", "2026-12-31", "support.tickets", 450.0, "2026-06-01"), "done but unproven"),
        (451.0, Milestone("m", "2026-12-31", "support.tickets", 450.0, "2026-07-01"), "due"),
        (400.0, Milestone("m", "2026-12-31", "support.tickets"), "proven"),
        (None, Milestone("m", "2026-12-31", "support.tickets", 450.0, "2026-06-01"), "done but unproven"),
    ],
)
def test_only_a_value_proves_a_milestone(rules: RuleSet, value: float | None, milestone: Milestone, expected: str):
    reading = None if value is None else Reading(value, _at("2026-06-15"))
    assert proof_of(milestone, rules.kpi_by_id["support.tickets"], reading, AT).state == expected


def test_a_milestone_without_a_value_or_target_says_so(rules: RuleSet):
    proof = proof_of(Milestone("m", "2026-12-31", "x"), _kpi(rules, target=None), None, AT)
    assert proof == ("due", "neither it nor the target of web.sessions says a value that would prove it")
    proof = proof_of(Milestone("m", "2026-12-31", "x", 1.0), _kpi(rules, direction="in_band"), None, AT)
    assert "can prove nothing" in proof.why


def test_series_are_rolled_up_from_the_newest_of_each(rules: RuleSet):
    states = [
        state("web.sessions", "2026-06-14", 1.0, series="shop"),
        state("web.sessions", "2026-06-14", 20.0, series="shop", revision=1),
        state("web.sessions", "2026-06-13", 300.0, series="shop"),
        state("web.sessions", "2026-06-13", 4_000.0, series="blog"),
        state("web.sessions", "2026-01-01", 50_000.0, series="old"),
        state("web.sessions", "2026-06-15", 600_000.0, series="shop"),  # not over yet
        state("no.such.kpi", "2026-06-14", 1.0),
    ]
    assert readings_of(rules, states, AT) == {"web.sessions": Reading(4_020.0, _at("2026-06-15"), 2, 1)}


def test_where_every_series_is_old_the_newest_speak(rules: RuleSet):
    states = [state("web.sessions", "2026-05-01", 7.0, series="shop"), state("web.sessions", "2026-04-01", 1.0)]
    reading = readings_of(rules, states, AT)["web.sessions"]
    assert reading == Reading(7.0, _at("2026-05-02"), 1, 1)
    assert status_of(_kpi(rules), reading, [], AT).status == "stale"


def test_values_of_a_formula_are_one_for_each_series_and_none_for_all_of_them(rules: RuleSet):
    kpis = tuple(_kpi(rules, each.id, formula="support.tickets / web.sessions") for each in rules.kpis)
    derived = msgspec.structs.replace(rules, kpis=kpis)
    one = state("web.sessions", "2026-06-14", 0.25, series="shop")
    assert readings_of(derived, [one], AT)["web.sessions"].value == 0.25
    assert readings_of(derived, [one, state("web.sessions", "2026-06-14", 0.5, series="blog")], AT) == {}
