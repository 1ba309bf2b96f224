"""What a review rests on, in lines for people."""

from __future__ import annotations

from typing import NamedTuple, cast

import pytest

from engine.deliver.evidence import evidence_lines
from engine.model.records import WindowBounds
from engine.model.trigger import ReconciledSide, ReconciliationEvidence, TriggerData

WINDOW = WindowBounds("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 0)


class Data(NamedTuple):
    evidence: ReconciliationEvidence
    kpi: None = None


def side(value: float | None, *kpis: str) -> ReconciledSide:
    return ReconciledSide(kpis, value, 3, (), (), ())


CASES = {
    "a share": (0.02, True, -0.05, "departs by -5.00%, tolerance 2.00%"),
    "units": (12.0, False, 13.5, "departs by 13.5, tolerance 12"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_reconciliation_is_told_in_three_lines(case: str):
    tolerance, relative, departure, said = CASES[case]
    evidence = ReconciliationEvidence(
        {}, WINDOW, side(950.0, "a"), side(1000.0, "b", "c"), -50.0, departure, tolerance, relative, "departs", "hash"
    )  # fmt: skip
    assert evidence_lines(cast("TriggerData", Data(evidence))) == [
        "reported (a): 950 of 3 measurements",
        "record (b, c): 1,000 of 3 measurements",
        said,
    ]
