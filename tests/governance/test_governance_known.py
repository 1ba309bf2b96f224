"""Conditions that look at what was known when: what may come in any order without their saying anything else.

`restated_in_favour` counts what is corrected after a window closed, as known at the barrier that completes another one;
`moved_goalposts` says what was firing when somebody edited the catalogue. Both hang on what had been heard by these
moments, and not on when, in which order or how often it was heard in between.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import naive_governance as naive
from governed_world import BEGIN, WEEK, Driven, rules_of, shares, week, with_target
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.correlate.barrier import in_order
from engine.correlate.governance.watch import Watch
from engine.correlate.governance.watching import EASED
from engine.model.measurement import Measurement
from engine.model.records import JoinRecord, Signal
from engine.model.time import DAY, HOUR, format_time, parse_own_time
from engine.model.topics import TRIGGERS
from engine.offline.replay import replay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.model.judgement import Judgement
    from engine.model.time import Micros

GRACED = (
    "unit: visits\naggregation: sum\nwindow: {every: 7d}",
    "unit: visits\naggregation: sum\nwindow: {every: 7d}\ngrace: 70d",
)
COUNT, LEAST = 12, 8
FAVOUR = rules_of(
    f"{{restated_in_favour: {{windows: {COUNT}, changed: {LEAST}, sensitivity: high}}}}", "visits", GRACED
)
WEEKS, REACH, LAST_DAY = 60, 9, 7
"""How many weeks, and within how many a window is corrected; the barrier of the seventh day completes the week."""

Heard = dict[int, list[JoinRecord]]
"""By the week in which it is heard: behind the barrier that completes the one before."""


class Share(NamedTuple):
    """What a shop says of a window in a week: `better` is what is restated, `more` came late."""

    at: int
    window: int
    better: float
    more: float


def drawn(chance: Random) -> tuple[list[float], Heard, list[Share]]:
    """Weeks with what is said of them afterwards; in stretches that is mostly for the better."""
    values = [4.0 * chance.randint(60, 80) for _ in range(WEEKS)]
    heard: Heard = {number: shares("visits", number, value) for number, value in enumerate(values)}
    said: list[Share] = []
    better = 0.4
    for number in range(WEEKS):
        better = chance.choice([0.4, 1.0]) if number % 12 == 0 else better
        for shop, first in enumerate(shares("visits", number, values[number])):
            weeks = sorted(chance.randint(1, REACH) for _ in range(chance.choice([0, 0, 1, 1, 2])))
            total = first.parts.sum
            for revision, after in enumerate(weeks, 1):
                change, late = 4.0 * chance.randint(1, 6), chance.random() < 0.2
                change *= 1 if late or chance.random() < better else -1
                total += change
                parts = shares("visits", number, total / (0.75, 0.25)[shop])[shop].parts
                told: Any = msgspec.UNSET if late else True
                record = msgspec.structs.replace(first, revision=revision, parts=parts, restated=told)
                heard.setdefault(number + after, []).append(record)
                said.append(Share(number + after, number, 0.0 if late else change, change if late else 0.0))
    return values, heard, said


def restating(heard: Heard, chance: Random | None) -> list[tuple[int, Judgement]]:
    """With `chance` over the days of the week, in any order, and now and then once more."""
    world = Driven(FAVOUR)
    for number in range(WEEKS):
        days = spread(heard.get(number, []), number, chance, repeated=heard.get(number - 2, []))
        for day in range(1, LAST_DAY + 1):
            records = in_order(list(days.get(day, [])))
            said = world.watching.advance(world.watch, records, week(number - 1) + HOUR + day * DAY)
            world.told += [(number, each) for each in said]
            world.watch = msgspec.msgpack.decode(msgspec.msgpack.encode(world.watch), type=Watch)
    return world.told


def spread(
    records: list[JoinRecord], number: int, chance: Random | None, repeated: list[JoinRecord]
) -> Mapping[int, list[Any]]:
    """By day. What the week itself is comes with its last; of one share a correction comes behind what it corrects, or
    before it where both only correct.
    """
    if chance is None:
        return {LAST_DAY: records}
    days: dict[int, list[JoinRecord]] = {}
    of_share: dict[tuple[str, int], list[JoinRecord]] = {}
    for record in records:
        of_share.setdefault((record.series, record.window.index), []).append(record)
    for (_, window), ours in of_share.items():
        if all(each.restated is True for each in ours):
            chance.shuffle(ours)
        places = sorted(LAST_DAY if window == number else chance.randint(1, LAST_DAY) for _ in ours)
        for day, record in zip(places, ours, strict=True):
            days.setdefault(day, []).append(record)
    for record in repeated:
        if chance.random() < 0.3:
            days.setdefault(chance.randint(1, LAST_DAY), []).append(record)
    for each in days.values():
        chance.shuffle(each)
    return days


def without_times(told: list[tuple[int, Judgement]]) -> list[Any]:
    """All that is said but from where and in how many steps a window was restated, which is what the order decides."""
    plain = [msgspec.to_builtins(each) for _, each in told]
    for each in plain:
        if each["evidence"] is not None:
            del each["evidence"]["digests"]
            for window in each["evidence"]["found"]["windows"]:
                del window["times"], window["before"]
    return plain


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_corrections_count_as_known_when_a_window_is_judged_whenever_they_came_before_that(seed: int):
    values, heard, said = drawn(Random(seed))
    plain, mixed = restating(heard, None), restating(heard, Random(seed + 1))
    assert without_times(mixed) == without_times(plain)
    better = [naive.Said(each.at, each.window, each.better) for each in said if each.better]
    more = [naive.Said(each.at, each.window, each.more) for each in said if each.more]
    expected = naive.turns(naive.restated_in_favour(values, better, COUNT, late=more, least=LEAST, chance=0.01))
    begins, ends = ([number for number, each in mixed if each.turn == turn] for turn in ("began", "ended"))
    assert (begins, ends) == (expected.begins, expected.ends)


def test_these_corrections_begin_and_end_alerts():
    turns = [each.turn for seed in range(20) for _, each in restating(drawn(Random(seed))[1], None)]
    assert min(turns.count("began"), turns.count("ended")) > 5


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_what_is_not_a_correction_is_counted_for_none_in_any_order(seed: int):
    _, heard, _ = drawn(Random(seed))
    late = {
        number: [msgspec.structs.replace(each, restated=msgspec.UNSET) for each in records]
        for number, records in heard.items()
    }
    assert restating(late, Random(seed + 1)) == []


class Again(NamedTuple):
    """Weeks of two shops' measurements, what corrections make of them and what more of them came late; and what is
    said of all that in each week.
    """

    values: list[float]
    better: list[naive.Said]
    late: list[naive.Said]
    told: list[list[Measurement]]


def measured_again(chance: Random) -> Again:
    values = [4.0 * chance.randint(60, 80) for _ in range(WEEKS)]
    newest = {(shop, number): (0, each.parts.sum) for number, value in enumerate(values)
              for shop, each in zip("ab", shares("visits", number, value), strict=True)}  # fmt: skip
    said, late, again = [], [], [[] for _ in range(WEEKS)]
    for number in range(1, WEEKS):
        if number % 12 == 1:
            better = chance.choice([0.4, 1.0])
        for _ in range(chance.choice([0, 1, 2, 2])):
            place = shop, window = chance.choice("ab"), chance.randrange(max(0, number - REACH), number)
            change = 4.0 * chance.randint(1, 6) * (1 if chance.random() < better else -1)
            if chance.random() < 0.2:
                late.append(naive.Said(number, window, change))
                again[number].append(measurement(f"{shop}-{len(late)}", window, change))
                continue
            revision, value = newest[place] = newest[place][0] + 1, newest[place][1] + change
            said.append(naive.Said(number, window, change))
            again[number].append(measurement(shop, window, value, revision))
    return Again(values, said, late, again)


def measurement(name: str, number: int, value: float, revision: int = 0) -> Measurement:
    """Of the shop whose letter the name begins with."""
    time = format_time(BEGIN + number * WEEK + DAY)
    return Measurement("visits", time, value, {"shop": name[0]}, f"{name}-{number}", revision=revision)


def through_both_stages(said: Again, chance: Random) -> list[Any]:
    """What is said of them: in any order within the week in which a window is open, some of it twice."""
    again = said.told
    timed: list[tuple[Micros, Measurement]] = []
    for number, value in enumerate(said.values):
        at = BEGIN + number * WEEK + DAY
        first = zip("ab", shares("visits", number, value), strict=True)
        timed += [(at, measurement(shop, number, each.parts.sum)) for shop, each in first]
        twice = chance.sample(again[max(0, number - 1)], len(again[max(0, number - 1)]) // 2)
        timed += [(at + chance.randrange(HOUR, 6 * DAY), each) for each in [*again[number], *twice]]
    timed.sort(key=lambda pair: pair[0])
    outputs = replay(FAVOUR, timed, every=DAY, partitions=2, begin=BEGIN).outputs
    triggers = [msgspec.json.decode(each.record.value or b"") for each in outputs if each.topic == TRIGGERS]
    told = [(each["type"].split(".")[2], each["data"]) for each in triggers if each["data"]["rule"] == "told"]
    for _, data in told:
        for window in data["evidence"]["found"]["windows"]:
            del window["times"], window["before"]
    return [(happened, data["event_time"], data["evidence"]["found"]) for happened, data in told]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9))
def test_measurements_are_corrected_in_favour_in_whatever_order_that_is_said_within_a_week(seed: int):
    said = measured_again(Random(seed))
    one, other = (through_both_stages(said, Random(seed + number)) for number in (1, 2))
    assert one == other
    verdicts = naive.restated_in_favour(said.values, said.better, COUNT, late=said.late, least=LEAST, chance=0.01)
    expected = naive.turns(verdicts)
    ended = {"resolved", "alert_ended"}
    told = [(happened in ended, (parse_own_time(time) - week(0)) // WEEK) for happened, time, _ in one]
    turns = [(False, begin) for begin in expected.begins] + [(True, end) for end in expected.ends]
    assert sorted(told, key=lambda each: each[1]) == sorted(turns, key=lambda each: each[1])


POSTS = rules_of("{moved_goalposts: {}}")
IN_ANY_ORDER = [rules.rule_by_id["told"] for rules in (FAVOUR, POSTS)]
MEMBERS = ("a", "b", "c")
MOVED = ("began", "changed", "ended")


class Edit(NamedTuple):
    """What is known at an edit: what fires, where the target was and is, and whether all was calm once since the one
    before.
    """

    firing: frozenset[str]
    before: float
    after: float
    calm: bool


def posts_twin(edits: list[Edit]) -> list[str]:
    """What is said of each: an alert begins where something fires, and ends in calm or with what was taken back."""
    said: list[str] = []
    first: float | None = None
    for edit in edits:
        if first is not None and edit.calm:
            said.append("eased")
            first = None
        if edit.before == edit.after:
            continue
        if first is None and edit.firing:
            said.append("began")
            first = edit.before
        elif first is not None:
            said.append("ended" if edit.after == first else "changed")
            first = None if edit.after == first else first
    return said


class Line(NamedTuple):
    """Signals by the barrier that brings them, and the targets set behind barriers."""

    signals: dict[int, list[Signal]]
    targets: dict[int, float]

    def edits(self) -> list[Edit]:
        on: set[str] = set()
        found, calm, target = [], False, 100.0
        for barrier in range(WEEKS):
            for signal in self.signals.get(barrier, []):
                (on.add if signal.state == "firing" else on.discard)(signal.series)
            calm = calm or not on
            if barrier in self.targets:
                found.append(Edit(frozenset(on), target, self.targets[barrier], calm))
                calm, target = False, self.targets[barrier]
        return found


def line_of(chance: Random) -> Line:
    signals: dict[int, list[Signal]] = {}
    for series in MEMBERS:
        for place, at in enumerate(sorted(chance.sample(range(WEEKS), chance.randint(2, 14)))):
            begins = place % 2 == 0
            words = ("firing", "firing") if begins else ("inactive", "resolved")
            told = Signal("told", "{}", "low", series, f"{series}-{at}", words[0], format_time(week(at)), 0, words[1])
            signals.setdefault(at, []).append(told)
    edits = sorted({*chance.sample(range(WEEKS), 6), WEEKS - 1})
    return Line(signals, {at: chance.choice([100.0, 90.0, 80.0]) for at in edits})


def moved_about(line: Line, chance: Random) -> Line:
    """Each series' signals come at other barriers between the same edits, as long as that makes no other calm."""
    bounds = [-1, *sorted(line.targets)]
    signals = dict(line.signals)
    for first, last in pairwise(bounds):
        span = range(first + 1, last + 1)
        other = {at: told for at, told in signals.items() if at not in span}
        for series in MEMBERS:
            ours = [each for at in span for each in signals.get(at, []) if each.series == series]
            for at, told in zip(sorted(chance.choices(span, k=len(ours))), ours, strict=True):
                other.setdefault(at, []).append(told)
        if Line(other, line.targets).edits() == line.edits():
            signals = other
    return Line(signals, line.targets)


def posted(line: Line, chance: Random) -> list[Judgement]:
    world = Driven(POSTS)
    for barrier in range(WEEKS):
        world.week(barrier, {}, in_order(mingled(line.signals.get(barrier, []), chance)))
        world.watch = msgspec.msgpack.decode(msgspec.msgpack.encode(world.watch), type=Watch)
        if barrier in line.targets:
            world.activate(barrier, with_target(world.rules, value=line.targets[barrier]))
    return [each for _, each in world.told]


def mingled(signals: list[Signal], chance: Random) -> list[Any]:
    """In any order between series, for these come from several partitions."""
    left = {series: [each for each in signals if each.series == series] for series in MEMBERS}
    order = [each.series for each in signals]
    chance.shuffle(order)
    return [left[series].pop(0) for series in order]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_an_edit_is_held_against_what_fires_then_whenever_that_was_heard(seed: int):
    line = line_of(Random(seed))
    told = posted(line, Random(seed + 1))
    assert ["eased" if each.cause == EASED else each.turn for each in told] == posts_twin(line.edits())
    other = posted(moved_about(line, Random(seed + 2)), Random(seed + 3))
    by_edit = [[each for each in said if each.cause != EASED] for said in (told, other)]
    assert by_edit[0] == by_edit[1]
    assert [each.cause == EASED for each in told] == [each.cause == EASED for each in other]


def test_these_edits_reach_every_turn_and_signals_are_moved_about():
    lines = [line_of(Random(seed)) for seed in range(30)]
    assert {turn for line in lines for turn in posts_twin(line.edits())} == {*MOVED, "eased"}
    assert sum(moved_about(line, Random(7)).signals != line.signals for line in lines) > 20
