from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from catalogue_world import NOW, trigger

from engine.model.time import parse_own_time
from engine.offline.catalogue.audit import audit_of
from engine.offline.catalogue.remarks import CODES, AuditLimits
from engine.offline.catalogue.seen import Seen, reviews_of
from engine.rules.resolved.condition import Reconciliation
from engine.rules.tables import RowMapping, Table

if TYPE_CHECKING:
    from engine.model.trigger import ReviewTrigger
    from engine.rules.ruleset import RuleSet

AT = parse_own_time(NOW)


def _found(
    rules: RuleSet, *triggers: ReviewTrigger, tables: tuple[Table, ...] = (), **limits: int
) -> set[tuple[str, str]]:
    audit = audit_of(rules, tables, Seen({}, reviews_of(rules, triggers, AT)), AuditLimits(**limits), AT)
    assert len({(remark.code, remark.subject) for remark in audit.remarks}) == len(audit.remarks)
    return {(remark.code, remark.subject) for remark in audit.remarks}


def _with_kpi(rules: RuleSet, name: str, **changed: Any) -> RuleSet:
    kpis = (msgspec.structs.replace(kpi, **changed) if kpi.id == name else kpi for kpi in rules.kpis)
    return msgspec.structs.replace(rules, kpis=tuple(kpis))


def test_every_code_has_its_words(rules: RuleSet):
    assert {code for code, _ in _found(rules, kpis=1)} <= set(CODES)


@pytest.mark.parametrize(
    ("verdicts", "retired"),
    [
        (("false_alarm", "expected", None, None, "expected"), True),
        (("false_alarm", "expected", None, None), False),
        (("false_alarm", "expected", None, None, "real"), False),
        (("false_alarm", "expected", None, None, "data_error"), False),
    ],
)
def test_reviews_that_led_to_nothing_make_a_kpi_one_to_retire(
    rules: RuleSet, verdicts: tuple[Any, ...], *, retired: bool
):
    triggers = [
        trigger(f"r{number}", "revenue-low", "sales.revenue", "resolved", ordinal=3, verdict=verdict)
        for number, verdict in enumerate(verdicts)
    ]
    assert (("retire", "sales.revenue") in _found(rules, *triggers)) is retired


def test_reviews_that_nobody_was_to_answer_do_not_count(rules: RuleSet):
    triggers = [
        trigger("open", "revenue-low", "sales.revenue"),
        trigger("withdrawn", "revenue-low", "sales.revenue", "withdrawn"),
        trigger("old", "revenue-low", "sales.revenue", "resolved", historical=True),
        trigger("own", "precision:revenue-low", "sales.revenue", "resolved"),
        trigger("later", "revenue-low", "sales.revenue", "resolved", time="2026-06-16T00:00:00Z"),
        trigger("other", "revenue-low", None, "resolved"),
    ]
    assert ("retire", "sales.revenue") not in _found(rules, *triggers, reviews=1)
    counted = trigger("counted", "revenue-low", "sales.revenue", "resolved")
    assert ("retire", "sales.revenue") in _found(rules, *triggers, counted, reviews=1)


def test_an_answer_of_an_earlier_transition_is_not_forgotten(rules: RuleSet):
    answered = trigger("a", "revenue-low", "sales.revenue", "answered", ordinal=2, verdict="real")
    ended = trigger("a", "revenue-low", "sales.revenue", "resolved", ordinal=3)
    assert ("retire", "sales.revenue") not in _found(rules, ended, answered, reviews=1)


def test_owners_have_too_much_past_the_limit_only(rules: RuleSet):
    waiting = [trigger(f"r{number}", "revenue-low", "sales.revenue", owner="finance") for number in range(3)]
    assert ("too-many-reviews", "finance") in _found(rules, *waiting, open_reviews=2)
    assert ("too-many-reviews", "finance") not in _found(rules, *waiting, open_reviews=3)
    assert ("too-many-kpis", "finance") in _found(rules, kpis=1)
    assert ("too-many-kpis", "finance") not in _found(rules, kpis=2)


def test_critical_kpis_need_more_than_somebodys_word(rules: RuleSet):
    assert ("self-reported", "sales.promises") in _found(rules)
    direct = _with_kpi(rules, "sales.promises", sources=("forecast-form", "erp"))
    assert ("self-reported", "sales.promises") not in _found(direct)
    [source] = rules.sources
    mapping = msgspec.structs.replace(source.mappings[0], provenance="automated")
    measured = msgspec.structs.replace(source, mappings=(*source.mappings, mapping))
    assert ("self-reported", "sales.promises") not in _found(msgspec.structs.replace(rules, sources=(measured,)))


def test_a_reconciliation_takes_nobodys_word(rules: RuleSet):
    condition = Reconciliation(("web.sessions",), 0.02, relative=True, over=1, scope=())
    others = [each for each in rules.rules if each.id != "promises-low"]
    [promises] = [each for each in rules.rules if each.id == "promises-low"]
    checked = (*others, msgspec.structs.replace(promises, condition=condition))
    assert ("self-reported", "sales.promises") not in _found(msgspec.structs.replace(rules, rules=checked))


def test_a_table_is_somebodys_word(rules: RuleSet):
    table = Table("sheet", (RowMapping("support.tickets", 1, "day", "s", None, {}, ()),))
    assert ("self-reported", "support.tickets") in _found(rules, tables=(table,))  # the critical conflict looks at it
    assert ("self-reported", "support.tickets") not in _found(rules)


def test_the_age_of_a_target_counts_in_days(rules: RuleSet):
    assert ("target-age", "web.sessions") in _found(rules, target_days=164)
    assert ("target-age", "web.sessions") not in _found(rules, target_days=165)


@pytest.mark.parametrize("changed", [{"role": "lagging"}, {"rolls_up_to": "web.sessions"}, {"objective": "growth"}])
def test_what_leads_somewhere_is_no_vanity(rules: RuleSet, changed: dict[str, str]):
    """web.sessions rolls up to a lagging KPI."""
    assert ("vanity", "brand.followers") in _found(rules)
    assert ("vanity", "brand.followers") not in _found(_with_kpi(rules, "brand.followers", **changed))


def test_the_counterpart_of_another_is_no_vanity(rules: RuleSet):
    web = rules.kpi_by_id["web.sessions"]
    guard = msgspec.structs.replace(web.counterparts[0], kpi="brand.followers")
    assert ("vanity", "brand.followers") not in _found(_with_kpi(rules, "web.sessions", counterparts=(guard,)))
