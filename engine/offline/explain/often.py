"""What a rule with `at_least` says of the point that it fires or resolves on: there, its condition need not hold. And
of how many of the last windows one over aligned windows held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from engine.model.trigger import TurnName
from engine.offline.explain.account import Line, holds, same
from engine.offline.explain.case import micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.trigger import ConflictEvidence, FindingName, OffTrackEvidence, ReconciliationEvidence
    from engine.offline.explain.account import Check
    from engine.offline.explain.case import Case


def asked_of_last(case: Case, moved_by: FindingName) -> bool | None:
    """Whether the condition must hold of the point that a rule fires or resolves on; None where it may or may not.

    With `at_least` only a point that holds adds up to m, and only one that does not takes away from it. What `for` and
    `keep_firing_for` wait for after that may end on either.
    """
    fires = moved_by.transition != "resolved"
    waits = case.rule.for_ if fires else case.rule.keep_firing_for
    return None if case.rule.at_least is not None and waits else fires


def often_lines(case: Case, moved_by: FindingName) -> Iterator[Line]:
    """How many points are asked for; nothing of a rule that goes by the present one."""
    if case.rule.at_least is not None:
        m, of = case.rule.at_least
        few = "fewer than " if moved_by.transition == "resolved" else ""
        yield Line("at_least", f"{few}{m} of the last {of} points that were judged; the log says which")


def recent_lines(
    case: Case, evidence: ConflictEvidence | ReconciliationEvidence | OffTrackEvidence, *, on: bool | None
) -> Iterator[Line]:
    """Of how many of the last windows the rule held; `on`: whether of this one (None: it could not be judged)."""
    if case.rule.at_least is None:
        yield from () if evidence.recent is UNSET else _none_asked_for()
        return
    if evidence.recent is UNSET:
        raise ValueError("expected the last windows of a rule with `at_least`")
    m, of = case.rule.at_least
    count = sum(each.holds for each in evidence.recent)
    marks = " ".join("held" if each.holds else "not" for each in evidence.recent)
    text = f"{count} of the last {len(evidence.recent)}, of {of} {m} make an alert: {marks}"
    yield Line("at_least", text, tuple(_recent(case, evidence, count, on=on)))


def _none_asked_for() -> Iterator[Line]:
    check = holds(_RECENT, "windows", true=False, why="none: the rule does not ask for several")
    yield Line("at_least", "not asked for", (check,))


_RECENT = "data.evidence.recent"


def _recent(
    case: Case, evidence: ConflictEvidence | ReconciliationEvidence | OffTrackEvidence, count: int, *, on: bool | None
) -> Iterator[Check]:
    m, of = case.rule.at_least or (1, 1)
    recent, moved_by = evidence.recent or (), case.data.moved_by
    ends = [micros(each.end) for each in recent]
    ordered = len(ends) <= of and ends == sorted(set(ends))
    yield holds(_RECENT, len(ends), true=ordered, why=f"each window once, oldest first, {of} at most")
    if on is not None and recent:
        path = f"{_RECENT}[{len(recent) - 1}]"
        yield same(f"{path}.end", recent[-1].end, evidence.window.end)
        yield same(f"{path}.holds", recent[-1].holds, on)
    if isinstance(moved_by, TurnName) and moved_by.turn in ("began", "ended"):
        enough = (count >= m) == (moved_by.turn == "began")
        why = f"at least {m} where it begins" if moved_by.turn == "began" else f"fewer than {m} where it ends"
        yield holds(_RECENT, count, true=enough, why=why)
