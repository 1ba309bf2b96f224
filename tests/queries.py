"""What PromQL expressions ask for, so far as the catalogue of metrics can tell: names, and the labels put to them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector

from engine.telemetry.delivery_metrics import DeliveryMetrics
from engine.telemetry.metrics import Metrics

DASHBOARD = Path(__file__).resolve().parents[1] / "deploy" / "grafana" / "dashboards" / "counterpoint.json"
TARGET_LABELS = {"job", "instance"}
_NAME = re.compile(r"\b(?:counterpoint|process)_\w+|\bup\b")
_SELECTOR = re.compile(r"((?:counterpoint|process)_\w+|\bup)\{([^}]*)\}")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
_STRINGS = re.compile(r'"[^"]*"')


class Asked(NamedTuple):
    """The metrics of an expression, and for each its labels in selectors; the labels that it groups by."""

    selected: dict[str, set[str]]
    grouped: set[str]


def asked(expression: str) -> Asked:
    """Take an expression apart."""
    bare = _STRINGS.sub('""', expression)
    selected: dict[str, set[str]] = {name: set() for name in _NAME.findall(bare)}
    for name, matchers in _SELECTOR.findall(expression):
        selected[name] |= set(_MATCHER.findall(matchers))
    labels = {label.strip() for group in _GROUPED.findall(bare) for label in group.split(",") if label.strip()}
    return Asked(selected, labels)


@cache
def catalogue() -> dict[str, set[str]]:
    """Every series name that a worker shows, with its labels; of histograms the three that Prometheus makes of one."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    names: dict[str, set[str]] = {"up": set()}
    names |= {sample.name: set() for family in registry.collect() for sample in family.samples}
    return names | series_of(Metrics(CollectorRegistry()))


def series_of(metrics: Metrics) -> dict[str, set[str]]:
    """What is declared there."""
    names: dict[str, set[str]] = {}
    for declared in metrics.declarations:
        labels = set(declared.labels)
        if declared.kind == "histogram":
            names |= {f"{declared.name}_{part}": labels for part in ("sum", "count")}
            names[f"{declared.name}_bucket"] = labels | {"le"}
        else:
            names[declared.name] = labels
    return names


@cache
def everything() -> dict[str, set[str]]:
    """The catalogue, and what delivery workers show beside."""
    return catalogue() | series_of(DeliveryMetrics(CollectorRegistry()))


def unknown(expression: str) -> list[str]:
    """What an expression asks for and no worker shows."""
    found = asked(expression)
    wrong = [name for name in found.selected if name not in everything()]
    known = {name: everything()[name] | TARGET_LABELS for name in found.selected if name in everything()}
    wrong += [f"{name}: {label}" for name in known for label in sorted(found.selected[name] - known[name])]
    return wrong + sorted(found.grouped - set().union(*known.values(), TARGET_LABELS))


def dashboard() -> dict[str, Any]:
    """The shipped one."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    """Its panels, rows left out."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """Every query of the dashboard."""
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def filled_in(expression: str) -> str:
    """A query as Grafana sends it: everything chosen, over the last minute."""
    text = expression.replace("$__rate_interval", "1m")
    return re.sub(r"\$(job|rule|kpi)\b", ".*", text)
