"""Pictures: what they show of each kind, that nothing in them overlaps, and that they are always the same bytes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from itertools import combinations
from typing import TYPE_CHECKING

import msgspec
import pytest
from explain_world import at, world
from matplotlib.backends.backend_agg import FigureCanvasAgg
from memory_installation import PARTITIONS
from test_explain_command import FALL, FALL_ID, command
from test_explain_golden import CASES

from engine.model.time import parse_own_time
from engine.offline.explain.case import case_of
from engine.offline.explain.given import given
from engine.offline.plot.compose import picture_of
from engine.offline.plot.draw import draw, figure_of
from engine.offline.plot.stretch import around, widened
from engine.runtime.context import StageContext

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from engine.offline.explain.case import Case
    from engine.offline.plot.picture import Picture

UNSEEN = (
    "missing_data_resolved",
    "conflict_answered",
    "conflict_overdue",
    "conflict_escalated",
    "conflict_acknowledged",
    "composite_ended",
    "group_resolved",
    "cadence_missed",
    "precision_low",
)
SEEN = [name for name in CASES if name not in UNSEEN]


def case(name: str) -> Case:
    trigger = given(msgspec.json.decode(world().of(*CASES[name]))).trigger
    assert trigger is not None
    return case_of(trigger)


def picture(name: str, *, log: bool = False) -> Picture:
    there = case(name)
    if not log:
        found = picture_of(there)
    else:
        rules = world().rule_set
        context = StageContext({rules.hash: rules}, rules.hash, PARTITIONS, PARTITIONS)
        there = widened(there, context)
        found = picture_of(there, asyncio.run(around(world().log, context, there)))
    assert found is not None
    return found


def test_a_threshold_shows_its_point_its_limits_and_when_it_fired():
    shown = picture("threshold_above_recover_at")
    [panel] = shown.panels
    assert [(level.kind, level.value) for level in panel.levels] == [("limit", 2.5), ("recover", 2.0)]
    assert panel.judged == ((at(2, 15), 1.0),)
    assert [(moment.kind, moment.time) for moment in shown.moments] == [("alarm", at(2, 12)), ("over", at(2, 17))]
    assert shown.firing == (at(2, 9), at(2, 15))


def test_a_change_shows_what_it_was_held_against_and_a_limit_in_the_unit_of_the_kpi():
    [panel] = picture("change_relative").panels
    assert [mark.value for mark in panel.earlier] == [104.0, 101.0, 103.0, 100.0]
    assert {level.kind: round(level.value, 9) for level in panel.levels} == {"usual": 102.0, "limit": 61.2}
    assert panel.unit == "orders"


def test_a_control_chart_shows_its_points_its_centre_and_its_limits():
    shown = picture("control_runs_over")
    [panel] = shown.panels
    assert [(level.kind, round(level.value, 2)) for level in panel.levels] == [
        ("usual", 19.98),
        ("limit", 22.55),
        ("limit", 17.42),
    ]
    assert [mark.value for mark in panel.judged][-2:] == [25.08, 19.9]
    assert panel.expected == ()
    [averaged] = picture("control_ewma").panels
    assert (len(averaged.expected), averaged.expected_name) == (15, "moving average")
    assert "onset" in {moment.kind for moment in picture("control_cusum").moments}


def test_a_conflict_shows_every_side_under_one_time_axis():
    own, other = picture("conflict_per_lag").panels
    assert (own.title, other.title) == ("Orders: improved", "Tickets per Orders, 1 window later: worsened")
    assert [round(level.value, 4) for level in own.levels] == [206.0, 226.6]
    assert other.unit == "tickets per orders"


def test_silence_shows_since_when_each_series_has_been_silent():
    rows = picture("missing_data").rows
    assert [row.label for row in rows] == ['orders{"region":"eu"}', 'orders{"region":"us"}']
    assert [row.begin for row in rows] == [at(35, 9), at(35, 10)]


def test_times_are_those_of_the_zone_of_the_rule():
    shown = picture("change_absolute_weekdays")
    assert shown.zone == "Europe/Berlin"
    midnight = parse_own_time("2024-04-02T22:00:00Z")
    assert shown.local(midnight) == parse_own_time("2024-04-03T00:00:00Z")


def test_the_log_adds_the_same_series_for_longer():
    [panel] = picture("change_relative", log=True).panels
    values = {mark.time: mark.value for mark in panel.around}
    assert len(values) > 20
    assert all(values[mark.time] == mark.value for mark in (*panel.earlier, *panel.judged))
    assert parse_own_time("2024-03-30T23:00:00Z") in values, "a day that begins before the clocks change"
    assert parse_own_time("2024-03-31T22:00:00Z") in values, "and the first one after"


@pytest.mark.parametrize("name", ["conflict_per_lag", "conflict_inconclusive", "threshold_outside_raw"])
def test_what_was_judged_lies_on_the_series_from_the_log(name: str):
    for panel in picture(name, log=True).panels:
        values = {mark.time: mark.value for mark in panel.around}
        assert all(values[mark.time] == mark.value for mark in (*panel.earlier, *panel.judged))


@pytest.mark.parametrize("name", UNSEEN)
def test_some_triggers_have_nothing_to_be_seen(name: str):
    assert picture_of(case(name)) is None


def texts(figure: Figure) -> list[tuple[str, object]]:
    """Everything that is written, with where it stands."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    found = [figure._suptitle] if figure._suptitle else []  # noqa: SLF001 (there is no public way to it)
    for axes in figure.axes:
        low, high = sorted(axes.get_xlim())
        ticks = [tick.label1 for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
        bottom, top = sorted(axes.get_ylim())
        ticks += [tick.label1 for tick in axes.yaxis.get_major_ticks() if bottom <= tick.get_loc() <= top]
        legend = axes.get_legend()
        found += [*ticks, axes.xaxis.label, axes.yaxis.label, axes.xaxis.get_offset_text(), *legend.get_texts()]
        found += [axes._left_title]  # noqa: SLF001 (the same)
    shown = [text for text in found if text.get_text() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in shown]


@pytest.mark.parametrize("log", [False, True], ids=["evidence", "log"])
@pytest.mark.parametrize("name", SEEN)
def test_no_text_overlaps_another_or_leaves_the_picture(name: str, *, log: bool):
    figure = figure_of(picture(name, log=log))
    placed = texts(figure)
    assert len(placed) > 8
    for (one, box), (other, another) in combinations(placed, 2):
        assert not box.overlaps(another), (one, other)
    for text, box in placed:
        assert box.x0 >= 0, text
        assert box.x1 <= figure.bbox.width + 1, text
        assert 0 <= box.y0 <= box.y1 <= figure.bbox.height + 1, text


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture_is_always_the_same_bytes(suffix: str, tmp_path: Path):
    files = [tmp_path / f"{number}.{suffix}" for number in (1, 2)]
    draw(picture("conflict_per_lag"), files[0])
    trigger = tmp_path / "trigger.json"
    trigger.write_bytes(world().of(*CASES["conflict_per_lag"]))
    arguments = [sys.executable, "-m", "engine", "explain", str(trigger), "--no-log", "--plot", str(files[1])]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_command_draws_with_the_log_around_it(installation: list[str], tmp_path: Path):
    file = tmp_path / "why.svg"
    assert command("explain", FALL_ID, "--plot", str(file), *installation) == 0
    assert file.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--plot", "why.gif"], "ends in .png or .svg"),
        (["--plot", "why.png"], "expected one trigger, found 2"),
    ],
)
def test_what_cannot_be_drawn_is_wrong_usage(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "triggers.ndjson"
    file.write_bytes(FALL + b"\n" + world().of("orders-jump", "opened"))
    assert command("explain", str(file), *options) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_without_matplotlib_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "trigger.json"
    file.write_bytes(FALL)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert command("explain", str(file), "--plot", str(tmp_path / "why.png")) == 1
    assert "counterpoint-kpi[plot]" in capsys.readouterr().err
