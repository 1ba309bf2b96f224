"""What PromQL expressions ask for, so far as the catalogue of metrics can tell: names, and the labels put to them."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from engine.telemetry.metrics import Metrics

FROM_ELSEWHERE = {"up": set[str](), "process_start_time_seconds": set[str]()}
"""Prometheus' own, and the client library's."""
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
    names: dict[str, set[str]] = dict(FROM_ELSEWHERE)
    for declared in Metrics(CollectorRegistry()).declarations:
        labels = set(declared.labels)
        if declared.kind == "histogram":
            names |= {f"{declared.name}_{part}": labels for part in ("sum", "count")}
            names[f"{declared.name}_bucket"] = labels | {"le"}
        else:
            names[declared.name] = labels
    return names


def unknown(expression: str) -> list[str]:
    """What an expression asks for and no worker shows."""
    found = asked(expression)
    wrong = [name for name in found.selected if name not in catalogue()]
    known = {name: catalogue()[name] | TARGET_LABELS for name in found.selected if name in catalogue()}
    wrong += [f"{name}: {label}" for name in known for label in sorted(found.selected[name] - known[name])]
    return wrong + sorted(found.grouped - set().union(*known.values(), TARGET_LABELS))
