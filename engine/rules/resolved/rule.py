"""A rule as resolved, and the obligation that it opens when it fires."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.model.identity import scope_key
from engine.model.time import DAY, HOUR, Micros
from engine.model.trigger import Severity
from engine.rules.resolved.condition import Condition
from engine.rules.resolved.maintenance import Maintenance
from engine.rules.resolved.selector import Where
from engine.rules.resolved.timing import Due, Window


class Step(msgspec.Struct, frozen=True):
    """Worse by `by`: a share of what was told last (`relative`), or in the KPI's unit."""

    by: float
    relative: bool

    def is_passed(self, size: float, told: float) -> bool:
        """Whether `size` is a step above what was told last; both are larger the worse it is."""
        return size > told and size >= (told * (1 + self.by) if self.relative else told + self.by)


class ReviewSpec(msgspec.Struct, frozen=True):
    """The obligation that a firing rule opens.

    `escalate_after`: from overdue to the first step of escalation, and from each to the next. `reopen_within`: a
    resolved review whose alert fires again so soon (event time) goes on. `flap_after`: so many returns in a row make
    it flapping: then only calm for `reopen_within` ends it. `renotify`: how much worse is worth another word.
    """

    due_in: Due | None
    participants: tuple[str, ...]
    question: str | None
    runbook: str | None
    close: Literal["on_recovery", "on_answer"]
    escalate_after: Due = Due(micros=DAY)
    reopen_within: Micros = HOUR
    flap_after: int = 3
    renotify: Step | None = None


class Rule(msgspec.Struct, frozen=True):
    """A rule as resolved: window, lateness, grace and idle are the KPI's unless the rule states its own.

    `for_` and `keep_firing_for` are event time. `at_least`: (m, n): it holds where m of the last n points say so; null:
    where the present one does. `warm_up`: so many first points of a series are not judged. `where` are dimension
    values that a series must carry.
    `fingerprint` names everything that decides verdicts; a rule that keeps it keeps its state through a reload.
    `declared` is the condition as written, for the evidence. `group_by`: all series alike in these dimensions make one
    review with members; null: each series has its own. `inhibited_by`: rules whose open reviews keep those of this
    rule quiet, where the dimensions that both have are equal. `maintenance`: what begins to fire then opens no review
    unless it is still on afterwards; it decides no verdict. `notify_within`: what is older when it is found opens as
    historical; null: as the worker's settings say. `limit`: how many of its series may have reviews of their own at
    once; unset: all of them. `ends_after`: so long a silence (tick time) ends the alert on a series; unset: none does.
    """

    id: str
    title: str
    kpi: str | None
    where: Where
    condition: Condition
    points: Literal["window", "raw"]
    window: Window
    lateness: Micros
    idle: Micros
    for_: Micros
    keep_firing_for: Micros
    severity: Severity
    mode: Literal["on", "shadow", "off"]
    owner: str | None
    review: ReviewSpec
    known_gaps: tuple[str, ...]
    declared: dict[str, Any]
    fingerprint: str
    group_by: tuple[str, ...] | None = None
    inhibited_by: tuple[str, ...] = ()
    grace: Micros = 0
    at_least: tuple[int, int] | None = None
    warm_up: int = 0
    maintenance: tuple[Maintenance, ...] = ()
    notify_within: Micros | None = None
    limit: int | msgspec.UnsetType = msgspec.UNSET
    ends_after: Micros | msgspec.UnsetType = msgspec.UNSET

    @property
    def gathers_series(self) -> bool:
        """Whether several series may be members of one review: as a group, or as a storm."""
        return self.group_by is not None or self.limit is not msgspec.UNSET

    @property
    def storm(self) -> str | None:
        """The scope of its storms, where its findings come together; None without a `limit`."""
        return None if self.limit is msgspec.UNSET else f"{self.id}|{scope_key({})}"
