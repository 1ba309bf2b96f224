"""Every shipped pack and every rule in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from engine.offline.rule_tests import run_test
from engine.rules.loader import load, load_or_raise
from engine.rules.resolved.governance import MovedGoalposts, SetAndForget
from engine.rules.source import is_test_file

if TYPE_CHECKING:
    from engine.rules.rule_tests import RuleTest

RULES = Path(__file__).resolve().parents[2] / "rules"
PACKS = sorted(path for path in RULES.iterdir() if path.is_dir())
DOCUMENTS = [
    (path, document)
    for path in sorted(RULES.rglob("*.yaml"))
    if not is_test_file(path.name)
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
DECLARED = [(path, document) for path, document in DOCUMENTS if document["kind"] == "rule"]
LOADED = load([RULES], tests=True)
TESTS = LOADED.tests
BY_ACTIVATIONS = (MovedGoalposts, SetAndForget)
"""What ends these is another rule set, which a rule test has not: see tests/governance."""
each_rule = pytest.mark.parametrize(("path", "rule"), DECLARED, ids=[rule["id"] for _, rule in DECLARED])


def test_there_are_packs():
    assert {path.name for path in PACKS} >= {"flights", "kpi-governance", "phantom-growth", "service-reliability"}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_pack_is_without_problems_but_for_kpis_without_a_target(pack: Path):
    loaded = load([pack])
    assert loaded.rule_set is not None
    assert [problem for problem in loaded.problems if "expected a target" not in str(problem)] == []


def test_the_packs_load_together():
    ids = {rule["id"] for _, rule in DECLARED}
    assert {rule.id for rule in load_or_raise([RULES]).rules} == ids


def test_ids_are_unique_over_all_packs():
    counts = Counter((document["kind"], document["id"]) for _, document in DOCUMENTS)
    assert [name for name, count in counts.items() if count > 1] == []


@each_rule
def test_a_rule_stands_alone_in_the_file_of_its_name(path: Path, rule: dict[str, object]):
    assert path.stem == rule["id"]
    assert [document for where, document in DOCUMENTS if where == path] == [rule]


@each_rule
def test_a_rule_says_whose_it_is_and_what_it_asks(path: Path, rule: dict[str, object]):
    bound = load_or_raise([path.parent]).rule_by_id[str(rule["id"])]
    assert bound.owner
    assert bound.review.question
    assert bound.review.question.endswith("?")
    assert bound.review.due_in
    assert bound.title != bound.id


@each_rule
def test_a_rule_that_calls_somebody_names_its_gaps(path: Path, rule: dict[str, object]):  # noqa: ARG001 (one id list)
    if rule["severity"] == "critical" or "counterpart_conflict" in str(rule["condition"]):
        assert rule["known_gaps"]


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_kpi_serves_an_objective_and_somebody_else_owns_its_counterparts(pack: Path):
    rule_set = load_or_raise([pack])
    objectives = {objective.id for objective in rule_set.objectives}
    for kpi in rule_set.kpis:
        assert kpi.objective in objectives
        assert kpi.decision
        for counterpart in kpi.counterparts:
            assert rule_set.kpi_by_id[counterpart.kpi].owner != kpi.owner


@pytest.mark.parametrize("test", TESTS, ids=[test.id for test in TESTS])
def test_a_rule_test_passes(test: RuleTest):
    assert LOADED.rule_set is not None
    verdict = run_test(test, LOADED.rule_set)
    assert verdict.passed, verdict


@each_rule
def test_a_rule_is_seen_to_fire_to_recover_and_to_keep_quiet(path: Path, rule: dict[str, object]):
    beside = [test for test in TESTS if Path(test.file) == path.with_name(f"{path.stem}_test.yaml")]
    expected = [each for test in beside for each in test.expect if each.rule == rule["id"]]
    bound = load_or_raise([path.parent]).rule_by_id[str(rule["id"])]
    if not isinstance(bound.condition, BY_ACTIVATIONS):
        assert any(firing.to for each in expected for firing in each.firing), "fires and recovers"
    assert any(not each.firing for each in expected), "keeps quiet"
