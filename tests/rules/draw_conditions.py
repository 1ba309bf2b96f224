"""Draw the pictures of the pages on conditions, a firing and a silent series each, from the rule test of the page:

python tests/rules/draw_conditions.py docs/rules
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.model.identity import scope_key, series_key
from engine.model.measurement import Measurement
from engine.model.time import format_time
from engine.model.topics import TRIGGERS
from engine.offline.explain.case import case_of
from engine.offline.explain.given import given
from engine.offline.plot.compose import picture_of
from engine.offline.plot.draw import draw
from engine.offline.plot.picture import Mark, Picture
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.resolved.condition import Threshold
from engine.rules.resolved.control import ControlChart
from engine.rules.source import read_text

if TYPE_CHECKING:
    from engine.model.trigger import ReviewTrigger
    from engine.rules.loader import Loaded
    from engine.rules.rule_tests import Expectation, Measured, RuleTest
    from engine.rules.ruleset import RuleSet

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rules"
DRAWN = ("anomaly", "change", "control_chart", "threshold", "trend_break")
"""The pages on conditions that look at one series each."""


def page_of(condition: str) -> Path:
    return FOLDER / f"{condition}.md"


def loaded(page: Path) -> Loaded:
    examples = "\n---\n".join(re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
    return load_read(read_text(page.name, examples))


def names_of(condition: str) -> tuple[str, str]:
    """The files of its pictures: firing, silent."""
    name = condition.replace("_", "-")
    return f"{name}-firing.svg", f"{name}-silent.svg"


def main(folder: Path) -> None:
    for condition in DRAWN:
        draw_condition(condition, folder)


def draw_condition(condition: str, folder: Path) -> None:
    found = loaded(page_of(condition))
    [test], rules = found.tests, found.rule_set
    assert rules is not None
    speaks = next(each for each in test.expect if each.firing)
    keeps_quiet = next(each for each in test.expect if each.rule == speaks.rule and not each.firing)
    marks = {key(each): marks_of(each) for each in test.measured}
    trigger = opening(speaks, test, rules)
    firing = picture_of(case_of(trigger), marks)
    assert firing is not None
    names = names_of(condition)
    draw(firing, folder / names[0])
    draw(silent(firing, keeps_quiet, test, rules), folder / names[1])


def key(measured: Measured) -> str:
    return series_key(measured.kpi, measured.dimensions)


def marks_of(measured: Measured) -> tuple[Mark, ...]:
    times = (measured.start + step * measured.every for step in range(len(measured.values)))
    return tuple(Mark(time, value) for time, value in zip(times, measured.values, strict=True) if value is not None)


def opening(expected: Expectation, test: RuleTest, rules: RuleSet) -> ReviewTrigger:
    """The first trigger of the rule at that place."""
    history = [
        (mark.time, Measurement(each.kpi, format_time(mark.time), mark.value, each.dimensions))
        for each in test.measured
        for mark in marks_of(each)
    ]
    outputs = replay(rules, sorted(history, key=lambda pair: pair[0])).outputs
    said = [msgspec.json.decode(output.record.value or b"") for output in outputs if output.topic == TRIGGERS]
    [series] = [key(each) for each in test.measured if scope_key(each.dimensions) == expected.scope]
    event = next(each for each in said if (each["data"]["rule"], each["subject"]) == (expected.rule, series))
    trigger = given(event).trigger
    assert trigger is not None
    return trigger


def silent(firing: Picture, expected: Expectation, test: RuleTest, rules: RuleSet) -> Picture:
    """The same picture of the series of which nothing is said; only limits that are the same for all are in it."""
    rule = rules.rule_by_id[expected.rule]
    [measured] = [
        each for each in test.measured if each.kpi == rule.kpi and scope_key(each.dimensions) == expected.scope
    ]
    kpi = rules.kpi_by_id[measured.kpi]
    panel = firing.panels[0]._replace(
        title=f"{kpi.title} ({key(measured)})",
        judged=(),
        earlier=(),
        expected=(),
        around=marks_of(measured),
        levels=firing.panels[0].levels if isinstance(rule.condition, Threshold | ControlChart) else (),
    )
    dimensions = ", ".join(f"{name} {value}" for name, value in measured.dimensions.items())
    sentence = f"{kpi.title} of {{{dimensions}}}: nothing is said."
    return firing._replace(sentence=sentence, moments=(), firing=None, panels=(panel,))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
