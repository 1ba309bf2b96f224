from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from engine.errors import ConfigError
from engine.model.time import DAY, HOUR, MINUTE, SECOND
from engine.rules.calendar import transitions
from engine.rules.loader import Loaded, load, load_or_raise, load_read
from engine.rules.problems import Problem
from engine.rules.resolved.condition import Change, Composite, ConflictSide, Judge, MissingData, Threshold
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.rules.schema import rule_file_schema
from engine.rules.source import read, read_text

Bind = Callable[[str], RuleSet]
Load = Callable[[str], Loaded]

RULE = """
kind: rule
id: r
title: A rule
kpi: support.tickets
condition: {threshold: {above: 10, recover_at: 8}}
"""
CONFLICT = """
kind: rule
id: r
title: A rule
kpi: site.sessions
condition:
  counterpart_conflict:
    improves: {by: 10%, against: {median_of: 8, same: weekdays}}
    worsens: {against: {median_of: 4, same: windows}}
"""

SOURCE = """
kind: source
id: crm
topic: crm
map:
  kpi: support.tickets
  value: 1
  time: {path: at, unit: local, zone: Europe/Berlin}
  dimensions: {site: {path: "a.b[0].c"}, channel: web}
  id: [a, {path: b}]
  filter: [{path: a, in: [1, x, true, null]}, {path: b, exists: false}, {path: c, not_in: [2]}, {path: d, equals: null}]
"""
BASE = Path(__file__).parent.parent / "golden" / "base.yaml"


def _kpi(name: str, *lines: str) -> str:
    return "\n".join(
        [
            "kind: kpi",
            f"id: {name}",
            "title: t\nowner: ops\nobjective: growth\ndefinition: d\ndecision: d\ndirection: lower_is_better",
            "role: lagging\nunit: u\naggregation: mean\ntarget: {value: 1, by: 2030-01-01}",
            *lines,
        ]
    )


def test_the_shape_of_a_problem_is_place_expected_found_mend():
    problem = Problem("a.yaml", 3, 7, "code", "this", "that", "do so")
    assert str(problem) == "a.yaml:3:7: expected this, found that; do so"


def test_a_rule_takes_window_lateness_and_idle_from_its_kpi(rule_set_of: Bind):
    kpi = _kpi("k", "window: {every: 5m}", "lateness: 30s", "idle: 2h")
    rule = rule_set_of(f"{kpi}\n---{RULE.replace('support.tickets', 'k')}").rule_by_id["r"]
    assert (rule.window, rule.lateness, rule.idle) == (Window(5 * MINUTE, 5 * MINUTE), 30 * SECOND, 2 * HOUR)


def test_a_rule_with_a_window_of_its_own_is_idle_for_one_such_window(rule_set_of: Bind):
    rule = rule_set_of(RULE + "window: {size: 1h, every: 5m}\nlateness: 1m\n").rule_by_id["r"]
    assert (rule.window, rule.lateness, rule.idle) == (Window(HOUR, 5 * MINUTE), MINUTE, HOUR)


def test_idle_is_one_window_but_at_least_a_minute(rule_set_of: Bind):
    rules = rule_set_of(f"{_kpi('k', 'window: {every: 10s}')}\n---\n{_kpi('l', 'window: {every: day, zone: UTC}')}")
    assert rules.kpi_by_id["k"].idle == MINUTE
    assert rules.kpi_by_id["l"].idle == DAY


@pytest.mark.parametrize(
    ("written", "condition"),
    [
        ("{threshold: {above: 1, recover_at: 1}}", Threshold("above", None, 1.0, 1.0)),
        ("{threshold: {below: 1}}", Threshold("below", 1.0, None, None)),
        ("{threshold: {outside: [1, 2]}}", Threshold("outside", 1.0, 2.0, None)),
        ("{threshold: {inside: [-1, 2.5]}}", Threshold("inside", -1.0, 2.5, None)),
        ("{change: {against: {median_of: 3, same: days}, up: 5}}", Change("days", 3, 5.0, None, relative=False)),
        (
            "{change: {against: {median_of: 3, same: windows}, up: 5%, down: 12.5%}}",
            Change("windows", 3, 0.05, 0.125, relative=True),
        ),
        ("{missing_data: {after: 2d}}", MissingData(2 * DAY + HOUR)),
        ("{missing_data: {}}", MissingData(DAY + HOUR)),
    ],
)
def test_conditions_are_bound_with_every_default_said(rule_set_of: Bind, written: str, condition: object):
    text = f"kind: rule\nid: r\ntitle: t\nkpi: site.sessions\nlateness: 1h\ncondition: {written}\n"
    assert rule_set_of(text).rule_by_id["r"].condition == condition


def test_a_side_worsens_by_its_counterparts_minimum_effect_unless_the_rule_says_more(rule_set_of: Bind):
    (side,) = rule_set_of(CONFLICT).rule_by_id["r"].condition.counterparts
    assert side == ConflictSide("support.tickets", None, 0, Judge(0.05, "windows", 4, noise=3.0, hold=True))
    said = CONFLICT.replace("worsens: {", "worsens: {by: 20%, noise: 0, hold: false, ")
    (side,) = rule_set_of(said).rule_by_id["r"].condition.counterparts
    assert side.judge == Judge(0.2, "windows", 4, noise=0.0, hold=False)


def test_only_a_usual_level_of_windows_is_held(rule_set_of: Bind):
    assert rule_set_of(CONFLICT).rule_by_id["r"].condition.improves == Judge(0.1, "weekdays", 8, noise=3.0, hold=False)


def test_a_level_asks_for_nothing_else(rule_set_of: Bind):
    level = CONFLICT.replace("{against: {median_of: 4, same: windows}}", "{above: 60}")
    (side,) = rule_set_of(level).rule_by_id["r"].condition.counterparts
    assert side.judge == Judge(0.0, "windows", 0, noise=0.0, hold=False, level=60.0, side="above")


def test_the_scope_of_a_conflict_are_the_dimensions_that_all_sides_share(rule_set_of: Bind):
    assert rule_set_of(CONFLICT).rule_by_id["r"].condition.scope == ("site",)


def test_a_conflict_waits_for_the_latest_of_its_sides(rule_set_of: Bind):
    kpi = _kpi(
        "k",
        "window: {every: day, zone: UTC}",
        "lateness: 1h",
        "counterparts: [{kpi: l, minimum_effect: 5%, lag: 2, per: m}]",
    )
    others = [_kpi("l", "window: {every: day, zone: UTC}", "lateness: 3h", "idle: 2d")]
    others += [_kpi("m", "window: {every: day, zone: UTC}", "lateness: 2h", "idle: 3d")]
    text = "\n---\n".join([kpi, *others, CONFLICT.replace("site.sessions", "k")])
    rule = rule_set_of(text).rule_by_id["r"]
    assert (rule.lateness, rule.idle) == (3 * HOUR, 3 * DAY)
    assert rule.condition.counterparts[0].lag == 2
    assert rule.condition.counterparts[0].per == "m"


def test_a_composite_joins_on_what_its_members_share_unless_it_says_less(rule_set_of: Bind):
    composite = "kind: rule\nid: c\ntitle: t\ncondition: {composite: {any: [sessions-low, r]}}\n"
    assert rule_set_of(f"{RULE}---\n{composite}").rule_by_id["c"].condition == Composite(
        "any", ("r", "sessions-low"), ("site",)
    )
    whole = composite.replace("]}}", "], scope: []}}")
    assert rule_set_of(f"{RULE}---\n{whole}").rule_by_id["c"].condition.scope == ()


@pytest.mark.parametrize(
    ("severity", "close"), [("info", "on_recovery"), ("warning", "on_recovery"), ("critical", "on_answer")]
)
def test_what_is_critical_closes_with_an_answer(rule_set_of: Bind, severity: str, close: str):
    assert rule_set_of(f"{RULE}severity: {severity}\n").rule_by_id["r"].review.close == close
    said = rule_set_of(f"{RULE}severity: {severity}\nreview: {{close: on_recovery}}\n")
    assert said.rule_by_id["r"].review.close == "on_recovery"


@pytest.mark.parametrize(
    "old_new",
    [
        ("title: A rule", "title: Another"),
        ("kpi:", "severity: critical\nkpi:"),
        ("kpi:", "mode: shadow\nkpi:"),
        ("kpi:", "review: {due_in: 2d}\nkpi:"),
        ("above: 10", "above: 10.0"),
        ("kpi:", "for: 0s\nkpi:"),
    ],
)
def test_what_decides_no_verdict_leaves_the_fingerprint(rule_set_of: Bind, old_new: tuple[str, str]):
    before, after = (rule_set_of(text).rule_by_id["r"] for text in (RULE, RULE.replace(*old_new)))
    assert before.fingerprint == after.fingerprint


@pytest.mark.parametrize(
    "line",
    [
        "for: 1m",
        "keep_firing_for: 1m",
        "points: raw",
        "where: {site: a}",
        "window: {every: 1h}",
        "lateness: 1h",
        "idle: 5h",
    ],
)
def test_what_decides_verdicts_changes_the_fingerprint(rule_set_of: Bind, line: str):
    before, after = (rule_set_of(text).rule_by_id["r"] for text in (RULE, RULE + line + "\n"))
    assert before.fingerprint != after.fingerprint


@pytest.mark.parametrize(
    ("old", "new"), [("mean", "max"), ("lower_is_better", "higher_is_better"), ("{every: 5m}", "{every: 6m}")]
)
def test_a_changed_kpi_changes_the_fingerprints_of_its_rules_and_their_composites(
    rule_set_of: Bind, old: str, new: str
):
    composite = "kind: rule\nid: c\ntitle: t\ncondition: {composite: {any: [sessions-low, r]}}\n"
    text = f"{_kpi('k', 'window: {every: 5m}')}\n---{RULE.replace('support.tickets', 'k')}---\n{composite}"
    before, after = (rule_set_of(it).rule_by_id for it in (text, text.replace(old, new)))
    assert before["r"].fingerprint != after["r"].fingerprint
    assert before["c"].fingerprint != after["c"].fingerprint
    assert before["sessions-low"].fingerprint == after["sessions-low"].fingerprint


def test_the_order_of_documents_is_of_no_account(rule_set_of: Bind):
    documents = [
        RULE,
        _kpi("k", "window: {every: 5m}"),
        CONFLICT.replace("id: r", "id: s"),
        RULE.replace("id: r", "id: a"),
    ]
    hashes = set()
    for seed in range(6):
        random.Random(seed).shuffle(documents)
        hashes.add(rule_set_of("\n---\n".join(documents)).hash)
    assert len(hashes) == 1


def test_a_rule_set_survives_being_stored(rule_set_of: Bind):
    rules = rule_set_of(f"{RULE}---\n{CONFLICT.replace('id: r', 'id: s')}---{SOURCE}")
    again = RuleSet.decode(rules.encoded)
    assert again == rules
    assert (again.hash, again.encoded) == (rules.hash, rules.encoded)
    assert set(rules.zones) == {"UTC", "Europe/Berlin"}
    assert rules.zones["Europe/Berlin"] == transitions("Europe/Berlin")


def test_a_filter_that_equals_null_is_no_filter_for_existence(rule_set_of: Bind):
    mapping = "{kpi: support.tickets, value: 1, time: {path: at, unit: s}, filter: [{path: d, equals: null}]}"
    source = f"kind: source\nid: s\ntopic: t\nmap: {mapping}"
    (mapping,) = rule_set_of(source).sources[0].mappings
    assert mapping.filter[0].values == (None,)


def test_load_or_raise_carries_every_error_and_no_warning(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("kind: owner\nid: a\nnam: A\n---\nkind: own\n")
    with pytest.raises(ConfigError) as raised:
        load_or_raise([tmp_path])
    assert [problem.code for problem in raised.value.problems] == ["missing-field", "unknown-field", "kind"]
    assert "a.yaml:5:7: expected one of owner" in str(raised.value)


def test_warnings_do_not_keep_a_rule_set_from_loading(load_text: Load):
    loaded = load_text(_kpi("k", "window: {every: 5m}").replace("decision: d", "decision: none"))
    assert [problem.code for problem in loaded.problems] == ["no-decision"]
    assert loaded.rule_set is not None
    assert loaded.rule_set.kpi_by_id["k"].decision is None


def test_nothing_at_all_is_an_empty_rule_set(tmp_path: Path):
    loaded = load([tmp_path])
    assert loaded.rule_set == RuleSet((), (), (), (), (), {})
    assert loaded.files == 0


def test_one_mistake_in_a_kpi_does_not_make_its_rules_wrong(load_text: Load):
    loaded = load_text(f"{_kpi('k', 'window: {every: 5 minutes}')}\n---{RULE.replace('support.tickets', 'k')}")
    assert [problem.code for problem in loaded.problems] == ["duration"]


def test_every_document_that_loads_fits_the_schema_for_editors():
    schema = Draft202012Validator(rule_file_schema())
    unjudged = _kpi("u", "window: {every: 5m}").replace("target: {value: 1, by: 2030-01-01}", "target: none")
    documents = [
        *read([BASE]).documents,
        *read_text("a.yaml", f"{RULE}---{CONFLICT}---{SOURCE}---\n{unjudged}").documents,
    ]
    for document in documents:
        assert list(schema.iter_errors(document.data)) == []


@pytest.mark.parametrize(
    "text",
    [
        RULE + "colour: green\n",
        RULE.replace("rule\n", "rules\n", 1),
        RULE.replace("above: 10", "above: ten"),
        RULE + "for: 5\n",
        RULE + "window: {every: 1 h}\n",
    ],
)
def test_what_has_the_wrong_shape_does_not_fit_the_schema_for_editors(text: str):
    (document,) = read_text("a.yaml", text).documents
    assert not Draft202012Validator(rule_file_schema()).is_valid(document.data)
    assert load_read(read_text("a.yaml", text)).rule_set is None
