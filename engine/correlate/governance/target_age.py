"""A target that was set and forgotten: how long ago somebody last looked at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from engine.model.governance import StaleTarget
from engine.model.time import format_time, parse_own_time

if TYPE_CHECKING:
    from engine.correlate.governance.watch import Watch
    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Target


def note_target(watch: Watch, target: Target | None, now: Micros) -> None:
    """Remember what the target is; since now, where it is another value, date or start than it was."""
    if watch.since is None or aim_of(target) != aim_of(watch.target):
        watch.changed, watch.since = watch.since is not None, format_time(now)
    watch.target = target


def stale_target(watch: Watch, after: Micros, now: Micros) -> tuple[bool, StaleTarget] | None:
    """Whether it is stale at `now`; None without a target."""
    target = watch.target
    if target is None or watch.since is None:
        return None
    since, because = _looked_at(target, watch.since, changed=watch.changed, now=now)
    due = parse_own_time(since) + after
    told = StaleTarget(target.value, target.by, target.reviewed, since, because, after, format_time(due))
    return due <= now, told


def _looked_at(
    target: Target, since: str, *, changed: bool, now: Micros
) -> tuple[str, Literal["reviewed", "changed", "watched"]]:
    """A date in the catalogue counts from its beginning in UTC, but not from the future; a later change counts more."""
    if target.reviewed is None:
        return since, "changed" if changed else "watched"
    reviewed = min(now, parse_own_time(f"{target.reviewed}T00:00:00Z"))
    if changed and parse_own_time(since) > reviewed:
        return since, "changed"
    return format_time(reviewed), "reviewed"


def aim_of(target: Target | None) -> dict[str, Any] | None:
    """What a target asks for; when it was reviewed is no part of that."""
    return None if target is None else {"value": target.value, "by": target.by, "start": target.start}
