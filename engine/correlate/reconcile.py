"""Reconciliations: what a KPI reports departs from what its system of record has, over one aligned window."""

from __future__ import annotations

from math import copysign, fsum
from typing import TYPE_CHECKING, Literal

from engine.correlate.aligned import Aligned
from engine.correlate.evidence import digest_of_recent
from engine.correlate.judge import UNKNOWN, Judged
from engine.correlate.shares import share_of_side, window_of
from engine.correlate.sides import AlignedSide
from engine.correlate.track import Run, Track, carried_on
from engine.model.identity import digest_of
from engine.model.trigger import ReconciliationEvidence
from engine.rules.resolved.condition import Reconciliation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.correlate.aligned import Sides
    from engine.model.limits import Limits
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet

SAID: dict[str, Literal["departs", "agrees", "inconclusive"]] = {
    "on": "departs",
    "off": "agrees",
    "pending": "inconclusive",
    "inconclusive": "inconclusive",
}


def added(values: Sequence[float | None]) -> float | None:
    """Their exact sum; None unless all are there."""
    there = [value for value in values if value is not None]
    return fsum(there) if there and len(there) == len(values) else None


def departure(reported: float, record: float, *, relative: bool) -> float:
    """What is held against the tolerance: the difference, or what share of the record it is; of nothing, all of it."""
    difference = reported - record
    if not relative or difference == 0:
        return difference
    return difference / abs(record) if record else copysign(1.0, difference)


def judge(reported: float | None, record: float | None, condition: Reconciliation) -> Judged:
    """The verdict on what was reported: `worsened` when it departs, `flat` when it agrees."""
    if reported is None or record is None:
        return Judged("unknown", reported, record)
    effect = departure(reported, record, relative=condition.relative)
    return Judged("worsened" if abs(effect) > condition.tolerance else "flat", reported, record, effect)


def state_of(sides: Sides, *, on: bool, waiting: bool) -> str:
    """It agrees for certain only where both sides are known."""
    own = sides[0]
    if on:
        return "on"
    if own is not None and own.verdict == "flat":
        return "off"
    return "pending" if waiting else "inconclusive"


class Reconcile(Aligned):
    """A reconciliation rule, ready to judge: side 0 is what is reported, side 1 the record."""

    silent = "a side of the reconciliation cannot be judged"

    def __init__(self, rule: Rule, rules: RuleSet) -> None:
        condition = rule.condition
        assert isinstance(condition, Reconciliation)  # noqa: S101 (an invariant: the caller looks)
        self.condition = condition
        self.reported = AlignedSide(0, [str(rule.kpi)], rules)
        self.record = AlignedSide(1, condition.record, rules)
        super().__init__(rule, rules, (self.reported, self.record), condition.over, condition.over)

    def verdicts(self, track: Track, index: int, run: Run | None) -> Sides:
        """See `Aligned`. The record is never wrong: its verdict is `flat`, or unknown."""
        del run
        values = [
            self.merged.value(track, side, index) if self.has_come(track, side, index) else None
            for side in self.aligned
        ]
        own = judge(values[0], values[1], self.condition)
        record = UNKNOWN if values[1] is None else Judged("flat", values[1])
        come = [self.has_come(track, side, index) for side in self.aligned]
        return own if come[0] else None, record if come[1] else None

    def claims(self, sides: Sides) -> list[tuple[bool, bool]]:
        """The record is known, and what is reported departs from it."""
        own, record = sides
        return [(record is not None and record.value is not None, own is not None and own.verdict == "worsened")]

    def state_of(self, sides: Sides, *, on: bool, waiting: bool) -> str:
        """See `Aligned`."""
        return state_of(sides, on=on, waiting=waiting)

    def run_after(self, track: Track, index: int, run: Run | None, sides: Sides) -> Run:
        """See `Aligned`; whose record it is takes part."""
        bounds = track.rings[self.reported.first].windows[index].bounds
        effect = 0.0 if sides[0] is None else sides[0].effect or 0.0
        return carried_on(run, index, bounds, effect, tuple(sorted(self.record.kpis)))

    def combined(self, values: Sequence[float | None]) -> float | None:
        """Their sum."""
        return added(values)

    def evidence(self, track: Track, index: int, limits: Limits) -> ReconciliationEvidence:
        """See `Aligned`."""
        step = track.steps[index]
        judged = step.sides[0] or UNKNOWN
        reported, record = (
            share_of_side(self, track, side, index, each, limits)
            for side, each in zip(self.aligned, step.sides, strict=True)
        )
        known = reported.value is not None and record.value is not None
        parts = {"condition": self.rule.declared, "reported": reported, "record": record}
        recent = self.recent(track, index)
        return ReconciliationEvidence(
            condition=self.rule.declared,
            window=window_of(self, track, index),
            reported=reported,
            record=record,
            difference=(reported.value or 0.0) - (record.value or 0.0) if known else None,
            departure=judged.effect,
            tolerance=self.condition.tolerance,
            relative=self.condition.relative,
            verdict=SAID[step.state],
            rule_set=self.hash,
            digests={name: digest_of(part) for name, part in parts.items()} | digest_of_recent(recent),
            recent=recent,
        )
