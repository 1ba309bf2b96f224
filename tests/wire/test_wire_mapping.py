"""Foreign JSON, whatever it looks like, becomes measurements or is refused by name."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.limits import Limits
from engine.model.time import from_datetime, parse_own_time
from engine.rules.calendar import transitions
from engine.rules.mapping import Mapped, Position, look_up, map_message, to_utc
from engine.rules.resolved.catalogue import Kpi
from engine.rules.resolved.source import FieldRule, FilterRule, Mapping, Source
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.wire.columns import Rejected
from engine.wire.item import item_of
from engine.wire.message import tree_of

AT = Position("crm.tickets.v1", 3, 41)
NOON = "2013-02-08T05:00:00Z"
BERLIN = "Europe/Berlin"
ZONES = {zone: transitions(zone) for zone in (BERLIN, "America/New_York", "Pacific/Apia")}


def kpi(identifier: str) -> Kpi:
    return Kpi(
        id=identifier,
        title="",
        owner="ops",
        objective="o",
        definition="",
        decision=None,
        direction="lower_is_better",
        role="leading",
        unit="",
        aggregation="sum",
        window=Window(1, 1),
        lateness=0,
        idle=0,
        cadence=None,
        sources=(),
        dimensions=(),
        series=(),
        rolls_up_to=None,
        target=None,
        counterparts=(),
        publish=False,
    )


RULE_SET = RuleSet((), (), (kpi("support.tickets"), kpi("support.minutes")), (), (), ZONES)


def mapping(**changes: Any) -> Mapping:
    fields: dict[str, Any] = {
        "kpi": FieldRule(const="support.tickets"),
        "value": FieldRule(const=1),
        "time": FieldRule(path="at"),
        "time_unit": "rfc3339",
        "time_zone": None,
        "dimensions": {},
        "id": (),
        "filter": (),
        "provenance": "automated",
    }
    return Mapping(**{**fields, **changes})


def run(message: object, *mappings: Mapping, limits: Limits | None = None) -> list[Mapped | Rejected]:
    value = message if isinstance(message, bytes) else json.dumps(message).encode()
    return map_message(Source("crm", "crm.tickets.v1", mappings or (mapping(),)), RULE_SET, value, AT, limits)


def one(message: object, *mappings: Mapping) -> Mapped:
    (found,) = run(message, *mappings)
    assert isinstance(found, Mapped)
    return found


def reason(message: object, *mappings: Mapping) -> tuple[str, str]:
    (found,) = run(message, *mappings)
    assert isinstance(found, Rejected)
    assert found.offset == AT.offset
    return found.error.reason, found.error.path


def time_of(written: object, unit: str, zone: str | None = None) -> int:
    return one({"at": written}, mapping(time_unit=unit, time_zone=zone)).item.time


def test_a_deep_message_becomes_a_measurement():
    message = {"data": {"tickets": [{"id": 7, "opened": NOON, "cost": "12.50", "who": {"company": "acme"}}]}}
    found = one(
        message,
        mapping(
            value=FieldRule(path="data.tickets[0].cost"),
            time=FieldRule(path="data.tickets[0].opened"),
            dimensions={
                "company": FieldRule(path="data.tickets[0].who.company"),
                "number": FieldRule(path="data.tickets[0].id"),
                "channel": FieldRule(const="web"),
            },
            id=(FieldRule(path="data.tickets[0].id"),),
            provenance="self_reported",
        ),
    )
    assert found.key == b'support.tickets{"channel":"web","company":"acme","number":"7"}'
    assert json.loads(found.value) == {
        "kpi": "support.tickets",
        "time": NOON,
        "value": 12.5,
        "dimensions": {"channel": "web", "company": "acme", "number": "7"},
        "id": "crm/7",
        "source": "crm",
        "provenance": "self_reported",
    }
    assert item_of(tree_of(found.value), 16) == found.item


def test_without_an_id_rule_the_position_names_the_measurement():
    assert one({"at": NOON}).item.id == "crm/crm.tickets.v1-3-41"
    ids = [found.item.id for found in run([{"at": NOON}] * 2) if isinstance(found, Mapped)]
    assert ids == ["crm/crm.tickets.v1-3-41-0", "crm/crm.tickets.v1-3-41-1"]


def test_several_mappings_of_one_message_have_ids_of_their_own():
    found = run({"at": NOON}, mapping(), mapping(kpi=FieldRule(const="support.minutes")))
    assert [entry.item.id for entry in found if isinstance(entry, Mapped)] == [
        "crm/crm.tickets.v1-3-41",
        "crm/crm.tickets.v1-3-41-m1",
    ]


def test_an_id_of_several_paths_cannot_be_mistaken_for_another():
    rule = mapping(id=(FieldRule(path="a"), FieldRule(path="b")))
    first = one({"at": NOON, "a": "x,y", "b": "z"}, rule).item.id
    second = one({"at": NOON, "a": "x", "b": "y,z"}, rule).item.id
    assert first == 'crm/["x,y","z"]'
    assert first != second


def test_the_kpi_may_stand_in_the_message_and_must_be_known():
    rule = mapping(kpi=FieldRule(path="type"))
    assert one({"at": NOON, "type": "support.minutes"}, rule).item.kpi == "support.minutes"
    assert reason({"at": NOON, "type": "gossip"}, rule) == ("unknown_kpi", "$.type")


@pytest.mark.parametrize(
    ("written", "unit", "expected"),
    [
        ("2013-02-08T00:00:00-05:00", "rfc3339", NOON),
        (1360299600, "s", NOON),
        (1360299600.5, "s", "2013-02-08T05:00:00.5Z"),
        ("1360299600", "s", NOON),
        (1360299600000, "ms", NOON),
        ("1360299600250", "ms", "2013-02-08T05:00:00.25Z"),
        (1360299600000001, "us", "2013-02-08T05:00:00.000001Z"),
        (1360299600123456789, "ns", "2013-02-08T05:00:00.123456Z"),
    ],
)
def test_times_are_read_in_the_unit_of_the_mapping(written: object, unit: str, expected: str):
    assert time_of(written, unit) == parse_own_time(expected)


def test_a_local_time_is_read_on_the_clock_of_its_zone():
    assert time_of("2013-02-08 06:00:00", "local", BERLIN) == parse_own_time(NOON)
    assert time_of("2013-07-08T07:00:00.5", "local", BERLIN) == parse_own_time("2013-07-08T05:00:00.5Z")


def test_a_date_alone_is_the_midnight_that_it_begins_with():
    assert time_of("2013-07-08", "local", BERLIN) == parse_own_time("2013-07-07T22:00:00Z")


def test_a_local_time_that_comes_twice_means_its_first_coming():
    assert time_of("2013-10-27T02:30:00", "local", BERLIN) == parse_own_time("2013-10-27T00:30:00Z")


def test_a_local_time_that_never_was_moves_on_by_the_gap():
    assert time_of("2013-03-31T02:30:00", "local", BERLIN) == parse_own_time("2013-03-31T01:30:00Z")


@given(st.datetimes(datetime(1995, 1, 1), datetime(2035, 1, 1)), st.sampled_from(sorted(ZONES)))  # noqa: DTZ001 (local)
def test_local_times_agree_with_the_standard_library(moment: datetime, zone: str):
    as_utc = from_datetime(moment.replace(tzinfo=ZoneInfo("UTC")))
    assert to_utc(as_utc, ZONES[zone]) == from_datetime(moment.replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("test", "passing", "failing"),
    [
        (FilterRule("s", ("new",)), ["new"], ["old", None, 1, ["new"]]),
        (FilterRule("s", ("a", "b")), ["a", "b"], ["c"]),
        (FilterRule("s", ("a",), negate=True), ["b", None], ["a"]),
        (FilterRule("s", (1,)), [1, 1.0], [True, "1"]),
        (FilterRule("s", (True,)), [True], [1, "true"]),
        (FilterRule("s", (None,)), [None], [0, ""]),
        (FilterRule("s", ()), [None, 0, "x"], []),
        (FilterRule("s.t", (), negate=True), ["x", {}], [{"t": None}]),
    ],
)
def test_filters_choose_the_messages_that_count(test: FilterRule, passing: list[object], failing: list[object]):
    for value in passing:
        assert len(run({"at": NOON, "s": value}, mapping(filter=(test,)))) == 1, value
    for value in failing:
        assert run({"at": NOON, "s": value}, mapping(filter=(test,))) == [], value


def test_a_message_that_is_filtered_out_may_lack_everything_else():
    assert run({"s": "old"}, mapping(filter=(FilterRule("s", ("new",)),))) == []
    assert run({}, mapping(filter=(FilterRule("s", ("new",)),))) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", ("empty", "$")),
        (b"\xff{}", ("not_utf8", "$")),
        (b"<xml/>", ("not_json", "$")),
        (b"17", ("not_an_object", "$")),
        ({"when": NOON}, ("missing_field", "$.at")),
        ({"at": None}, ("missing_field", "$.at")),
        ({"at": 17}, ("wrong_type", "$.at")),
        ({"at": "2013-02-08T05:00:00"}, ("naive_time", "$.at")),
        (b'{"at":"2013-02-08T05:00:00Z","at":"2014-02-08T05:00:00Z"}', ("duplicate_field", "$.at")),
    ],
)
def test_a_message_that_cannot_be_mapped_is_refused_by_name(message: object, expected: tuple[str, str]):
    assert reason(message) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"value": FieldRule(path="v")}, ("wrong_type", "$.v")),
        ({"value": FieldRule(path="o")}, ("wrong_type", "$.o")),
        ({"value": FieldRule(path="n")}, ("not_finite", "$.n")),
        ({"value": FieldRule(path="words")}, ("wrong_type", "$.words")),
        ({"dimensions": {"d": FieldRule(path="o")}}, ("wrong_type", "$.o")),
        ({"dimensions": {"d": FieldRule(path="list[9]")}}, ("missing_field", "$.list[9]")),
        ({"dimensions": {"d": FieldRule(path="at[0]")}}, ("missing_field", "$.at[0]")),
        ({"id": (FieldRule(path="long"),)}, ("bad_id", "$.id")),
        ({"time": FieldRule(path="big"), "time_unit": "s"}, ("time_out_of_range", "$.big")),
        ({"time": FieldRule(path="huge"), "time_unit": "s"}, ("time_out_of_range", "$.huge")),
        ({"time_unit": "local", "time_zone": BERLIN}, ("bad_time", "$.at")),
        ({"time_unit": "ms"}, ("wrong_type", "$.at")),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_with_the_path_of_the_mapping(
    changes: dict[str, Any], expected: tuple[str, str]
):
    message = {"at": NOON, "v": True, "o": {}, "n": float("nan"), "words": "12,5", "list": [], "long": "x" * 300}
    assert reason({**message, "big": -1e13, "huge": 1e305}, mapping(**changes)) == expected


def test_a_bad_item_is_refused_with_its_index_and_the_others_count():
    for message in ([{"at": NOON}, {"at": 1}, {"at": NOON}], b'{"at":1}\n{"at":"%s"}\n7' % NOON.encode()):
        found = run(message)
        refused = [entry for entry in found if isinstance(entry, Rejected)]
        assert [entry.error.index for entry in refused] == ([1] if len(refused) == 1 else [0, 2])
        assert len(found) == 3


def test_limits_hold_for_foreign_messages():
    (found,) = run({"at": NOON}, limits=Limits(message_bytes_max=5))
    assert isinstance(found, Rejected)
    assert found.error.reason == "too_long"


def test_a_path_that_leads_nowhere_finds_no_json_value():
    tree = tree_of(b'{"a":[{"b":null}]}')
    assert look_up(tree, "a[0].b") is None
    assert look_up(tree, "a[1].b") is look_up(tree, "x.y") is look_up(tree, "a.b")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["at", "v", "d", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_mapped_or_refused_and_what_is_mapped_stage_1_takes(message: object):
    rule = mapping(value=FieldRule(path="v"), dimensions={"d": FieldRule(path="d.x")}, time_unit="s")
    for found in run(message, rule):
        if isinstance(found, Mapped):
            assert item_of(tree_of(found.value), 16) == found.item
        else:
            assert found.error.reason
