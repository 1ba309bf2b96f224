"""The page on versions: its example as it stands, and as it comes out with the edit that the page tells of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from versioned_world import Days, of_rule, opened

from engine.model.identity import series_key
from engine.model.time import DAY
from engine.offline.rule_tests import run_test
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.wire.batch import Record
from engine.wire.encode import encode_measurement

PAGE = Path(__file__).resolve().parents[2].joinpath("docs", "rules", "version.md").read_text("utf-8")
EXAMPLES = "\n---\n".join(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
EDIT, SENTENCE = [text for kind, text in re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL) if not kind][-2:]
LOADED = load_read(read_text("version.md", EXAMPLES))
EDITED = load_read(
    read_text("version.md", EXAMPLES.replace("definition: Visits of the site, a day\nversion: 1\n", EDIT))
)


def test_its_rule_tests_pass():
    assert LOADED.rule_set is not None, LOADED.problems
    for test in LOADED.tests:
        assert run_test(test, LOADED.rule_set).differences == ()


@pytest.mark.parametrize("edited", [False, True])
def test_its_measurements_call_for_nothing_but_the_notice_where_the_version_changes(edited: bool):  # noqa: FBT001
    assert LOADED.rule_set is not None
    assert EDITED.rule_set is not None
    test = LOADED.tests[0]
    [measured] = test.measured
    log = Days(LOADED.rule_set)
    for number, value in enumerate(measured.values):
        if edited and number == 56:
            log.activate(EDITED.rule_set)
        at = measured.start + number * DAY
        message = encode_measurement("web.visits", at, value or 0.0, {}, id=str(number))
        log.ticks(at)
        log.records.append((series_key("web.visits", {}), Record(None, message)))
        log.ticks(at + DAY // 2)
    triggers = log.triggers()
    assert opened(triggers) == ({"version:web.visits": 1} if edited else {"visits-lost": 1})
    if edited:
        assert of_rule(triggers, "version:web.visits")[0]["data"]["explanation"] == SENTENCE.strip()
