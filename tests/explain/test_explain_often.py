"""Rules that ask for several of the last points: what they say, recomputed on whichever point they fire or resolve."""

from __future__ import annotations

import msgspec
import pytest
from errors_catalogue import CATALOGUE
from explain_world import MONDAY, explained

from engine.model.measurement import Measurement
from engine.model.time import HOUR, format_time, parse_own_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

STEADY = [10.0, 11.0, 9.0, 10.0, 12.0, 8.0] * 20
CHART = "control_chart: {rules: [nelson_1], centre: 10, sigma: 2}"
BREAK = "trend_break: {of: level, learn: 10}"
BAND = "anomaly: {season: none, learn: 30}"


def said(condition: str, fields: str, values: list[float]) -> list[tuple[int, str]]:
    """(hour, sentence) of each trigger of a rule; every one of them is recomputed."""
    text = f"{CATALOGUE}kind: rule\nid: told\ntitle: Told\nkpi: errors\ncondition: {{{condition}}}\n{fields}\n"
    loaded = load_read(read_text("all.yaml", text + "review: {reopen_within: 0s, close: on_recovery}\n"))
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    history = [
        (
            MONDAY + place * HOUR,
            Measurement("errors", format_time(MONDAY + place * HOUR), value, {"host": "a"}, f"{place}"),
        )
        for place, value in enumerate(values)
    ]
    found = []
    for output in replay(loaded.rule_set, history, every=HOUR).outputs:
        if output.topic == TRIGGERS:
            value = output.record.value or b""
            assert explained(value).failures == (), value
            data = msgspec.json.decode(value, type=ReviewTrigger).data
            found.append(((parse_own_time(data.event_time) - MONDAY) // HOUR, data.explanation))
    return found


def test_a_chart_is_out_of_control_in_two_of_three_windows():
    (begins, fired), (ends, over) = said(CHART, "at_least: {m: 2, of: 3}", [10.0, 90.0, 11.0, 91.0, 10.0, 11.0, 10.0])
    assert (begins, ends) == (4, 5)
    assert fired.endswith("; at least 2 of the last 3 windows were out of control.")
    assert "more than 3 sigma above the centre 10 (nelson_1)" in fired
    assert "no run rule holds about the centre 10; fewer than 2 of the last 3 windows were out of control" in over


def test_with_for_it_fires_on_a_point_that_is_in_control():
    told = said(CHART, "at_least: {m: 1, of: 3}\nfor: 2h", [10.0, 90.0, 11.0, 10.0, 10.0, 11.0, 10.0])
    assert [hour for hour, _ in told] == [4, 5]
    assert "no run rule holds about the centre 10; at least 1 of the last 3 windows were out of control" in told[0][1]


def test_with_keep_firing_for_it_resolves_on_a_point_that_is_not():
    values = [90.0, 91.0, 10.0, 11.0, 90.0, 10.0]
    told = said(CHART, "at_least: {m: 2, of: 3}\nkeep_firing_for: 1h", values)
    assert [hour for hour, _ in told] == [2, 5]
    assert "; fewer than 2 of the last 3 windows were out of control" in told[1][1]


def test_a_threshold_and_a_change_with_for_are_recomputed_on_points_that_are_within_bounds():
    for condition in ("threshold: {above: 50}", "change: {against: {median_of: 2, same: windows}, up: 100%}"):
        told = said(condition, "at_least: {m: 1, of: 3}\nfor: 2h", [10.0, 10.0, 90.0, 11.0, 10.0, 10.0, 11.0, 10.0])
        assert [hour for hour, _ in told] == [5, 6]


def test_a_break_that_lasts_is_not_the_usual_before_it_was_there_often_enough():
    values = [*STEADY, *(value + 40.0 for value in STEADY)]
    plain = said(BREAK, "", values)
    often = said(BREAK, "at_least: {m: 14, of: 16}", values)
    assert [hour for hour, _ in often] == [plain[0][0] + 13, plain[0][0] + 16]
    assert often[0][1].endswith("; at least 14 of the last 16 windows were in a lasting break.")
    assert plain[1][0] - plain[0][0] == 10, "ten windows make it the usual, and fourteen where so many are asked for"


@pytest.mark.parametrize(("kept", "ends"), [("", 130), ("keep_firing_for: 2h", 132)])
def test_an_incident_is_on_in_two_of_three_windows(kept: str, ends: int):
    """It begins with the 121st window, and is over in the sixth after the last that lay outside of the band."""
    values = [*STEADY, 90.0, 10.0, 95.0, *STEADY[:14]]
    (begins, fired), (over, _) = said(BAND, f"at_least: {{m: 2, of: 3}}\n{kept}", values)
    assert (begins, over) == (122, ends)
    assert fired.endswith("; at least 2 of the last 3 windows were unusual.")
