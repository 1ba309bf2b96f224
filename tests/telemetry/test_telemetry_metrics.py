"""Metrics: declared once, named by the conventions, and gone when what they speak of is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from engine.telemetry.metrics import KpiGauges, Metrics
from engine.telemetry.reference import metrics_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
NO_UNIT = {
    "counterpoint_ready",
    "counterpoint_kpi_value",
    "counterpoint_reviews_open",
    "counterpoint_partitions",
    "counterpoint_reload_successful",
}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def exposed(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_nothing_lands_on_the_global_registry():
    before = {family.name for family in REGISTRY.collect()}
    Metrics(CollectorRegistry())
    assert {family.name for family in REGISTRY.collect()} == before


def test_two_sets_on_one_registry_are_refused(metrics: Metrics):
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(metrics.registry)


def test_every_declaration_is_exposed_under_its_name(metrics: Metrics):
    text = exposed(metrics)
    for declaration in metrics.declarations:
        assert f"# TYPE {declaration.name} {declaration.kind}\n" in text
    assert text.count("# TYPE counterpoint_") - text.count("_created gauge") == len(metrics.declarations)


def test_names_carry_their_unit_and_counters_end_in_total(metrics: Metrics):
    for declaration in metrics.declarations:
        assert re.fullmatch(r"counterpoint_[a-z_]+", declaration.name)
        assert (declaration.kind == "counter") == declaration.name.endswith("_total")
        if declaration.kind != "counter" and declaration.name not in NO_UNIT:
            assert declaration.name.endswith(("_seconds", "_bytes", "_records", "_info"))
        assert declaration.meaning.endswith(".")


def test_the_page_of_metrics_says_what_is_declared():
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), (
        "run: python -m engine.telemetry.reference > docs/metrics.md"
    )


def test_only_running_rule_sets_are_shown(metrics: Metrics):
    metrics.show_rule_sets(["aaaa"])
    metrics.show_rule_sets(["aaaa", "bbbb"])
    metrics.show_rule_sets(["bbbb"])
    metrics.show_rule_sets(["bbbb"])
    assert [line for line in exposed(metrics).splitlines() if line.startswith("counterpoint_rule_set_info")] == [
        'counterpoint_rule_set_info{hash="bbbb"} 1.0'
    ]


def test_removed_rules_take_their_series_with_them(metrics: Metrics):
    for rule in ("kept", "gone"):
        metrics.findings.labels(rule, "firing", "new").inc()
        metrics.shadow_findings.labels(rule, "firing").inc()
        metrics.reviews_open.labels(rule).set(1)
    metrics.forget_rules(["gone", "never-seen"])
    assert 'rule="gone"' not in exposed(metrics)
    assert exposed(metrics).count('rule="kept"') == 3 + exposed(metrics).count('_created{rule="kept"')


def test_kpi_values_past_the_cap_are_counted_and_not_shown(metrics: Metrics):
    gauges = KpiGauges(metrics, series_max=2)
    assert gauges.show("k", "a", 1.0)
    assert gauges.show("k", "b", 2.0)
    assert not gauges.show("k", "c", 3.0)
    assert gauges.show("k", "a", 4.0)
    text = exposed(metrics)
    assert 'counterpoint_kpi_value{kpi="k",series="a"} 4.0' in text
    assert 'series="c"' not in text
    assert "counterpoint_kpi_values_dropped_total 1.0" in text


def test_a_forgotten_series_makes_room(metrics: Metrics):
    gauges = KpiGauges(metrics, series_max=1)
    gauges.show("k", "a", 1.0)
    gauges.forget("k", "a")
    gauges.forget("k", "never-seen")
    assert gauges.show("k", "b", 1.0)
    assert 'series="a"' not in exposed(metrics)
