"""Targets lie ahead, and a review is due while its KPI's target still is: what `check` says on a given day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.rules.loader import load

BASE = Path(__file__).parents[1] / "golden" / "base.yaml"
RULE = """
kind: calendar
id: office
zone: UTC
hours: {mon-fri: "09:00-17:00"}
---
kind: rule
id: tickets-high
title: Many tickets
kpi: support.tickets
condition: {threshold: {above: 500}}
review: {due_in: DUE, CALENDAR}
"""


def said(folder: Path, today: str, due: str) -> list[tuple[str, int]]:
    calendar = "calendar: office" if "business" in due else "question: Why?"
    (folder / "rules.yaml").write_text(RULE.replace("DUE", due).replace("CALENDAR", calendar), "utf-8")
    (folder / "base.yaml").write_text(BASE.read_text("utf-8"), "utf-8")
    problems = load([folder], today=date.fromisoformat(today)).problems
    return [
        (problem.code, problem.line) for problem in problems if problem.code in ("target-passed", "due-after-target")
    ]


@pytest.mark.parametrize(
    ("today", "due", "expected"),
    [
        ("2030-12-01", "30d", []),
        ("2030-12-02", "30d", [("due-after-target", 12)]),
        ("2030-12-10", "15 business days", []),
        ("2030-12-11", "15 business days", [("due-after-target", 12)]),
        ("2030-12-31", "1h", []),
        ("2031-01-01", "1h", [("target-passed", 33), ("target-passed", 50), ("target-passed", 64)]),
    ],
)
def test_a_review_is_due_before_the_target_and_the_target_is_still_to_come(
    tmp_path: Path, today: str, due: str, expected: list[tuple[str, int]]
):
    assert sorted(said(tmp_path, today, due)) == expected


def test_without_a_date_nothing_is_said_of_dates():
    assert not [problem for problem in load([BASE]).problems if problem.code == "target-passed"]
