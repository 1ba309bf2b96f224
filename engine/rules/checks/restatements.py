"""Rules on what is restated in favour look at windows that can be restated, and that fit near the end of a period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.rules.bind_kpi import window_of
from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec import KpiSpec, RuleSpec
    from engine.rules.spec.governance import GovernanceSpec

_PLACE: Final[Path_] = ("condition", "governance", "restated_in_favour")


def check_restatements(rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    """What `restated_in_favour` needs of its KPI; nothing of the other conditions."""
    written = spec.restated_in_favour
    if written is None or not kpi.has("grace") or not rule.has("grace"):
        return
    grace = kpi.spec.grace if rule.spec.grace is None else rule.spec.grace
    if grace == 0:
        yield rule.problem(
            _PLACE,
            "no-grace",
            expected=f"a grace of {shown(kpi.id)}, within which windows that have closed can be restated",
            found="none",
            mend="give the KPI `grace: 40d`, say: as long as its numbers may still be corrected",
        )
    step = window_of(kpi.spec.window).step
    if written.near is not None and written.near < step:
        yield rule.problem(
            (*_PLACE, "near"),
            "near",
            expected=f"at least one window of {shown(kpi.id)}",
            found="less",
            mend="write a longer `near`: a window is near that begins so long before the end of a period",
        )
