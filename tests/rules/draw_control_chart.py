"""Draw the two pictures of docs/rules/control_chart.md from the example on that page:

python tests/rules/draw_control_chart.py docs/rules
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec

from engine.model.measurement import Measurement
from engine.model.time import format_time
from engine.model.topics import TRIGGERS
from engine.offline.explain.case import case_of
from engine.offline.explain.given import given
from engine.offline.plot.compose import picture_of
from engine.offline.plot.draw import draw
from engine.offline.plot.picture import Mark
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules" / "control_chart.md"
EXAMPLES = "\n---\n".join(re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
RULE = "filling-out-of-control"


def main(folder: Path) -> None:
    loaded = load_read(read_text("control_chart.md", EXAMPLES))
    [test], rule_set = loaded.tests, loaded.rule_set
    assert rule_set is not None
    lines = {
        each.dimensions["line"]: [
            Mark(each.start + step * each.every, value) for step, value in enumerate(each.values) if value is not None
        ]
        for each in test.measured
    }
    history = [
        (mark.time, Measurement("filling", format_time(mark.time), mark.value, {"line": line}))
        for line, marks in lines.items()
        for mark in marks
    ]
    outputs = replay(rule_set, sorted(history, key=lambda pair: pair[0])).outputs
    said = [msgspec.json.decode(output.record.value or b"") for output in outputs if output.topic == TRIGGERS]
    event = next(each for each in said if each["data"]["rule"] == RULE and ".opened." in each["type"])
    trigger = given(event).trigger
    assert trigger is not None
    series = trigger.subject
    firing = picture_of(case_of(trigger), {series: tuple(lines["a"])})
    assert firing is not None
    draw(firing, folder / "control-chart-firing.svg")
    other = firing.panels[0]._replace(title="Filling of line b", judged=(), around=tuple(lines["b"]))
    sentence = "Filling of {line b}: no run rule is ever complete, and nothing is said."
    draw(
        firing._replace(sentence=sentence, moments=(), firing=None, panels=(other,)),
        folder / "control-chart-silent.svg",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
