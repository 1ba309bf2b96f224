"""Late and restated data end in what sorted, corrected data would have said, whatever the condition."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_stage1_limits import START, feed, measure, stage
from test_stage1_twin import HOPPING, context, encode, rule, run, worse

from engine.model.finding import Finding
from engine.model.limits import Limits
from engine.model.time import SECOND
from engine.rules.resolved.condition import Anomaly, Change, MissingData, Threshold, TrendBreak
from engine.rules.resolved.control import ControlChart, Cusum, Ewma, RunRules
from engine.state import pages

REACH = 120 * SECOND
"""How late anything comes: all rules together wait for so long."""

RULES = [
    rule("above", Threshold("above", None, 5.0, 4.0), review=worse(0.25, relative=False)),
    rule("outside", Threshold("outside", 2.0, 6.0, None), window=HOPPING),
    rule("often", Threshold("above", None, 4.0, None), at_least=(2, 4), warm_up=3),
    rule("held", Threshold("below", 4.0, None, None), for_=20 * SECOND, keep_firing_for=20 * SECOND),
    rule("raw", Threshold("above", None, 5.0, None), points="raw", for_=5 * SECOND),
    rule("change", Change("windows", 3, 0.5, 0.4, relative=True)),
    rule("trend", TrendBreak(2.0, 3.0, None, 0.0, relative=False, learn=4)),
    rule("odd", Anomaly(5.0, None, "none", 0.0, relative=False, learn=6)),
    rule("odd-often", Anomaly(5.0, None, "none", 0.0, relative=False, learn=6), at_least=(2, 4)),
    rule("trend-often", TrendBreak(2.0, 3.0, None, 0.0, relative=False, learn=4), at_least=(2, 3), for_=10 * SECOND),
    rule("sums-often", ControlChart(Cusum(0.25, 2.0, 1.0), "up", None, 2.0, "moving_range", 3), at_least=(2, 4)),
    rule("runs", ControlChart(RunRules(("western_electric_1", "nelson_3")), None, None, None, "deviation", 4)),
    rule("average", ControlChart(Ewma(0.4, 1.5, varying=True), None, 4.0, 1.0, "moving_range", 25)),
    rule("sums", ControlChart(Cusum(0.25, 2.0, 1.0), "up", None, 2.0, "moving_range", 3)),
]
PATIENT = [msgspec.structs.replace(each, lateness=20 * SECOND, grace=REACH - 20 * SECOND) for each in RULES]

Event = tuple[str, str, int, float, int]


def events_of(values: list[float]) -> list[Event]:
    """A measurement every 4 s: whole numbers, so that no sum depends on its order."""
    return [("measure", f"id-{n}", START + 4 * n * SECOND, value, 0) for n, value in enumerate(values)]


def told_late(events: list[Event], draw: random.Random) -> list[Event]:
    """Each as it was first said and as it was corrected, in an order in which nothing comes later than `REACH`."""
    said: list[tuple[int, Event]] = []
    for event in events:
        last = draw.choice([0, 0, 0, 1, 3])
        # Some revisions never arrive, the last one always does, and nobody knows which comes first.
        for revision in {last, *draw.sample(range(last + 1), draw.randint(0, last))}:
            value = event[3] if revision == last else float(draw.randint(0, 12))
            said.append((event[2] + draw.randrange(REACH // 2), (*event[:3], value, revision)))
    return [event for _, event in sorted(said, key=lambda each: each[0])]


def stands(events: list[Event]) -> dict[str, Any]:
    """What has been said and not been taken back, when all is over."""
    end: Event = ("measure", "end", max(time for _, _, time, _, _ in events) + 2 * REACH, 3.0, 0)
    standing: dict[str, Any] = {}
    for record in run(encode([*events, end]), context("mean", 0, PATIENT), cut=9):
        if json.loads(record.value)["type"] == "finding":
            finding = msgspec.json.decode(record.value, type=Finding)
            standing.pop(finding.replaces or "", None)
            if finding.status != "withdrawn":
                standing[finding.id] = finding
    return {content_of(finding): finding for finding in standing.values()}


def content_of(finding: Finding) -> str:
    """All that it says but how often it was said, and the ids at the ends of its window, which came in some order."""
    evidence = msgspec.to_builtins(finding.evidence)
    evidence.pop("digests")
    evidence["point"].get("ids", {}).pop("first", None)
    evidence["point"].get("ids", {}).pop("last", None)
    said = [finding.rule, finding.transition, finding.event_time, finding.opened_event_time, finding.value]
    return json.dumps([*said, msgspec.to_builtins(finding.episode), evidence], sort_keys=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=30, max_size=120), st.randoms(use_true_random=False))
def test_any_order_and_any_corrections_end_in_what_sorted_corrected_data_say(values: list[int], draw: random.Random):
    events = events_of([float(value) for value in values])
    expected = stands(events)
    assert sorted(stands(told_late(events, draw))) == sorted(expected)


def test_every_condition_says_something_of_the_data_above():
    draw = random.Random(11)
    calm = [float(draw.choice([3, 3, 3, 4])) for _ in range(120)]
    events = events_of([*calm, *[12.0] * 60, *calm[:60], *[float(draw.randint(0, 12)) for _ in range(120)]])
    standing = stands(events)
    assert {finding.rule for finding in standing.values()} == {each.id for each in RULES}
    assert sorted(stands(told_late(events, draw))) == sorted(standing)


SILENT = rule("silent", MissingData(60 * SECOND))
IN_ANY_ORDER = [*PATIENT, SILENT]
TICK = 20 * SECOND


def heard(intervals: list[int], draw: random.Random, *, mixed: bool) -> list[Event]:
    """So many new measurements before each tick; `mixed` in any order, with values of another kind, some of them and of
    those before said again or corrected.
    """
    said: list[Event] = []
    known: list[Event] = []
    for number, count in enumerate(intervals):
        at = START + number * TICK
        new: list[Event] = [("measure", f"{number}-{each}", at + each * SECOND, 3.0, 0) for each in range(count)]
        again = [(*each[:3], float(draw.randint(0, 9)), draw.randint(0, 2)) for each in known if draw.random() < 0.2]
        known += new
        if mixed:
            new += [(*each[:3], 9.0, 1) for each in new if draw.random() < 0.3] + again
            draw.shuffle(new)
        said += [*new, ("tick", "", at + TICK, 0.0, 0)]
    return said


def silence_of(events: list[Event]) -> list[tuple[str, int]]:
    """What is said of it, with the number of ticks that had passed."""
    ticks = [place for place, event in enumerate(events) if event[0] == "tick"]
    found = []
    for record in run(encode(events), context("mean", 3600 * SECOND, [SILENT]), cut=9):
        if json.loads(record.value)["type"] == "finding":
            finding = msgspec.json.decode(record.value, type=Finding)
            found.append((finding.transition, ticks.index(finding.tick) + 1))
    return found


def silence_twin(intervals: list[int]) -> list[tuple[str, int]]:
    """It is silent from the tick at which 60 s of ticks have passed since the first one without anything new."""
    found: list[tuple[str, int]] = []
    quiet = None
    for number, count in enumerate(intervals):
        if count and found and found[-1][0] == "firing":
            found.append(("resolved", number))
        quiet = 0 if count or quiet is None else quiet + 1
        if quiet == 60 * SECOND // TICK:
            found.append(("firing", number))
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 0, 1, 3]), min_size=5, max_size=40), st.randoms(use_true_random=False))
def test_silence_hangs_on_between_which_ticks_something_new_came(intervals: list[int], draw: random.Random):
    expected = silence_twin(intervals)
    assert silence_of(heard(intervals, draw, mixed=False)) == expected
    assert silence_of(heard(intervals, draw, mixed=True)) == expected


def judged(subject: Any, *records: Any) -> list[tuple[str, str, float | None]]:
    """(transition, status, value) of what rule `above` says."""
    said = feed(subject, list(records))
    return [(s["transition"], s["status"], s["value"]) for s in said if s.get("rule") == "above"]


def graceful(aggregation: str) -> Any:
    """A rule that fires above 5, on windows of 10 s that can be amended for an hour."""
    return stage(Limits(), above=5.0, aggregation=aggregation, grace=3600 * SECOND)


@pytest.mark.parametrize(
    ("aggregation", "first", "restated", "expected"),
    [
        ("sum", [4.0, 4.0], (0, 0.0), [("firing", "withdrawn", 8.0)]),
        ("sum", [4.0, 4.0], (0, 9.0), [("firing", "amended", 13.0)]),
        ("sum", [1.0, 4.0], (1, 5.0), [("firing", "new", 6.0)]),
        ("mean", [4.0, 8.0], (1, 4.0), [("firing", "withdrawn", 6.0)]),
        ("max", [4.0, 8.0, 7.0], (1, 1.0), [("firing", "amended", 7.0)]),
        ("min", [8.0, 6.0, 9.0], (1, 5.0), [("firing", "withdrawn", 6.0)]),
        ("last", [8.0, 6.0], (1, 5.0), [("firing", "withdrawn", 6.0)]),
        ("last", [8.0, 6.0], (0, 5.0), [("firing", "amended", 6.0)]),
        ("last", [4.0, 5.0], (0, 3.0), []),
    ],
)
def test_a_restated_measurement_amends_its_window(
    aggregation: str, first: list[float], restated: tuple[int, float], expected: list[Any]
):
    subject = graceful(aggregation)
    judged(subject, *[measure(n, value, name=f"id-{n}") for n, value in enumerate(first)], measure(100, 0.0))
    place, value = restated
    said = judged(subject, measure(place, value, name=f"id-{place}", revision=1))
    assert [each for each in said if each[0] == "firing"] == expected
    assert subject.counts["restated"] == 1


def test_what_it_changes_says_that_a_measurement_was_restated():
    subject = graceful("sum")
    feed(subject, [measure(0, 9.0, name="a"), measure(100, 0.0)])
    said = feed(subject, [measure(0, 1.0, name="a", revision=1), measure(1, 9.0, name="b")])
    assert [(each["status"], each["cause"]) for each in said if each.get("rule") == "above"] == [
        ("withdrawn", "restated measurement"),
        ("new", "late measurement"),
    ]


def test_a_repeat_or_an_older_revision_changes_nothing():
    subject = graceful("sum")
    feed(subject, [measure(0, 4.0, name="a", revision=2), measure(100, 0.0)])
    assert judged(subject, *[measure(0, 9.0, name="a", revision=n) for n in (0, 1, 2)]) == []
    assert subject.counts["duplicate"] == 3


def test_beyond_the_grace_it_is_late_and_counted():
    subject = graceful("sum")
    feed(subject, [measure(0, 9.0, name="a"), measure(3700, 0.0)])
    assert judged(subject, measure(0, 1.0, name="a", revision=1)) == []
    assert subject.counts["late"] == 1


def test_another_event_time_is_another_measurement():
    subject = graceful("sum")
    feed(subject, [measure(0, 9.0, name="a")])
    said = feed(subject, [measure(1, 1.0, name="a", revision=1)])
    assert [(letter["reason"], letter["offset"]) for letter in said] == [("restated", 0)]


def test_what_the_ledger_no_longer_holds_whole_is_not_restated():
    subject = stage(Limits(ids_per_series_max=10), above=5.0, aggregation="min", grace=3600 * SECOND)
    feed(subject, [measure(n / 10, 9.0, name=f"id-{n}") for n in range(30)])
    said = feed(subject, [measure(2.9, 1.0, name="id-29", revision=1)])
    assert [letter["reason"] for letter in said] == ["restated"]


def test_it_is_no_sign_of_life():
    subject = graceful("sum")
    feed(subject, [measure(0, 4.0, name="a"), measure(1, 4.0, name="b")])
    newest = int(subject.state.tables.series["newest"][0])
    feed(subject, [measure(0, 5.0, name="a", revision=1)])
    assert int(subject.state.tables.series["newest"][0]) == newest


def test_the_grace_keeps_a_window_open_to_late_ones_as_well():
    subject = graceful("sum")
    feed(subject, [measure(0, 4.0), measure(100, 0.0)])
    assert judged(subject, measure(1, 4.0)) == [("firing", "new", 8.0)]


def test_what_was_restated_long_ago_is_known_after_a_death(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "IDS_A_PAGE", 4)
    events = events_of([float(n % 7) for n in range(20)])
    again: list[Event] = [(*events[2][:3], 12.0, 1)]
    records = encode([*events, *again, *events_of([9.0] * 20)[19:], *again, (*events[2][:3], 11.0, 2)])
    around = context("sum", 0, PATIENT)
    whole = run(records, around, cut=10_000)
    assert run(records, around, cut=1, restore=True) == whole
    assert b"restated measurement" in b"".join(record.value or b"" for record in whole)
