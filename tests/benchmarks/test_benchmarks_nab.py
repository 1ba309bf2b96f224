"""What detect_nab.py promises of series in which nothing happens, at a size that the gate can bear; and its tables."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean, median

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from detect_nab import quiet_year, table_of_groups, table_of_limits
from trend_labels import Labelled
from trend_series import KINDS

SERIES = 20
MOST = {"heavy tail (t, 3)": 10, "autoregressive, 0.7": 10, "mostly zero": 25}
SPIKES_SEEN = ("Gaussian", "autoregressive, 0.7", "weekly season")


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=[kind.name for kind in KINDS])
def test_a_quiet_year_has_few_incidents_and_a_spike_of_eight_sigma_is_seen_where_that_is_rare(kind: int):
    years = [quiet_year(kind, seed) for seed in range(7_000, 7_000 + SERIES)]
    assert median(false for false, _ in years) <= MOST.get(KINDS[kind].name, 1)
    if KINDS[kind].name in SPIKES_SEEN:
        assert mean(hit for _, hit in years) >= 0.6


def labelled(at: int) -> Labelled:
    values = 50.0 + np.random.default_rng(at).standard_normal(3_000)
    values[at : at + 4] += 40.0
    return Labelled(np.arange(3_000) * 300.0, values, [(at - 20, at + 20)])


def test_the_tables_show_what_was_found_by_sensitivity_and_by_group():
    series = {"a/one.csv": labelled(1_000), "b/two.csv": labelled(2_000)}
    low, normal, high, never = list(table_of_limits(series))[2:]
    for line in (low, normal, high):
        assert "| 2 of 2 |" in line
    assert never == "| never alarming | 0.0 | 0.0 | 0.0 | 0 of 2 | 0 |"
    groups = list(table_of_groups(series))[2:]
    assert [line.split(" | ")[0] for line in groups] == ["| a", "| b"]
    assert all("| 1 of 1 |" in line for line in groups)
