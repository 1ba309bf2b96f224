"""Draw the pictures of the pages on conditions and fields, a firing and a silent series each, from their rule tests:

python tests/rules/draw_conditions.py docs/rules
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from draw_told import draw_told
from told import history_of

from engine.correlate.align import aligned_of
from engine.kernels.layout import AGGREGATIONS, RATE
from engine.model.aggregation import kind_of
from engine.model.identity import series_key
from engine.model.outputs import KpiState
from engine.model.topics import KPI_STATE, TRIGGERS
from engine.offline.explain.case import case_of
from engine.offline.explain.given import given
from engine.offline.plot.compose import name_of, picture_of
from engine.offline.plot.draw import draw
from engine.offline.plot.picture import Level, Mark, Panel, Picture, place_of
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.resolved.catalogue import formula_in
from engine.rules.resolved.condition import OffTrack, OverWindows, Threshold
from engine.rules.resolved.control import ControlChart
from engine.rules.resolved.governance import GovernanceCondition
from engine.rules.rule_tests import Measured
from engine.rules.sides import sides
from engine.rules.source import read_text
from engine.rules.spec import RuleSpec
from engine.rules.spec.conditions import ConditionSpec

if TYPE_CHECKING:
    from engine.model.trigger import ReviewTrigger
    from engine.offline.plot.picture import Around
    from engine.rules.loader import Loaded
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.rule_tests import Expectation, RuleTest
    from engine.rules.ruleset import RuleSet

ABOUT_CALLS = {
    "depends_on",
    "group_by",
    "inhibited_by",
    "mode",
    "notify_within",
    "renotify",
    "reopen_within",
    "review",
    "severity",
    "version",
}
COMMON = {
    "rule",
    "template",
    "aggregation",
    "formula",
    *(info.alias or name for name, info in RuleSpec.model_fields.items()),
} - ABOUT_CALLS
"""Fields of rules, and what makes several of them."""
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rules"
CONDITIONS = tuple(page.stem for page in sorted(FOLDER.glob("*.md")) if page.stem in ConditionSpec.model_fields)
FIELDS = tuple(page.stem for page in sorted(FOLDER.glob("*.md")) if page.stem in COMMON)
EVIDENCE = ("bottleneck",)
"""Pages on what evidence says."""
CALLS = tuple(page.stem for page in sorted(FOLDER.glob("*.md")) if page.stem in ABOUT_CALLS)
"""Pages on who is called, with lanes of what was told: the first test of each fires, the second shows it silent."""
LIVE = ("notify_within",)
"""Of these, those on what holds only where the clock is that of a live worker."""
DRAWN = (*CONDITIONS, *FIELDS, *EVIDENCE, *CALLS)
APART = {"restated_in_favour": ("governance", "takings-restated")}
"""Sections with pictures of their own: of which page, and of which rule."""


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
    for section in APART:
        draw_section(section, folder)


def draw_condition(condition: str, folder: Path) -> None:
    if condition in CALLS:
        draw_told(loaded(page_of(condition)), names_of(condition), folder, live=condition in LIVE)
        return
    draw_rule(page_of(condition), None, names_of(condition), folder)


def draw_section(section: str, folder: Path) -> None:
    page, rule = APART[section]
    draw_rule(page_of(page), rule, names_of(section), folder)


def draw_rule(page: Path, rule: str | None, names: tuple[str, str], folder: Path) -> None:
    """Pictures of a rule of the page; of the first that is seen to fire where none is named."""
    found = loaded(page)
    rules = found.rule_set
    assert rules is not None
    expectations = [(test, each) for test in found.tests for each in test.expect if rule in (None, each.rule)]
    test, speaks = next((test, each) for test, each in expectations if each.firing)
    calm, keeps_quiet = next(
        (test, each) for test, each in expectations if each.rule == speaks.rule and not each.firing
    )
    trigger = opening(speaks, test, rules)
    firing = picture_of(case_of(trigger), around(test, speaks, trigger))
    assert firing is not None
    draw(firing, folder / names[0])
    draw(silent(firing, keeps_quiet, calm, rules), folder / names[1])


def around(test: RuleTest, expected: Expectation, trigger: ReviewTrigger) -> Around:
    """What was measured, by series and, for a conflict, by side; for governance by KPI."""
    case = case_of(trigger)
    first = [each for each in test.measured if not each.revision]
    marks = {key(each): marks_of(each) for each in first}
    if not is_as_measured(case.rule, case.rules):
        marks |= windows_of(test, case.rules, case.rule)
    marks |= {each.kpi: marks_of(each) for each in first if not each.dimensions}
    if isinstance(case.rule.condition, OverWindows):
        there = of_scope(test, expected)
        for side in aligned_of(case.rule, case.rules).aligned:
            marks[name_of(side)] = summed([each for each in there if each.kpi in side.rolled])
    return marks


def is_as_measured(rule: Rule, rules: RuleSet) -> bool:
    """Whether the points that the rule sees look like the measurements of these pages."""
    kpi = rules.kpi_by_id.get(str(rule.kpi))
    if kpi is None:
        return True
    measured = formula_in(kpi) is None and kind_of(kpi.aggregation) in AGGREGATIONS[:RATE]
    return rule.window.since is None and measured


def windows_of(test: RuleTest, rules: RuleSet, rule: Rule) -> dict[str, tuple[Mark, ...]]:
    """What stands in the windows of the rule's KPI, by series."""
    kpi = msgspec.structs.replace(rules.kpi_by_id[str(rule.kpi)], window=rule.window, publish=True)
    parts = [rules.kpi_by_id[name] for name in rules.measured([kpi.id]) if name != kpi.id]
    outputs = replay(msgspec.structs.replace(rules, kpis=(kpi, *parts), rules=()), history_of(test)).outputs
    states = [msgspec.json.decode(each.record.value, type=KpiState) for each in outputs if each.topic == KPI_STATE]
    found: dict[str, dict[int, float]] = {}
    for state in states:
        found.setdefault(state.series, {})[place_of(state.window, rule.window)] = state.value
    return {series: tuple(Mark(*pair) for pair in sorted(values.items())) for series, values in found.items()}


def of_scope(test: RuleTest, expected: Expectation) -> list[Measured]:
    """What lies within the expected scope."""
    scope = json.loads(expected.scope).items()
    return [each for each in test.measured if scope <= each.dimensions.items()]


def summed(series: list[Measured]) -> tuple[Mark, ...]:
    """Added up by time; the pages join sums."""
    found: dict[int, float] = {}
    for mark in (mark for each in series for mark in marks_of(each)):
        found[mark.time] = found.get(mark.time, 0.0) + mark.value
    return tuple(Mark(time, value) for time, value in sorted(found.items()))


def key(measured: Measured) -> str:
    return series_key(measured.kpi, measured.dimensions)


def marks_of(measured: Measured) -> tuple[Mark, ...]:
    times = (measured.start + step * measured.every for step in range(len(measured.values)))
    return tuple(Mark(time, value) for time, value in zip(times, measured.values, strict=True) if value is not None)


def standing(measured: Measured, test: RuleTest) -> tuple[Mark, ...]:
    """What was measured, and in its place what was said of it later."""
    again = [mark for each in test.measured if each.revision and key(each) == key(measured) for mark in marks_of(each)]
    restated = {mark.time: mark for mark in again}
    return tuple(restated.get(mark.time, mark) for mark in marks_of(measured))


def triggers_of(test: RuleTest, rules: RuleSet) -> list[dict[str, Any]]:
    """What is said of the measurements of the test."""
    outputs = replay(rules, history_of(test)).outputs
    return [msgspec.json.decode(output.record.value or b"") for output in outputs if output.topic == TRIGGERS]


def opening(expected: Expectation, test: RuleTest, rules: RuleSet) -> ReviewTrigger:
    """The first trigger of the rule; of one with a limit that of the storm when it is largest."""
    told = [each for each in triggers_of(test, rules) if each["data"]["rule"] == expected.rule]
    storms = [each for each in told if (each["data"]["evidence"] or {}).get("storm")]
    event = max(storms, key=lambda each: each["data"]["evidence"]["count"], default=told[0])
    trigger = given(event).trigger
    assert trigger is not None
    return trigger


def silent(firing: Picture, expected: Expectation, test: RuleTest, rules: RuleSet) -> Picture:
    """The series of which nothing is said, each in a panel; only limits that are the same for all are in it."""
    rule = rules.rule_by_id[expected.rule]
    governed = sides(rule) if isinstance(rule.condition, GovernanceCondition) else None
    there = [each for each in of_scope(test, expected) if not each.revision]
    if rule.kpi is not None and formula_in(rules.kpi_by_id[rule.kpi]) is not None:
        there = [Measured(rule.kpi, json.loads(expected.scope), (), test.start, 0, None)]
    measured = [each for each in there if governed is None or each.kpi in governed]
    fixed = firing.panels[0].levels if firing.panels and isinstance(rule.condition, Threshold | ControlChart) else ()
    if isinstance(rule.condition, Threshold) and not firing.panels:  # a storm is drawn by its members
        fixed = (Level("limit", f"limit {rule.condition.high:g}", rule.condition.high),)
    if isinstance(rule.condition, OffTrack):
        fixed = tuple(level for level in firing.panels[0].levels if level.kind == "limit")
    whole = {} if is_as_measured(rule, rules) else windows_of(test, rules, rule)
    panels = []
    for each in measured:
        kpi = rules.kpi_by_id[each.kpi]
        levels = target_of(kpi) if isinstance(rule.condition, GovernanceCondition) else fixed
        panels.append(
            Panel(
                f"{kpi.title} ({key(each)})",
                kpi.unit,
                judged=(),
                around=whole.get(key(each)) or standing(each, test),
                levels=levels,
            )
        )
    dimensions = ", ".join(f"{name} {value}" for name, value in measured[0].dimensions.items())
    of = f" of {{{dimensions}}}" if dimensions else ""
    titles = " and ".join(dict.fromkeys(rules.kpi_by_id[each.kpi].title.lower() for each in measured)).capitalize()
    sentence = f"{titles}{of}: nothing is said."
    return firing._replace(sentence=sentence, moments=(), firing=None, panels=tuple(panels), rows=())


def target_of(kpi: Kpi) -> tuple[Level, ...]:
    return () if kpi.target is None else (Level("limit", f"target {kpi.target.value:g}", kpi.target.value),)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
