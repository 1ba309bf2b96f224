"""After another version of a KPI a series is as one that was first measured then: its past is in no verdict.

The twin is a worker that was never told of what came before: of each series it gets what is newer than the window
that the version changed in, and not older than what the series had seen by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from test_stage1_twin import START, TUMBLING, kpi, rule

from engine.model.records import Activate, Tick
from engine.model.time import SECOND, format_time
from engine.rules.resolved.condition import Change, Threshold, TrendBreak
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.ports import Position
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.encode import encode_measurement
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule

ABOVE = Threshold("above", None, 4.0, None)
SHOWN = ("rule", "transition", "status", "event_time", "value", "cause")
NEVER_IDLE = 100_000 * SECOND
WINDOWED = [
    rule("change", Change("windows", 2, 0.5, 0.5, relative=True), idle=NEVER_IDLE),
    rule("often", ABOVE, at_least=(2, 3), idle=NEVER_IDLE),
    rule("warm", ABOVE, warm_up=2, lateness=25 * SECOND, idle=NEVER_IDLE),
    rule("trend", TrendBreak(2.0, None, None, 0.0, relative=False, learn=4), lateness=15 * SECOND, idle=NEVER_IDLE),
]
RAW = [
    rule("raw", ABOVE, points="raw", at_least=(2, 2)),
    rule("raw-late", ABOVE, points="raw", at_least=(2, 2), lateness=20 * SECOND),
]
KEPT = [rule("plain", ABOVE), rule("plain-late", ABOVE, points="raw", lateness=20 * SECOND)]

Event = tuple[str, int, float]
events = st.lists(
    st.one_of(
        st.tuples(st.just("m"), st.integers(-12, 12), st.sampled_from([1.0, 3.0, 9.0])),
        st.tuples(st.just("tick"), st.integers(5, 30), st.just(0.0)),
    ),
    max_size=30,
)


def sets(rules: list[Rule]) -> tuple[RuleSet, RuleSet]:
    """The same rules on the first and the second version; what learns knows which."""
    after = [each if each in KEPT else msgspec.structs.replace(each, fingerprint=f"{each.id}-2") for each in rules]
    second = msgspec.structs.replace(kpi("mean", 0), version="2")
    return set_of(kpi("mean", 0), rules), set_of(second, after)


def set_of(kpi: Kpi, rules: list[Rule]) -> RuleSet:
    return RuleSet((), (), (kpi,), tuple(sorted(rules, key=lambda each: each.id)), (), {})


class Drawn:
    """The records of what was drawn, and the event times of the measurements among them."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.times: list[int | None] = []
        self.clock = self.tick = START
        self.ticks = 0

    @property
    def newest(self) -> int | None:
        return max((at for at in self.times if at is not None), default=None)

    def add(self, drawn: list[Event]) -> None:
        for what, move, value in drawn:
            if what == "tick":
                self.passes(move)
                continue
            at = self.clock + move * SECOND
            self.clock = max(self.clock, at)
            self.measure(at, value)

    def measure(self, at: int, value: float) -> None:
        self._put(Record(None, encode_measurement("k", at, value, {}, id=f"id-{len(self.records)}")), at)

    def passes(self, seconds: int) -> None:
        self.tick += seconds * SECOND
        self.ticks += 1
        self._put(encode_control(Tick("replay", self.ticks, format_time(self.tick))), None)

    def activate(self, rules: RuleSet) -> None:
        self._put(encode_control(Activate(7, rules.hash, self.ticks + 1)), None)
        self.passes(1)

    def _put(self, record: Record, at: int | None) -> None:
        self.records.append(record)
        self.times.append(at)

    def of(self, takes: Callable[[int], bool], since: int) -> list[Record]:
        """From the record `since` on the ticks, and the measurements that `takes` allows."""
        rest = zip(self.records[since:], self.times[since:], strict=True)
        return [record for record, at in rest if at is None or takes(at)]


def said(sets: Sequence[RuleSet], records: list[Record], since: int = 0, cut: int = 1_000) -> list[Any]:
    """What the records from `since` on bring about; the worker dies after every `cut` of them."""
    around = StageContext({each.hash: each for each in sets}, sets[0].hash, 1, 1)
    stage, found = Stage1(0, around), []
    for first in range(0, len(records), cut):
        part = records[first : first + cut]
        for output in stage.apply(
            Batch("m", 0, first, first + len(part) - 1, first + len(part), encode_batch(part, first))
        ):
            finding = msgspec.json.decode(output.record.value or b"{}")
            if finding.get("type") == "finding" and Position.decode(output.record.headers[0][1]).offset >= since:
                found.append(
                    [finding[name] for name in ("rule", "transition", "status", "event_time", "value", "cause")]
                )
        pages = {name: page for name, page in stage.all_pages().items() if page}
        stage = Stage1(0, around)
        stage.restore(pages)
    return found


@settings(max_examples=60)
@given(st.sampled_from([WINDOWED, RAW]), events, events, st.sampled_from([1_000, 7]))
def test_what_learns_begins_as_if_nothing_had_been_before(rules: list[Rule], early: Any, later: Any, cut: int):
    first, second = sets(rules)
    drawn = Drawn()
    drawn.add(early)
    newest = drawn.newest
    drawn.activate(second)
    border = len(drawn.records)
    drawn.add(later)
    drawn.passes(30)
    if newest is not None and rules is WINDOWED:
        newest += TUMBLING.step - newest % TUMBLING.step
    fresh = drawn.of(lambda at: newest is None or at >= newest, border)
    assert said([first, second], drawn.records, border, cut) == said([second], fresh)


def test_the_window_in_which_the_version_changes_is_nobodys_and_a_rule_that_does_not_learn_goes_on():
    first, second = sets([*KEPT, *WINDOWED[:1]])
    drawn = Drawn()
    for at, value in ((0, 9.0), (10, 9.0), (21, 9.0)):
        drawn.measure(START + at * SECOND, value)
    drawn.activate(second)
    # 20 is older than the newest: late. 25 is in the window in which it changed; 31 and 41 are in those that follow.
    for at, value in ((20, 1.0), (25, 9.0), (31, 9.0), (41, 1.0), (51, 1.0)):
        drawn.measure(START + at * SECOND, value)
    when = [(each[0], each[1], each[3][17:19], each[4]) for each in said([first, second], drawn.records)]
    assert when == [
        ("plain-late", "firing", "00", 9.0),
        ("plain", "firing", "10", 9.0),
        ("plain-late", "resolved", "41", 1.0),
        ("plain", "resolved", "50", 1.0),
    ]


def test_windows_that_overlap_begin_with_the_first_that_holds_nothing_of_the_former_version():
    hops = rule("hops", ABOVE, window=Window(20 * SECOND, 10 * SECOND), fingerprint="hops")
    first, second = sets([hops])
    drawn = Drawn()
    drawn.measure(START + 5 * SECOND, 1.0)
    drawn.activate(second)
    for at in (12, 22, 32):
        drawn.measure(START + at * SECOND, 9.0)
    # The window from 0 to 20 would hold both; that from 10 to 30 is the first of the new version alone.
    assert [each[1:4] for each in said([first, second], drawn.records)] == [
        ["firing", "new", format_time(START + 30 * SECOND)]
    ]


def test_what_was_said_of_the_former_version_cannot_be_amended_any_more():
    first, second = sets([KEPT[1]])
    drawn = Drawn()
    drawn.measure(START + 10 * SECOND, 9.0)
    drawn.activate(second)
    drawn.measure(START + 5 * SECOND, 9.0)
    drawn.measure(START + 12 * SECOND, 9.0)
    drawn.measure(START + 11 * SECOND, 1.0)
    assert [each[1:4] for each in said([first, second], drawn.records)] == [
        ["firing", "new", format_time(START + 10 * SECOND)],
        ["resolved", "new", format_time(START + 11 * SECOND)],
        ["firing", "new", format_time(START + 12 * SECOND)],
    ]


def test_what_is_older_than_what_was_seen_of_the_former_version_is_late():
    first, second = sets(KEPT)
    drawn = Drawn()
    drawn.measure(START + 10 * SECOND, 1.0)
    drawn.activate(second)
    for at in (9, 10, 11):
        drawn.measure(START + at * SECOND, 1.0)
    stage = Stage1(0, StageContext({each.hash: each for each in (first, second)}, first.hash, 1, 1))
    count = len(drawn.records)
    stage.apply(Batch("m", 0, 0, count - 1, count, encode_batch(drawn.records, 0)))
    assert (stage.counts["accepted"], stage.counts["late"], stage.counts["late_raw"]) == (3, 1, 0)
