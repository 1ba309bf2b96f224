"""Every shipped pack and every rule in it."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from engine.model.time import HOUR
from engine.offline.reached import not_reached
from engine.offline.rule_tests import run_test
from engine.rules.loader import load, load_or_raise
from engine.rules.source import is_test_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.offline.rule_tests import Verdict
    from engine.rules.rule_tests import Expectation, RuleTest

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


@cache
def verdict_of(test: str) -> Verdict:
    assert LOADED.rule_set is not None
    return run_test(next(each for each in TESTS if each.id == test), LOADED.rule_set)


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
    verdict = verdict_of(test.id)
    assert verdict.passed, verdict


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_the_tests_of_a_pack_reach_every_branch_of_its_rules(pack: Path):
    reached = [each for test in TESTS if Path(test.file).parent == pack for each in verdict_of(test.id).reached]
    assert not_reached(reached, load_or_raise([pack])) == {}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_the_tests_of_a_pack_say_whose_a_review_is_what_it_asks_and_by_when(pack: Path):
    said = reviews_expected(lambda path, _: path.parent == pack)
    assert {"owner", "due", "question"} <= said.keys()
    # The owners of flights' objectives are those of its KPIs: there is nobody to escalate to.
    assert said["escalated_to"] or pack.name == "flights"


@pytest.mark.parametrize("rule", [rule["id"] for path, rule in DECLARED if path.parent.name == "kpi-governance"])
def test_a_governance_review_is_as_the_catalogue_says(rule: str):
    pack = RULES / "kpi-governance"
    rules = load_or_raise([pack])
    bound, kpi = rules.rule_by_id[rule], rules.kpi_by_id[str(rules.rule_by_id[rule].kpi)]
    objective = next(each for each in rules.objectives if each.id == kpi.objective)
    moved = bound.condition.__struct_config__.tag == "moved_goalposts"
    said = reviews_expected(lambda _, expected: expected.rule == rule)
    assert said["owner"] == {objective.owner if moved else kpi.owner}
    assert said["question"] == {bound.review.question}
    assert said["severity"] == {bound.severity}
    assert said["escalated_to"] | said["notified"] >= {objective.sponsor}
    assert bound.review.due_in is not None
    assert said["due_in"] <= {bound.review.due_in.micros, bound.review.due_in.micros - HOUR}


def reviews_expected(wanted: Callable[[Path, Expectation], bool]) -> dict[str, set[object]]:
    """By field every value that the packs' tests expect of a review; `due_in` from the time at which it is seen."""
    said: dict[str, set[object]] = {"escalated_to": set(), "notified": set()}
    for test in TESTS:
        for each in (each for each in test.expect if wanted(Path(test.file), each)):
            for trigger in each.triggers or ():
                said["notified"].update(trigger.notify or () if trigger.type == "escalated" else ())
            for review in each.reviews or ():
                for name, value in review.fields.items():
                    said.setdefault(name, set()).add(value)
                if isinstance(due := review.fields.get("due"), int):
                    said.setdefault("due_in", set()).add(due - review.at)
    return said


@each_rule
def test_a_rule_is_seen_to_fire_to_recover_and_to_keep_quiet(path: Path, rule: dict[str, object]):
    beside = [test for test in TESTS if Path(test.file) == path.with_name(f"{path.stem}_test.yaml")]
    expected = [each for test in beside for each in test.expect if each.rule == rule["id"]]
    assert any(firing.to for each in expected for firing in each.firing), "fires and recovers"
    assert any(each.of_firing and not each.firing for each in expected), "keeps quiet"
