"""What is chosen from a sample, and what is refused, with how to mend it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from made_up import sample

from engine.errors import ConfigError
from engine.propose.choice import SERIES_MAX, Wish, choose
from engine.propose.sample import of_columns, of_message
from engine.wire.json_text import JsonObject
from engine.wire.message import tree_of

if TYPE_CHECKING:
    from engine.propose.sample import Row


def tickets(count: int = 60, **more: object) -> list[Row]:
    return [
        of_columns(
            {
                "ticket": str(7000 + place),
                "opened_at": f"2025-03-03 {place // 60 + 8:02d}:{place % 60:02d}:00",
                "team": ("billing", "technical")[place % 2],
                "first_answer_min": str(10 + place % 7),
                "zip": str(1010 + place % 3),
                "subject": f"Subject {place}",
                **more,
            }
        )
        for place in range(count)
    ]


def refused(rows: list[Row], **wish: object) -> str:
    with pytest.raises(ConfigError) as caught:
        choose(sample(rows, "tickets.csv"), Wish(**wish))  # type: ignore[arg-type]
    return str(caught.value)


def test_time_value_dimensions_and_id_are_found():
    choice = choose(sample(tickets()), Wish())
    assert (choice.time, choice.time_format, choice.zone_needed) == ("opened_at", "local", True)
    assert (choice.values, choice.dimensions, choice.id) == (("first_answer_min",), ("team",), ("ticket",))


def test_each_choice_has_its_reason():
    choice = choose(sample(tickets()), Wish())
    assert [(reason.what, reason.chosen) for reason in choice.reasons] == [
        ("time", "opened_at"),
        ("id", "ticket"),
        ("value", "first_answer_min"),
        ("dimensions", "team"),
    ]
    assert all(reason.why for reason in choice.reasons)


def test_what_is_named_by_hand_goes_before_what_is_guessed():
    choice = choose(sample(tickets(note="x")), Wish(values=("zip",), dimensions=("team", "note"), id=("subject",)))
    assert (choice.values, choice.dimensions, choice.id) == (("zip",), ("team", "note"), ("subject",))


def test_several_values_and_no_dimension_can_be_asked_for():
    choice = choose(sample(tickets(wait="3")), Wish(values=("wait", "first_answer_min"), dimensions=()))
    assert (choice.values, choice.dimensions) == (("wait", "first_answer_min"), ())


def test_without_numbers_each_row_counts():
    rows = [{name: row[name] for name in ("ticket", "opened_at", "team")} for row in tickets()]
    assert choose(sample(rows), Wish()).values == ()
    assert choose(sample(tickets()), Wish(values=("1",))).values == ()


def test_paths_into_messages_are_columns():
    tree = tree_of(
        b'{"id": "p1", "at": 5, "pay": {"ms": 412, "by": "card", "tags": [{"k": "a"}, {"k": "b"}]}, "x": null}'
    )
    assert isinstance(tree, JsonObject)
    assert of_message(tree) == {"id": "p1", "at": 5, "pay.ms": 412, "pay.by": "card", "pay.tags[0].k": "a"}


def test_names_that_no_path_can_lead_through_are_left_out():
    assert of_message(JsonObject({"a.b": 1, "c d": 2, "": 3, "e": JsonObject({"f": 4})})) == {"e.f": 4}


def test_a_number_is_a_time_only_where_it_is_called_so():
    rows = [{"created": 1741003200 + 60 * k, "total": 1741003200 + k} for k in range(9)]
    choice = choose(sample(rows), Wish())
    assert (choice.time, choice.time_format) == ("created", "s")


@pytest.mark.parametrize(
    ("rows", "wish", "said"),
    [
        ([], {}, "tickets.csv: expected at least one row, found none"),
        ([{"a": "x", "b": "5"}], {}, r"expected a column of times: .* found a \(x\), b \(5\); add one"),
        ([{"day": "31.01.2025", "b": "5"}], {}, r"expected a column of times.*day: write dates as 2026-01-31"),
        (
            [*tickets(), {**tickets(1)[0], "opened_at": "soon"}],
            {},
            "throughout opened_at, found 1 of 61 that are none, the first 'soon' in row 61",
        ),
        ([*tickets(), {"ticket": "1", "first_answer_min": "3", "team": "billing"}], {}, "expected a time in every row"),
        (
            [*tickets(), {**tickets(1)[0], "first_answer_min": "soon"}],
            {},
            "expected numbers in first_answer_min, found 'soon' in row 61; mend or empty these",
        ),
        (tickets(first_answer_min="12,5"), {"values": ("first_answer_min",)}, "write numbers with a point"),
        (
            tickets(),
            {"values": ("team",)},
            "expected numbers in team, found 'billing' in row 1; name a column of numbers",
        ),
        (
            tickets(),
            {"time": "openedat"},
            "expected a column for --time, found no 'openedat'; did you mean \"opened_at\"?",
        ),
        (tickets(), {"dimensions": ("tema",)}, "expected a column for --dimension"),
        (
            [*tickets(), {"opened_at": "2025-03-04 08:00:00"}],
            {"dimensions": ("team",)},
            "expected a value of team in every row",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_how_to_mend_it(rows: list[Row], wish: dict[str, object], said: str):
    assert re.search(said, refused(rows, **wish)), refused(rows, **wish)


def test_everything_that_is_wrong_is_told_at_once():
    said = refused([{**row, "opened_at": "soon"} for row in tickets(first_answer_min="12,5")])
    assert "expected a column of times" in said
    assert "expected numbers in first_answer_min, found '12,5' in row 1; write numbers with a point" in said


def test_marks_of_nothing_are_no_other_type():
    rows = [{**row, "first_answer_min": "NA"} if place % 5 == 0 else row for place, row in enumerate(tickets())]
    assert choose(sample(rows), Wish(values=("first_answer_min",))).values == ("first_answer_min",)


def test_where_no_column_names_a_row_several_do_together():
    rows: list[Row] = [
        {
            "hour": f"2025-03-03 {place // 12:02d}:00:00",
            "flight": str(place % 6),
            "by": "AB"[place // 6 % 2],
            "delay": "1",
        }
        for place in range(96)
    ]
    choice = choose(sample(rows), Wish(dimensions=()))
    assert choice.id == ("hour", "flight", "by")
    assert choose(sample(rows, topic=True), Wish(dimensions=())).id == ()


def test_rows_that_agree_in_everything_have_no_id():
    rows: list[Row] = [{"hour": "2025-03-03 12:00:00", "by": "A", "delay": "1"}] * 9
    assert choose(sample(rows), Wish(dimensions=())).id == ()


def test_too_many_series_are_refused():
    rows = [{"at": "2025-03-03T12:00:00Z", "n": k, "user": f"u{k}"} for k in range(SERIES_MAX + 1)]
    assert f"expected at most {SERIES_MAX:,} series, found {SERIES_MAX + 1:,} by user" in refused(
        rows, dimensions=("user",)
    )


def test_columns_of_many_values_are_no_dimensions():
    rows = [{**row, "agent": f"agent {place % 30}"} for place, row in enumerate(tickets(60))]
    assert choose(sample(rows), Wish()).dimensions == ("team",)
