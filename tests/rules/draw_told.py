"""Pictures of who is called: what was measured, and below it a lane for each review with what was told and held back.

The first test of a page is its firing picture, the second its silent one.
"""

from __future__ import annotations

from itertools import groupby
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from told import ALERT_ON, ALERT_OVER, FLAPPING, SHADOW, lanes_of

from engine.model.time import DAY
from engine.offline.plot.draw import BLUE, GREEN, GREY, ORANGE, PURPLE, STYLE, VERMILION, draw_times
from engine.offline.plot.picture import Picture
from engine.rules.resolved.condition import Threshold

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from told import Lane, Word

    from engine.model.time import Micros
    from engine.rules.loader import Loaded
    from engine.rules.rule_tests import Measured, RuleTest
    from engine.rules.ruleset import RuleSet

COLOURS = (BLUE, GREEN, PURPLE, ORANGE)
MARKERS = ("o", "s", "^", "v")
STRETCHES = {ALERT_ON: "#F6D28B", ALERT_OVER: "#e4e4e4", FLAPPING: "#EBC8DC"}
LETTER = 0.0072
"""Of the width of the lanes, what a letter of their small print takes."""
STEP = 0.2
"""Inches from one line of words to the next."""
ONE_LINE = 110


class Placed(NamedTuple):
    """Words of one moment, and the line above the lane on which they stand."""

    time: Micros
    text: str
    level: int
    told: bool


def draw_told(found: Loaded, names: tuple[str, str], folder: Path, *, live: bool) -> None:
    """The two pictures of a page."""
    assert found.rule_set is not None
    for test, name in zip(found.tests, names, strict=False):
        draw_test(test, found.rule_set, folder / name, live=live)


def draw_test(test: RuleTest, rules: RuleSet, file: Path, *, live: bool = False) -> None:
    """Everything that a test measures, and what is said of it."""
    lanes = lanes_of(test, rules, live=live)
    frame = Picture(sentence=str(test.title), zone="UTC", local=lambda time: time, moments=())
    span = span_of(test, lanes)
    rows = [placed(lane, span) for lane in lanes]
    heights = [0.42 + STEP * (1 + max((each.level for each in row), default=0)) for row in rows]
    kpis = [[each for each in test.measured if each.kpi == kpi] for kpi in dict.fromkeys(kpis_of(test))]
    lane_height = max(0.7, sum(heights) + 0.2)
    with style.context(["default", STYLE]):
        size = 10.5, 0.9 + 2.0 * len(kpis) + lane_height
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06))
        figure.suptitle(fill(frame.sentence, ONE_LINE), x=0.012, ha="left", fontsize=10.5, fontweight="bold")
        ratios = [*(2.0 for _ in kpis), lane_height]
        panes = figure.subplots(len(kpis) + 1, 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        for axes, series in zip(panes, kpis, strict=False):
            draw_edits(axes, test)
            draw_series(axes, series, rules)
        draw_edits(panes[-1], test)
        draw_lanes(panes[-1], lanes, rows, heights, span)
        panes[-1].set_xlim(*(time / DAY for time in span))
        draw_times(panes[-1], frame)
        panes[-1].set_xlabel("time in UTC")
        metadata = {"Software": None} if file.suffix == ".png" else {"Date": None, "Creator": None}
        figure.savefig(file, dpi=130, metadata=metadata)


def kpis_of(test: RuleTest) -> list[str]:
    return [each.kpi for each in test.measured]


def span_of(test: RuleTest, lanes: list[Lane]) -> tuple[Micros, Micros]:
    """From the first to the last of what there is to see, with some room for words at the end."""
    ends = [each.start + each.every * (len(each.values) - 1) for each in test.measured]
    ends += [word.time for lane in lanes for word in lane.words]
    begin = min(each.start for each in test.measured)
    width = max(ends) - begin
    return begin - width // 40, max(ends) + width // 8


def draw_series(axes: Axes, series: list[Measured], rules: RuleSet) -> None:
    kpi = rules.kpi_by_id[series[0].kpi]
    parts: dict[str, list[Measured]] = {}
    for each in series:
        parts.setdefault(", ".join(each.dimensions.values()) or "series", []).append(each)
    for number, (label, pieces) in enumerate(parts.items()):
        colour, marker = COLOURS[number % 4], MARKERS[number % 4]
        known = [point for each in pieces for point in points_of(each)]
        axes.plot(*zip(*known, strict=True), color=colour, marker=marker, markersize=3.5, linewidth=1.1, label=label)
        late = [point for each in pieces if each.sent is not None for point in points_of(each)]
        if late:
            look = {"linestyle": "none", "color": colour, "marker": marker, "markersize": 3.5}
            axes.plot(*zip(*late, strict=True), markerfacecolor="white", label=f"{label}, sent late", **look)
    limits = {
        (value, rule.severity)
        for rule in rules.rules
        if rule.kpi == kpi.id and isinstance(rule.condition, Threshold)
        for value in (rule.condition.low, rule.condition.high)
        if value is not None
    }
    for value, _ in sorted(limits):
        axes.axhline(value, color=VERMILION, linestyle="--", linewidth=1.4, label=f"limit {value:g}")
    axes.set_title(kpi.title, loc="left", fontsize=9)
    axes.set_ylabel(fill(kpi.unit, 24))
    axes.margins(y=0.12)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.02), frameon=False, fontsize=8.5)


def points_of(measured: Measured) -> list[tuple[float, float]]:
    times = (measured.start + place * measured.every for place in range(len(measured.values)))
    return [(time / DAY, value) for time, value in zip(times, measured.values, strict=True) if value is not None]


def draw_edits(axes: Axes, test: RuleTest) -> None:
    for place, edit in enumerate(test.edits):
        label = "edit" if place == 0 else None
        axes.axvline(edit.at / DAY, color="black", linestyle=":", linewidth=1.2, label=label)


def placed(lane: Lane, span: tuple[Micros, Micros]) -> list[Placed]:
    """The words of a lane, those of one moment together: above all that begins before they end, so that neither words
    nor stems meet.
    """
    letter = (span[1] - span[0]) * LETTER
    moments = [(at, list(words)) for at, words in groupby(lane.words, key=lambda word: (word.time, not word.held))]
    found: list[Placed] = []
    for (time, told), words in reversed(moments):
        text = "; ".join(map(said, words))
        end = time + (len(text) + 2) * letter
        level = max((1 + each.level for each in found if each.time < end), default=0)
        found.append(Placed(time, text, level, told))
    return found


def said(word: Word) -> str:
    if word.held == SHADOW:
        return f"{word.happening}: in shadow"
    return f"{word.happening}: {word.held}" if word.held else f"{word.happening} → {', '.join(word.to)}"


def draw_lanes(
    axes: Axes, lanes: list[Lane], rows: list[list[Placed]], heights: list[float], span: tuple[Micros, Micros]
) -> None:
    """In inches from above: each lane has room for its words over its bar."""
    place, ticks = 0.1, []
    for lane, row, height in zip(lanes, rows, heights, strict=True):
        place += height
        bar = place - 0.18
        ticks.append((bar, name_of(lane)))
        for each in lane.stretches:
            width = (each.end or span[1]) - each.begin
            look = {"height": 0.16, "color": STRETCHES[each.how], "label": each.how}
            axes.barh(bar, width / DAY, left=each.begin / DAY, **look)
        for words in row:
            mark(axes, words, bar)
    axes.set_yticks([at for at, _ in ticks], [name for _, name in ticks])
    axes.set_ylim(place + 0.1, 0.0)
    axes.grid(visible=True, axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    if not lanes:
        axes.text(0.5, 0.5, "no review", transform=axes.transAxes, ha="center", va="center", color=GREY)
        return
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(
        handles.values(), handles.keys(), loc="upper left", bbox_to_anchor=(1.005, 1.02), frameon=False, fontsize=8.5
    )


def mark(axes: Axes, each: Placed, bar: float) -> None:
    colour = "black" if each.told else GREY
    face = "black" if each.told else "white"
    look = {"marker": "o", "markersize": 6, "linestyle": "none", "color": colour, "markerfacecolor": face, "zorder": 4}
    axes.plot([each.time / DAY], [bar], label="told" if each.told else "nobody is told", **look)
    foot = bar - 0.17 - STEP * each.level
    if each.level:
        axes.plot([each.time / DAY] * 2, [bar - 0.1, foot], color=colour, linewidth=0.6, zorder=3)
    axes.text(each.time / DAY, foot, each.text, fontsize=8, color=colour, ha="left", va="bottom")


def name_of(lane: Lane) -> str:
    values = ", ".join(lane.dimensions.values())
    return f"{lane.rule}\n{values}" if values else lane.rule
