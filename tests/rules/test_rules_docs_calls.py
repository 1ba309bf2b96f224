"""Every page on who is called: its tests with their reviews and triggers, and the list of what is told."""

from __future__ import annotations

import re

import pytest
from draw_conditions import ABOUT_CALLS, CALLS, LIVE, loaded, page_of
from told import events_of, lanes_of, told_lines

from engine.cli.test_report import failure_lines
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.rule_tests import run_test

LISTS = re.compile(r"```\n((?:\d\d-\d\d \d\d:\d\d  .*\n)+)```")


def test_everything_that_decides_who_is_called_has_a_page():
    assert set(CALLS) == ABOUT_CALLS


@pytest.mark.parametrize("page", CALLS)
def test_its_rule_tests_pass_with_their_reviews_and_triggers(page: str):
    found = loaded(page_of(page))
    assert found.rule_set is not None
    for test in found.tests:
        verdict = run_test(test, found.rule_set)
        assert verdict.passed, list(failure_lines(verdict))


@pytest.mark.parametrize("page", CALLS)
def test_who_is_told_in_its_tests_is_what_it_lists(page: str):
    found = loaded(page_of(page))
    assert found.rule_set is not None
    listed = [block.splitlines() for block in LISTS.findall(page_of(page).read_text("utf-8"))]
    told = [told_lines(lanes_of(test, found.rule_set, live=page in LIVE)) for test in found.tests]
    assert listed == [lines for lines in told if lines]


@pytest.mark.parametrize("page", CALLS)
def test_whatever_people_do_every_trigger_of_its_tests_is_recomputed(page: str):
    found = loaded(page_of(page))
    assert found.rule_set is not None
    for test in found.tests:
        for event in events_of(test, found.rule_set, live=page in LIVE):
            assert explain(given(event)).failures == (), event["data"]["explanation"]
