"""What a person reads of a trigger of every kind, as it stands in `golden/`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from explain_world import explained, world
from rich.console import Console

from engine.offline.explain.log_verdict import NOT_ASKED
from engine.offline.explain.text import show_explanation

GOLDEN = Path(__file__).parent / "golden"
CASES = {
    "threshold_above_for": ("latency-above", "opened"),
    "threshold_above_recover_at": ("latency-above", "resolved"),
    "threshold_below": ("latency-below", "opened"),
    "threshold_inside": ("latency-inside", "opened"),
    "threshold_inside_resolved": ("latency-inside", "resolved"),
    "threshold_outside_raw": ("latency-outside", "opened"),
    "threshold_outside_raw_resolved": ("latency-outside", "resolved"),
    "change_relative": ("orders-fall", "opened"),
    "change_absolute_weekdays": ("orders-jump", "opened"),
    "change_resolved": ("orders-jump", "resolved"),
    "trend_level": ("wait-shift", "opened", None, "lasting"),
    "trend_level_usual": ("wait-shift", "resolved", None, "lasting"),
    "trend_level_returned": ("wait-shift", "resolved", None, "passing"),
    "trend_slope": ("wait-bend", "opened", None, "growing"),
    "trend_slope_usual": ("wait-bend", "resolved", None, "growing"),
    "control_runs": ("wait-runs", "opened", None, "lasting"),
    "control_runs_over": ("wait-runs", "resolved", None, "passing"),
    "control_order": ("wait-order", "opened", None, "growing"),
    "control_ewma": ("wait-average", "opened", None, "growing"),
    "control_ewma_over": ("wait-average", "resolved", None, "passing"),
    "control_cusum": ("wait-sums", "opened", None, "growing"),
    "control_cusum_over": ("wait-sums", "resolved", None, "passing"),
    "missing_data": ("orders-missing", "updated"),
    "missing_data_resolved": ("orders-missing", "resolved"),
    "conflict_per_lag": ("growth-paid-for", "opened"),
    "conflict_inconclusive": ("growth-paid-for", "updated"),
    "conflict_ended": ("growth-paid-for", "alert_ended"),
    "conflict_overdue": ("growth-paid-for", "overdue"),
    "conflict_escalated": ("growth-paid-for", "escalated"),
    "conflict_acknowledged": ("growth-paid-for", "acknowledged"),
    "conflict_answered": ("growth-paid-for", "resolved"),
    "composite_all": ("slow-and-odd", "opened"),
    "composite_any": ("orders-somehow-off", "opened"),
    "threshold_worsened": ("latency-worse", "renotified"),
    "group_opened": ("latency-anywhere", "opened"),
    "group_resolved": ("latency-anywhere", "resolved"),
    "cadence_missed": ("cadence:orders", "opened"),
    "precision_low": ("precision:latency-worse", "opened"),
    "composite_ended": ("orders-somehow-off", "resolved"),
}


@pytest.mark.parametrize("name", CASES)
def test_explain_says_exactly_this(name: str, *, update_golden: bool):
    console = Console(file=io.StringIO(), width=110)
    show_explanation(explained(world().of(*CASES[name])), NOT_ASKED, console)
    assert isinstance(console.file, io.StringIO)
    text = "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())
    file = GOLDEN / f"{name}.txt"
    if update_golden:
        file.write_text(text, encoding="utf-8")
        return
    assert text == file.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_case():
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(CASES)
