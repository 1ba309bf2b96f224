"""Comparing two runs is set arithmetic over their reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest_world import EVERY, HOURS, START, Told, rule, rule_set, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.model.time import MINUTE, SECOND
from engine.offline.backtest.compare import compare
from engine.offline.backtest.files import Reading
from engine.offline.backtest.run import run
from engine.offline.backtest.summary import Summary, summary_of
from engine.rules.resolved.condition import Threshold

if TYPE_CHECKING:
    from pathlib import Path

ROWS = st.builds(
    Told,
    host=st.sampled_from(["a", "b"]),
    time=st.integers(0, HOURS).map(lambda seconds: START + seconds * SECOND),
    value=st.integers(0, 9).map(float),
)


def summary(path: Path, limits: dict[str, float]) -> Summary:
    rules = [
        rule(name, Threshold("above", None, limit, None), lateness=10 * MINUTE)
        for name, limit in sorted(limits.items())
    ]
    return summary_of(run(rule_set(rules=rules), [path], Reading(), every=EVERY))


LIMITS = st.dictionaries(st.sampled_from(["one", "two", "three"]), st.sampled_from([2.0, 5.0, 7.0]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(ROWS, max_size=40), old=LIMITS, new=LIMITS)
def test_what_is_removed_kept_and_added_is_set_arithmetic(
    tmp_path: Path, told: list[Told], old: dict[str, float], new: dict[str, float]
):
    path = written(tmp_path / "rows.ndjson", told)
    before, after = summary(path, old).reviews, summary(path, new).reviews
    found = compare(before, after)
    ours, theirs = ({line.identity for line in lines if not line.withdrawn} for lines in (before, after))
    assert {line.identity for line in found.removed} == ours - theirs
    assert {line.identity for line in found.kept} == ours & theirs
    assert {line.identity for line in found.added} == theirs - ours
    assert len(found.removed) + len(found.kept) == len(ours)
    for each in found.rules:
        for count, lines in ((each.removed, found.removed), (each.kept, found.kept), (each.added, found.added)):
            assert count == sum(line.rule == each.rule for line in lines)


def test_a_rule_is_summed_up_by_its_reviews_and_the_time_that_it_fired(tmp_path: Path):
    values = {0: 1.0, 10: 9.0, 20: 9.0, 30: 1.0, 40: 1.0, 50: 9.0, 60: 9.0}
    told = [Told("a", START + minutes * MINUTE, value) for minutes, value in values.items()]
    found = summary(written(tmp_path / "rows.csv", told), {"high": 5.0})
    [high] = found.rules
    # A window counts at its end: it fires from 20 to 40 and from 60 on. So soon the review is reopened.
    assert (high.reviews, high.resolved, high.firing, high.firing_still, high.series) == (1, 0, 2, 1, 2)
    assert (high.firing_seconds, high.firing_longest_seconds) == (20 * 60, 20 * 60)
    assert high.firing_share == 20 / (2 * 60)
    assert sum(high.weeks.values()) == 1
    assert (found.rows.accepted, found.rows.refused) == (7, {})
