"""What a rule with `at_least` says of the point that it fires or resolves on: there, its condition need not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.offline.explain.account import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.trigger import FindingName
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
