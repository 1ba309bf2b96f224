"""Stage 1 says what its slow twin says, whatever comes in whatever order, however it is cut and restored."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_stage1 import NaiveSeries, Said

from engine.model.finding import Evidence, Finding, RawPoint, Silence, WindowPoint
from engine.model.records import Tick
from engine.model.time import HOUR, SECOND, format_time, parse_own_time
from engine.rules.resolved.catalogue import Kpi
from engine.rules.resolved.condition import Change, MissingData, Threshold, TrendBreak
from engine.rules.resolved.control import ControlChart, Cusum, Ewma, RunRules
from engine.rules.resolved.rule import ReviewSpec, Rule, Step
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.records import encode_batch

START = 1_700_000_000 // 3600 * 3600 * SECOND
TUMBLING = Window(10 * SECOND, 10 * SECOND)
HOPPING = Window(30 * SECOND, 10 * SECOND)
REVIEW = ReviewSpec(None, (), None, None, "on_recovery")


def worse(by: float, *, relative: bool) -> ReviewSpec:
    return msgspec.structs.replace(REVIEW, renotify=Step(by, relative))


def kpi(aggregation: str, lateness: int) -> Kpi:
    return Kpi(
        id="k", title="K", owner="o", objective="ob", definition="d", decision=None, direction="higher_is_better",
        role="leading", unit="u", aggregation=aggregation, window=TUMBLING, lateness=lateness, idle=40 * SECOND,
        cadence=None, sources=(), dimensions=(), series=(), rolls_up_to=None, target=None, counterparts=(),
        publish=False,
    )  # fmt: skip


def rule(name: str, condition: Any, **changes: Any) -> Rule:
    plain = Rule(
        id=name, title=name, kpi="k", where={}, condition=condition, points="window", window=TUMBLING, lateness=0,
        idle=40 * SECOND, for_=0, keep_firing_for=0, severity="warning", mode="on", owner=None, review=REVIEW,
        known_gaps=(), declared={}, fingerprint=name,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


RULES = [
    rule("above", Threshold("above", None, 5.0, None), review=worse(0.25, relative=False)),
    rule(
        "held",
        Threshold("above", None, 4.0, 2.0),
        for_=20 * SECOND,
        keep_firing_for=20 * SECOND,
        lateness=15 * SECOND,
    ),
    rule("outside", Threshold("outside", 2.0, 6.0, None), window=HOPPING, lateness=5 * SECOND),
    rule("inside", Threshold("inside", 3.0, 4.0, None), points="raw", review=worse(0.1, relative=True)),
    rule("below", Threshold("below", 3.0, None, 4.0), points="raw", lateness=12 * SECOND, for_=3 * SECOND,
         review=worse(0.5, relative=True)),
    rule("change", Change("windows", 3, 0.5, 0.4, relative=True), review=worse(1.0, relative=False)),
    rule("shift", Change("windows", 2, 1.0, None, relative=False), window=HOPPING, lateness=15 * SECOND,
         review=worse(0.3, relative=True)),
    rule("trend", TrendBreak(2.0, None, None, 0.0, relative=False, learn=4), lateness=15 * SECOND),
    rule("bend", TrendBreak(1.0, 3.0, "up", 0.1, relative=True, learn=5), for_=10 * SECOND),
    rule("runs", ControlChart(RunRules(("western_electric_1", "western_electric_2", "nelson_3")), None, None, None,
         "deviation", 4), lateness=15 * SECOND),
    rule("average", ControlChart(Ewma(0.4, 1.5, varying=True), None, 4.0, 1.0, "moving_range", 25),
         keep_firing_for=20 * SECOND),
    rule("sums", ControlChart(Cusum(0.25, 2.0, 1.0), "up", None, 2.0, "moving_range", 3), for_=10 * SECOND),
    rule("often", Threshold("above", None, 4.0, None), at_least=(2, 4), grace=25 * SECOND),
    rule("rose", Change("windows", 2, 0.3, None, relative=True), at_least=(2, 3), for_=10 * SECOND, warm_up=4),
    rule("warm", Threshold("below", 4.0, None, None), warm_up=3, lateness=10 * SECOND, grace=10 * SECOND),
    rule("raw", Threshold("above", None, 4.0, None), points="raw", at_least=(2, 3), warm_up=2, grace=9 * SECOND),
    rule("drift", TrendBreak(2.0, None, None, 0.0, relative=False, learn=4), grace=30 * SECOND),
    rule("missing", MissingData(60 * SECOND)),
]  # fmt: skip


def context(aggregation: str, lateness: int, chosen: list[Rule] = RULES) -> StageContext:
    rules = tuple(sorted(chosen, key=lambda r: r.id))
    rule_set = RuleSet((), (), (kpi(aggregation, lateness),), rules, (), {})
    return StageContext({rule_set.hash: rule_set}, rule_set.hash, 1, 1, future_max=HOUR)


AGGREGATIONS = ["count", "sum", "mean", "min", "max", "last", "share", "rate", "deviation", "p90", "distinct"]
events = st.lists(
    st.one_of(
        st.tuples(st.just("measure"), st.integers(-25, 12), st.sampled_from([0.0, 1.5, 3.0, 3.5, 5.0, 5.25, 8.0])),
        st.tuples(st.just("again"), st.integers(0, 5), st.just(0.0)),
        st.tuples(st.just("restated"), st.integers(0, 9), st.sampled_from([0.0, 1.5, 3.0, 5.0, 8.0])),
        st.tuples(st.just("tick"), st.integers(1, 30), st.just(0.0)),
    ),
    max_size=60,
)


def lay_out(drawn: list[tuple[str, int, float]]) -> list[tuple[str, str, int, float, int]]:
    """Moves relative to a clock become records: (kind, id, time, value, revision)."""
    clock, tick, made = START, START, []
    measured = []
    for kind, move, value in drawn:
        if kind == "measure":
            made.append(("measure", f"id-{len(made)}", clock + move * SECOND, value, 0))
            measured.append(made[-1])
            clock = max(clock, clock + move * SECOND)
        elif kind == "again" and len(measured) > move:
            made.append(measured[-1 - move])
        elif kind == "restated" and len(measured) > move:
            _, name, time, _, revision = measured[-1 - move]
            measured[-1 - move] = ("measure", name, time, value, revision + 1)
            made.append(measured[-1 - move])
        elif kind == "tick":
            tick += move * SECOND
            made.append(("tick", "", tick, 0.0, 0))
    return made


def encode(records: list[tuple[str, str, int, float, int]]) -> list[Record]:
    encoded = []
    for number, (kind, identifier, time, value, revision) in enumerate(records):
        if kind == "tick":
            encoded.append(encode_control(Tick("replay", number, format_time(time))))
        else:
            body = {"kpi": "k", "id": identifier, "time": format_time(time), "value": value, "revision": revision}
            encoded.append(Record(None, json.dumps(body).encode()))
    return encoded


def run(records: list[Record], around: StageContext, cut: int, *, restore: bool = False) -> list[bytes]:
    stage, said, pages = Stage1(0, around), [], {}
    for first in range(0, len(records), cut):
        part = records[first : first + cut]
        batch = Batch("measurements", 0, first, first + len(part) - 1, first + len(part), encode_batch(part, first))
        said += [output.record for output in stage.apply(batch)]
        if restore:
            pages.update(stage.dirty_pages())
            pages = {name: page for name, page in pages.items() if page}
            stage = Stage1(0, around)
            stage.restore(pages)
    return said


def found(said: list[Record]) -> list[list[Said]]:
    """Findings by the offset that caused them."""
    by_offset: dict[int, list[Said]] = {}
    for record in said:
        value = json.loads(record.value)
        if value["type"] != "finding":
            continue
        finding = msgspec.json.decode(record.value, type=Finding)
        offset = int(dict(record.headers)["counterpoint-position"].split(b":")[2])
        silence = finding.rule == "missing"
        by_offset.setdefault(offset, []).append(
            Said(
                finding.rule,
                finding.transition,
                parse_own_time(finding.event_time),
                finding.status,
                finding.value,
                parse_own_time(finding.opened_event_time),
                finding.episode.points,
                0.0 if silence and finding.transition == "resolved" else finding.episode.worst,
                () if silence else evidence_of(finding),
            )
        )
    return by_offset


def evidence_of(finding: Finding) -> tuple[Any, ...]:
    point = finding.evidence.point
    if isinstance(point, Silence):
        return ("silence", *map(parse_own_time, (str(point.last_seen), point.waited_since, point.tick_time)))
    if finding.evidence.trend is not None:
        return trend_evidence_of(finding.evidence)
    if finding.evidence.anomaly:
        return anomaly_evidence_of(finding.evidence)
    if finding.evidence.control:
        return control_evidence_of(finding.evidence)
    told = () if finding.transition != "worsened" else (finding.episode.told,)
    return (parts_of(point), *[earlier.value for earlier in finding.evidence.baseline_points], *told)


def parts_of(point: WindowPoint | RawPoint) -> Any:
    """What a window is made of: a restatement that leaves its value alone can still change them."""
    if isinstance(point, RawPoint):
        return point.id
    assert point.parts.count == point.ids.count
    parts = point.parts
    return (float(parts.count), parts.sum, parts.min, parts.max, parts.nonzero, parts.last)


def trend_evidence_of(evidence: Evidence) -> tuple[Any, ...]:
    trend, point = evidence.trend, evidence.point
    assert trend is not None
    assert isinstance(point, WindowPoint)
    numbers = (f"{trend.size:.6g}", "" if evidence.statistic is None else f"{evidence.statistic:.6g}")
    listed = tuple((index_of(each.start), each.value, f"{each.usual:.6g}") for each in trend.points)
    sign = 1 if trend.direction == "up" else -1
    return (parts_of(point), trend.shape, trend.state, sign, index_of(trend.onset), *numbers, *listed)


def anomaly_evidence_of(evidence: Evidence) -> tuple[Any, ...]:
    anomaly, point = evidence.anomaly, evidence.point
    assert anomaly
    assert isinstance(point, WindowPoint)
    fires = anomaly.state == "unusual"
    listed = tuple(
        (index_of(each.start), each.value, *(f"{edge:.6g}" for edge in (each.usual, each.low, each.high)))
        for each in anomaly.points
    )
    score = "" if evidence.statistic is None else f"{evidence.statistic:.6g}"
    return (parts_of(point), anomaly.state, index_of(anomaly.began), score, *(listed if fires else ()))


def control_evidence_of(evidence: Evidence) -> tuple[Any, ...]:
    chart, point = evidence.control, evidence.point
    assert chart
    assert isinstance(point, WindowPoint)
    side = {"up": 1, "down": -1, None: 0}[chart.direction]
    onset = None if chart.onset is None else index_of(chart.onset)
    held = (evidence.statistic, evidence.limit, chart.centre, chart.sigma, chart.learned, chart.judged)
    listed = tuple((index_of(each.start), each.value, each.statistic) for each in chart.points)
    return (parts_of(point), chart.rules, side, *held, onset, *listed)


def index_of(start: str) -> int:
    return parse_own_time(start) // TUMBLING.step


def order(said: list[Said]) -> list[str]:
    return sorted(map(repr, said))


@settings(max_examples=150, deadline=None)
@given(events, st.sampled_from(AGGREGATIONS), st.sampled_from([0, 8]))
def test_stage_1_says_what_the_slow_twin_says(drawn: list[Any], aggregation: str, lateness: int):
    agree_with_the_twin(drawn, aggregation, lateness)


def agree_with_the_twin(drawn: list[Any], aggregation: str, lateness: int) -> None:
    records = lay_out(drawn)
    around = context(aggregation, lateness * SECOND)
    spoken = found(run(encode(records), around, cut=7))
    twin = NaiveSeries(kpi(aggregation, lateness * SECOND), RULES)
    for offset, (kind, identifier, time, value, revision) in enumerate(records):
        expected = twin.tick(time) if kind == "tick" else twin.measure(identifier, time, value, revision)
        assert order(spoken.get(offset, [])) == order(expected), (offset, kind, time)


def test_windows_that_closed_provisionally_stay_in_the_history_when_an_earlier_one_settles():
    measured = [("measure", -5, 8.0), ("measure", 300, 2.0)]
    idle = [("tick", 10, 0.0), ("tick", 300, 0.0)]
    late = [("measure", 10, 8.0), ("measure", 20, 8.0), ("tick", 60, 0.0), ("tick", 60, 0.0)]
    agree_with_the_twin([*measured, *idle, *late], "mean", 8)


def test_what_is_restated_twice_has_its_newest_value():
    twice = [("restated", 0, 0.0), ("measure", 0, 0.0), ("restated", 1, 3.0)]
    agree_with_the_twin([("measure", -3, 0.0), *twice], "count", 0)


def test_a_raw_point_that_is_just_not_too_late_can_be_restated_and_is_told_once():
    agree_with_the_twin([("measure", -12, 0.0), ("measure", -24, 3.0), ("restated", 0, 0.0)], "count", 0)
    again = [("measure", 9, 0.0), ("measure", -9, 5.0), ("restated", 1, 0.0)]
    agree_with_the_twin([("measure", 0, 0.0), ("measure", 0, 0.0), ("measure", 0, 5.0), *again], "count", 0)


def test_a_restatement_that_leaves_the_value_alone_amends_the_parts():
    ticks = [("tick", 1, 0.0), ("tick", 10, 0.0), ("tick", 30, 0.0)]
    agree_with_the_twin([("measure", 0, 0.0)] * 5 + [*ticks, ("measure", 0, 0.0), ("restated", 0, 1.5)], "count", 0)


def test_windows_that_are_final_as_they_close_are_remembered_when_later_ones_are_judged_again():
    agree_with_the_twin([("measure", -21, 5.0), ("measure", 10, 0.0), ("measure", -1, 5.0)], "sum", 0)


@settings(max_examples=60, deadline=None)
@given(events, st.sampled_from(["mean", "deviation", "p90", "distinct"]))
def test_how_the_log_is_cut_and_when_the_worker_died_changes_no_byte(drawn: list[Any], aggregation: str):
    records = encode(lay_out(drawn))
    around = context(aggregation, 8 * SECOND)
    whole = run(records, around, cut=10_000)
    assert run(records, around, cut=1) == whole
    assert run(records, around, cut=5, restore=True) == whole


@settings(max_examples=60, deadline=None)
@given(events)
def test_no_two_different_findings_share_an_id(drawn: list[Any]):
    said = run(encode(lay_out(drawn)), context("mean", 8 * SECOND), cut=50)
    values: dict[str, bytes] = {}
    for record in said:
        value = json.loads(record.value)
        if value["type"] == "finding":
            assert values.setdefault(value["id"], record.value) == record.value


@pytest.mark.parametrize("name", ["withdrawn", "amended"])
def test_late_data_takes_verdicts_back_and_changes_them(name: str):
    drawn = [
        ("measure", 0, 8.0),
        ("tick", 10, 0.0),
        ("tick", 60, 0.0),
        ("measure", 1, 1.5 if name == "withdrawn" else 8.5),
    ]
    spoken = found(run(encode(lay_out(drawn)), context("mean", 0), cut=50))
    assert name in {said.status for said in spoken[3]}


def test_nothing_is_said_against_windows_that_had_nothing():
    drawn = [("measure", 10, 2.0) for _ in range(9)] + [
        ("measure", 40, 8.0),
        ("measure", 10, 8.0),
        ("measure", 10, 8.0),
    ]
    changes = [
        said for spoken in found(run(encode(lay_out(drawn)), context("mean", 0), cut=50)).values() for said in spoken
    ]
    assert not [said for said in changes if said.rule == "change"]
