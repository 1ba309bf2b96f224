"""The dashboard: Grafana can read it, it asks for what workers show, and nothing that they show goes unseen."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from queries import asked, catalogue, dashboard, expressions, panels, unknown

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
PANELS = {panel["title"]: panel for panel in panels()}
_LEGEND = re.compile(r"\{\{(\w+)\}\}")


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_panels_have_titles_and_places_of_their_own():
    everything = dashboard()["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len(PANELS) == len(panels())
    for panel in everything:
        assert 0 < panel["gridPos"]["w"] <= 24 - panel["gridPos"]["x"]
    assert [pair for pair in combinations([panel["gridPos"] for panel in everything], 2) if overlap(*pair)] == []


def test_the_rows_go_from_what_is_urgent_to_what_the_kpis_are():
    rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]
    assert rows == ["Now", "Input", "Evaluation", "Findings and reviews", "Health", "KPIs"]


@pytest.mark.parametrize("title", PANELS)
def test_every_panel_says_what_it_shows_and_asks_the_chosen_source(title: str):
    panel = PANELS[title]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


@pytest.mark.parametrize("expression", expressions())
def test_every_query_asks_for_what_workers_show_of_the_chosen_installation(expression: str):
    assert unknown(expression) == []
    chosen = {name for name, labels in asked(expression).selected.items() if "job" in labels}
    assert chosen == asked(expression).selected.keys()


@pytest.mark.parametrize("title", PANELS)
def test_every_name_in_a_legend_is_a_label_of_what_is_asked_for(title: str):
    for target in PANELS[title]["targets"]:
        expression = target["expr"]
        grouped = asked(expression).grouped
        shown = set(_LEGEND.findall(target["legendFormat"]))
        bare = set().union(*(catalogue().get(name, set()) for name in asked(expression).selected), {"instance", "job"})
        assert shown <= (grouped if " by (" in expression else bare), expression


def test_everything_that_is_declared_is_on_the_dashboard():
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for each in expressions() for name in asked(each).selected}
    declared = {re.sub(r"_(bucket|sum|count)$", "", name) for name in catalogue() if name.startswith("counterpoint_")}
    assert declared - shown == {"counterpoint_batch_bytes"}, "beside the bytes read and the records in a batch"


def test_variables_ask_for_labels_that_there_are():
    asked_for = [each for each in dashboard()["templating"]["list"] if each["type"] == "query"]
    assert {each["name"] for each in asked_for} == {"job", "rule", "kpi"}
    for each in asked_for:
        found = re.fullmatch(r"label_values\((\w+)(?:\{[^}]*\})?, (\w+)\)", each["definition"])
        assert found is not None
        assert found[2] in catalogue()[found[1]] | {"job"}


def test_grafana_is_told_where_dashboards_and_numbers_come_from():
    sources = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text("utf-8"))
    [source] = sources["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    providers = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "counterpoint.yml").read_text("utf-8"))
    [provider] = providers["providers"]
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yml").read_text("utf-8"))
    mounts = [mount.split(":") for mount in compose["services"]["grafana"]["volumes"]]
    assert ["./grafana/dashboards", provider["options"]["path"], "ro"] in mounts
    assert ["./grafana/provisioning", "/etc/grafana/provisioning", "ro"] in mounts
