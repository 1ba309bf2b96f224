from __future__ import annotations

from io import StringIO

import msgspec
import pytest
from rich.console import Console

from engine.model.finding import Episode, Evidence, RawPoint, WindowPoint
from engine.model.records import Ids, Parts, WindowBounds
from engine.model.trigger import KpiSummary, ReviewTrigger, TriggerData, event_type
from engine.offline.reviews import place, stories
from engine.offline.timeline import show_timeline

BOUNDS = WindowBounds("2013-02-08T05:00:00Z", "2013-02-09T05:00:00Z", 15744)
PARTS = Parts(10, 5.0, 0.0, 1.0, 5, 1.0, "2013-02-09T03:00:00Z")
POINT = WindowPoint(BOUNDS, 0.5, "mean", PARTS, Ids(10, "1", "a", "b"))
KPI = KpiSummary("flights.cancelled_share", "Cancelled", "d", "share", "lower_is_better", "ops", "punctuality", None)
OPENING = TriggerData(
    review="r1", ordinal=1, rule="cancelled-share-high", title="Too many are cancelled", severity="critical",
    scope='flights.cancelled_share{"origin":"EWR"}', kpi=KPI, owner="ops", participants=("care",),
    objective="punctuality", opened="2013-02-09T09:00:00Z", due="2013-02-10T09:00:00Z", question="What stopped them?",
    runbook=None, explanation="Half of the departures of EWR were cancelled.", event_time="2013-02-09T05:00:00Z",
    evidence=Evidence({}, POINT, "hash"), episode=Episode(1, "2013-02-09T05:00:00Z", "2013-02-09T05:00:00Z", 0.5),
    historical=False, cause=None, rule_set="hash",
)  # fmt: skip


def trigger(happening: str, ordinal: int, **changes: object) -> ReviewTrigger:
    data = msgspec.structs.replace(OPENING, ordinal=ordinal, **changes)
    kind = event_type(happening)
    return ReviewTrigger("1.0", f"r-{ordinal}", "/c", kind, data.scope, data.opened, "application/json", data)


def shown(triggers: list[ReviewTrigger], width: int) -> str:
    console = Console(file=StringIO(), width=width, color_system=None)
    show_timeline(stories(triggers), console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 109, 110, 160, 220])
def test_a_review_shows_when_what_where_whose_why_and_due_at_any_width(width: int):
    text = " ".join(shown([trigger("opened", 1)], width).split())
    for word in ("2013-02-08", "Too many", "EWR", "care", "2013-02-10", "still open"):
        assert word in text
    assert max(len(line) for line in shown([trigger("opened", 1)], width).splitlines()) <= width


def test_a_review_tells_who_joined_and_when_it_was_over():
    later = WindowBounds("2013-02-10T05:00:00Z", "2013-02-11T05:00:00Z", 15746)
    evidence = Evidence({}, msgspec.structs.replace(POINT, window=later), "hash")
    both = ("care", "product")
    (story,) = stories(
        [
            trigger("resolved", 3, evidence=evidence, participants=both),
            trigger("opened", 1),
            trigger("updated", 2, evidence=evidence, participants=both),
            trigger("opened", 1),
        ]
    )
    assert story.joined == (("2013-02-10", ("product",)),)
    assert (story.when, story.last, story.triggers, story.withdrawn) == ("2013-02-08", "2013-02-10", 3, False)


def test_adjoining_days_are_one_review_that_says_so():
    ended = trigger("resolved", 2, episode=Episode(2, "2013-02-09T05:00:00Z", "2013-02-10T05:00:00Z", 0.5))
    for width in (80, 160):
        assert "2 in a row" in shown([trigger("opened", 1), ended], width)


def test_reviews_stand_in_order_of_what_they_are_about():
    earlier = trigger("opened", 1, review="r0", event_time="2013-01-09T05:00:00Z")
    assert [story.opening.review for story in stories([trigger("opened", 1), earlier])] == ["r0", "r1"]


def test_a_raw_point_is_shown_to_the_minute():
    point = RawPoint("2013-02-08T05:07:09Z", 1.0, "a")
    raw = trigger("opened", 1, evidence=Evidence({}, point, "hash"), event_time=point.time)
    assert stories([raw])[0].when == "2013-02-08 05:07"


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Berlin", "2013-02-07T23:00:00Z", "2013-02-08T23:00:00Z"),
        ("New York", "2013-02-08T05:00:00Z", "2013-02-09T05:00:00Z"),
        ("Tokyo", "2013-02-07T15:00:00Z", "2013-02-08T15:00:00Z"),
    ],
)
def test_the_day_of_a_daily_window_is_the_local_one(zone: str, start: str, end: str):
    evidence = Evidence({}, msgspec.structs.replace(POINT, window=WindowBounds(start, end, 1)), "hash")
    when = stories([trigger("opened", 1, evidence=evidence, event_time=end)])[0].when
    assert when == "2013-02-08", zone


def test_places_are_read_from_scopes():
    assert place('full-schedule-late|{"origin":"LGA"}') == "origin LGA"
    assert place("rule|{}") == "everywhere"
    assert place("departures-missing|source:flights") == "departures-missing|source:flights"


def test_nothing_raised_is_said():
    assert shown([], 80) == "No review was raised.\n"
