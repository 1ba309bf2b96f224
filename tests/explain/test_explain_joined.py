"""Triggers of reconciliations and of composites by event time: what was changed in one is named."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from draw_conditions import loaded, page_of, triggers_of
from explain_world import explained
from test_explain_tampered import at, later, leaves, with_leaf, written

EVIDENCE = "data.evidence"
OPENED = ("data.explanation", "data.review", "data.moved_by.opened", "data.owner")
RECONCILED = tuple(
    f"{EVIDENCE}.{leaf}"
    for leaf in (
        *("difference", "departure", "tolerance", "relative", "verdict", "reported.value", "reported.count"),
        *("record.value", "record.count", "record.kpis[0]", "record.windows[0].end", "record.shares[0].ids_count"),
        *("window.index", "window.start"),
    )
)
CARRIED = tuple(
    f"{EVIDENCE}.sides[1].bottleneck.{leaf}"
    for leaf in (
        *("now", "before", "change", "windows_before", "named.what", "named.value", "named.change"),
        "dimensions[0].rest",
        *(f"dimensions[0].values[0].{field}" for field in ("now", "change")),
    )
)
SPLIT = tuple(
    f"{EVIDENCE}.sides[1].bottleneck.{leaf}"
    for leaf in (
        *("now", "change", "named.what", "dimensions[0].rate", "dimensions[0].mix", "dimensions[0].mostly"),
        *(f"dimensions[0].values[0].{field}" for field in ("now", "weight_now", "rate", "mix", "change")),
    )
)
GROUPED = tuple(f"{EVIDENCE}.{leaf}" for leaf in ("count", "listed[0].rule", "listed[0].finding"))
TOLD = {
    ("reconciliation", "sales-not-in-the-books", "opened"): (
        *(
            *OPENED,
            *RECONCILED,
            "data.episode.worst",
            "data.episode.first",
            "data.episode.last",
            "data.moved_by.taking_part[0]",
        ),
    ),
    ("reconciliation", "sales-do-not-add-up", "opened"): (*OPENED, *RECONCILED, f"{EVIDENCE}.record.kpis[1]"),
    ("reconciliation", "sales-not-in-the-books", "alert_ended"): (*RECONCILED, "data.explanation"),
    ("bottleneck", "visits-without-orders", "opened"): (*OPENED, *CARRIED),
    ("bottleneck", "visits-for-returns", "opened"): (*OPENED, *SPLIT),
    ("composite", "two-signs", "opened"): (*OPENED, *GROUPED),
    ("composite", "load-unexplained", "opened"): (*OPENED, *GROUPED),
    ("composite", "broken-by-deployment", "opened"): (*OPENED, *GROUPED),
    ("composite", "not-calm-again", "opened"): (*OPENED, *GROUPED),
    ("composite", "not-calm-again", "resolved"): ("data.explanation", *GROUPED),
}


@cache
def of(page: str, rule: str, happening: str) -> dict[str, Any]:
    found = loaded(page_of(page))
    assert found.rule_set is not None
    said = triggers_of(found.tests[0], found.rule_set)
    return next(each for each in said if each["data"]["rule"] == rule and each["type"].split(".")[2] == happening)


@pytest.mark.parametrize("case", TOLD, ids=" ".join)
def test_a_leaf_that_follows_from_others_is_named_itself(case: tuple[str, str, str]):
    event = of(*case)
    assert explained(event).failures == ()
    by_name = {written(path): path for path in leaves(event)}
    for leaf in TOLD[case]:
        value = at(event, by_name[leaf])
        other = {str: later(value), int: 77, float: 77.5, bool: not value}.get(type(value), "x")
        told = explained(with_leaf(event, by_name[leaf], other))
        assert leaf in {check.path for check in told.failures}, leaf


def test_a_composite_that_its_members_do_not_make_is_found():
    event = of("composite", "two-signs", "opened")
    path = ("data", "evidence", "listed")
    told = explained(with_leaf(event, path, event["data"]["evidence"]["listed"][:1]))
    assert EVIDENCE in {check.path for check in told.failures}


def test_what_was_given_no_time_to_come_is_not_absent():
    event = of("composite", "not-calm-again", "opened")
    early = with_leaf(event, ("data", "event_time"), event["data"]["evidence"]["listed"][0]["event_time"])
    assert "data.event_time" in {check.path for check in explained(early).failures}
