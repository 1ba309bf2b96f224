"""Draws a picture. The only room that knows matplotlib, which is an optional package.

Colours are those of Okabe and Ito (2008), told apart with any colour vision; markers and line styles differ as well.
The same picture gives the same bytes.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

from matplotlib import style
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from engine.model.time import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from matplotlib.axes import Axes

    from engine.model.time import Micros
    from engine.offline.plot.picture import Level, Mark, Panel, Picture

BLUE, ORANGE, GREEN, VERMILION, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#767676"
_LEVELS: dict[str, dict[str, Any]] = {
    "usual": {"color": GREEN, "linestyle": "-", "linewidth": 1.6},
    "limit": {"color": VERMILION, "linestyle": "--", "linewidth": 1.4},
    "recover": {"color": ORANGE, "linestyle": ":", "linewidth": 1.8},
    "before": {"color": GREEN, "linestyle": "-", "linewidth": 2.2},
    "after": {"color": PURPLE, "linestyle": "-", "linewidth": 2.2},
}
_MOMENTS: dict[str, dict[str, Any]] = {
    "onset": {"color": PURPLE, "linestyle": "-."},
    "alarm": {"color": "black", "linestyle": "-"},
    "over": {"color": GREY, "linestyle": "--"},
}
STYLE: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "counterpoint",
    "svg.fonttype": "path",
}
_DATES = ["%Y", "%b %Y", "%-d %b", "%-d %b %H:%M", "%H:%M", "%H:%M:%S"]
_BESIDE = ["", "", "%Y", "%Y", "%-d %b %Y", "%-d %b %Y"]
_WIDTH, _PANEL_HEIGHT, _HEAD, _ROW_HEIGHT = 10.5, 2.5, 0.95, 0.42
_TITLE_LETTERS = 110
_DOTS_MOST = 1_000
"""A series with more points is a line alone."""


def draw(picture: Picture, file: Path) -> None:
    """Write the picture; its suffix, `.png` or `.svg`, says how."""
    with style.context(["default", STYLE]):
        figure = figure_of(picture)
        metadata = {"Software": None} if file.suffix == ".png" else {"Date": None, "Creator": None}
        figure.savefig(file, dpi=130, metadata=metadata)


def figure_of(picture: Picture) -> Figure:
    """The picture before it is written."""
    title = fill(picture.sentence, _TITLE_LETTERS)
    count = len(picture.panels) or 1
    body = _PANEL_HEIGHT * count if picture.panels else max(1.4, 0.8 + _ROW_HEIGHT * len(picture.rows))
    height = _HEAD + 0.17 * title.count("\n") + body
    figure = Figure(figsize=(_WIDTH, height), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06))
    figure.suptitle(title, x=0.012, ha="left", fontsize=10.5, fontweight="bold")
    panes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    if picture.panels:
        for axes, panel in zip(panes, picture.panels, strict=True):
            _draw_panel(axes, panel, picture)
    else:
        _draw_rows(panes[0], picture)
    draw_times(panes[-1], picture)
    return figure


def _at(picture: Picture, times: Iterable[Micros]) -> list[float]:
    """On the axis: local days since 1970, as matplotlib counts them; or the numbers of rows."""
    return [picture.local(time) / (1 if picture.zone is None else DAY) for time in times]


def _draw_panel(axes: Axes, panel: Panel, picture: Picture) -> None:
    _draw_moments(axes, picture)
    if panel.around:
        marker = "." if len(panel.around) <= _DOTS_MOST else ""
        _plot(axes, picture, panel.around, color=BLUE, linewidth=1.1, marker=marker, markersize=3.5, label="series")
    if panel.expected:
        _plot(axes, picture, panel.expected, color=GREEN, linewidth=1.4, label=panel.expected_name)
    if panel.earlier:
        earlier = {"color": BLUE, "marker": "o", "markersize": 5.5, "markerfacecolor": "white"}
        _plot(axes, picture, panel.earlier, linestyle="none", label="held against", **earlier)
    for level in panel.levels:
        _draw_level(axes, picture, level)
    if panel.judged:
        many = len(panel.judged) > 1
        style = {"linestyle": "-" if many else "none", "linewidth": 1.1, "markersize": 4 if many else 8}
        _plot(axes, picture, panel.judged, color=VERMILION, marker="D", label="judged", zorder=4, **style)
    axes.set_title(panel.title, loc="left", fontsize=9)
    axes.set_ylabel(fill(panel.unit, 24))
    axes.margins(x=0.03, y=0.12)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.02), frameon=False, fontsize=8.5)


def _plot(axes: Axes, picture: Picture, marks: Iterable[Mark], **style: Any) -> None:  # noqa: ANN401
    held = sorted(marks)
    axes.plot(_at(picture, [mark.time for mark in held]), [mark.value for mark in held], **style)


def _draw_level(axes: Axes, picture: Picture, level: Level) -> None:
    style = _LEVELS[level.kind]
    if level.begin is None or level.end is None:
        axes.axhline(level.value, label=level.label, **style)
        return
    axes.plot(_at(picture, (level.begin, level.end)), [level.value, level.value], label=level.label, **style)


def _draw_moments(axes: Axes, picture: Picture) -> None:
    if picture.firing is not None:
        begin, end = _at(picture, picture.firing)
        axes.axvspan(begin, end, color=ORANGE, alpha=0.18, linewidth=0, label="breached")
    named = set()
    for moment in picture.moments:
        [time] = _at(picture, (moment.time,))
        label = None if moment.kind in named else moment.kind
        axes.axvline(time, label=label, linewidth=1.2, **_MOMENTS[moment.kind])
        named.add(moment.kind)


def _draw_rows(axes: Axes, picture: Picture) -> None:
    _draw_moments(axes, picture)
    for place, row in enumerate(picture.rows):
        begin, end = _at(picture, (row.begin, row.end))
        label = picture.rows_label if place == 0 else None
        style: dict[str, Any] = {
            "height": 0.32,
            "color": "#F6D28B",
            "edgecolor": VERMILION,
            "linewidth": 0.8,
            "label": label,
        }
        axes.barh(place, end - begin, left=begin, **style)
        axes.plot([begin], [place], marker="|", markersize=14, color=VERMILION)  # one that has just begun is seen too
    measured = [(time, place) for place, row in enumerate(picture.rows) for time in _at(picture, row.measured)]
    if measured:
        times, places = zip(*measured, strict=True)
        axes.plot(times, places, linestyle="none", marker="o", markersize=4, color=BLUE, label="window measured")
    axes.set_yticks(range(len(picture.rows)), [row.label for row in picture.rows])
    axes.set_ylim(len(picture.rows) - 0.4, -0.6)
    axes.use_sticky_edges = False
    axes.set_title(picture.rows_title, loc="left", fontsize=9)
    axes.grid(visible=True, axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.05)
    axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.02), frameon=False, fontsize=8.5)


def draw_times(axes: Axes, picture: Picture) -> None:
    """The axis that all panels share: dates and times of the picture's zone."""
    if picture.zone is None:
        axes.set_xlabel("row")
        return
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, formats=_DATES, zero_formats=_DATES, offset_formats=_BESIDE)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    where = "; windows stand where they begin" if picture.panels else ""
    axes.set_xlabel(f"time in {picture.zone}{where}")
