"""The evidence of a conflict: every side of one aligned window, down to the share of each series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from engine.correlate.bottleneck import bottleneck_of
from engine.correlate.shares import missing_of, shares_of, window_of, windows_of
from engine.correlate.track import NOT_COME
from engine.model.identity import digest_of
from engine.model.trigger import ConflictEvidence, SideEvidence

if TYPE_CHECKING:
    from engine.correlate.conflict import Conflict, Side
    from engine.correlate.judge import Judged, Usual
    from engine.correlate.track import Run, Step, Track
    from engine.model.bottleneck import Bottleneck
    from engine.model.finding import BaselinePoint
    from engine.model.limits import Limits
    from engine.model.trigger import WindowVerdict

SAID: dict[str, Literal["conflict", "no_conflict", "inconclusive"]] = {
    "on": "conflict",
    "off": "no_conflict",
    "pending": "inconclusive",
    "inconclusive": "inconclusive",
}


def conflict_evidence(conflict: Conflict, track: Track, index: int, limits: Limits) -> ConflictEvidence:
    """What the verdict on the aligned window `index` rests on; the step for it must be there."""
    step = track.steps[index]
    sides = tuple(_side_evidence(conflict, track, place, index, step, limits) for place in range(len(conflict.sides)))
    digests = {"condition": digest_of(conflict.rule.declared)}
    digests |= {f"sides[{number}]": digest_of(side) for number, side in enumerate(sides)}
    recent = conflict.recent(track, index)
    return ConflictEvidence(
        condition=conflict.rule.declared,
        window=window_of(conflict, track, index),
        sides=sides,
        verdict=SAID[step.state],
        rule_set=conflict.hash,
        digests=digests | digest_of_recent(recent),
        recent=recent,
    )


def digest_of_recent(recent: tuple[WindowVerdict, ...] | msgspec.UnsetType) -> dict[str, str]:
    """As a part of the evidence, where it has one."""
    return {} if recent is msgspec.UNSET else {"recent": digest_of(recent)}


def _side_evidence(
    conflict: Conflict, track: Track, place: int, index: int, step: Step, limits: Limits
) -> SideEvidence:
    side = conflict.sides[place]
    judged = step.sides[place] or NOT_COME
    run = step.before or step.after
    usual = _usual(conflict, track, side, index, run)
    at = index + side.lag
    windows = windows_of(conflict, track, side.first, at)
    shares = shares_of(conflict, track, side, at)
    return SideEvidence(
        kpi=side.kpi,
        per=side.per,
        verdict=judged.verdict,
        value=judged.value,
        usual=judged.usual,
        effect=judged.effect,
        limit=limit_of(conflict.sides[place], judged),
        noise=judged.scale if side.judge.noise else 0.0,
        windows=tuple(window.bounds for window in windows),
        baseline_points=_points(usual, judged)[: limits.evidence_points_max],
        shares=shares[: limits.evidence_points_max],
        missing=missing_of(conflict, track, side, at)[: limits.members_listed_max],
        shares_count=len(shares),
        bottleneck=_bottleneck(conflict, track, side, index, run, usual if judged.usual is not None else None, limits),
    )


def _bottleneck(
    conflict: Conflict, track: Track, side: Side, index: int, run: Run | None, usual: Usual | None, limits: Limits
) -> Bottleneck | msgspec.UnsetType:
    """Nothing where the usual level was held from windows that have been restated since, or are gone."""
    if usual is None:
        return msgspec.UNSET
    before = conflict.baseline(track, side, index, run)
    if conflict.usual(track, side, before[0] + side.stride) != usual:
        return msgspec.UNSET
    return bottleneck_of(conflict, track, side, [index + side.lag], before, limits)


def _usual(conflict: Conflict, track: Track, side: Side, index: int, run: Run | None) -> Usual | None:
    return None if side.judge.level is not None else conflict.usual_in_force(track, side, index, run)


def _points(usual: Usual | None, judged: Judged) -> tuple[BaselinePoint, ...]:
    return () if usual is None or judged.usual is None else usual.points


def limit_of(side: Side, judged: Judged) -> float | None:
    """The level, or the effect needed: with the sign of good for the rule's KPI, of bad for its counterparts."""
    if side.judge.level is not None:
        return side.judge.level
    if side.direction == "in_band":
        return None
    noise = side.judge.noise * judged.scale / abs(judged.usual) if judged.usual else 0.0
    up = (side.direction == "higher_is_better") == (side.number == 0)
    return max(side.judge.by, noise) * (1 if up else -1)


def same_verdicts(said: tuple[Judged | None, ...], now: tuple[Judged | None, ...]) -> bool:
    """Whether what was said of the sides that moved still stands; a side that came since then does not change that."""
    return all(
        one == other
        for one, other in zip(said, now, strict=True)
        if one is not None and one.verdict in ("improved", "worsened")
    )
