"""How a rule that joins fares in one scope: its state, and what it made of the newest windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.correlate.shares import window_of
from engine.model.time import format_time, parse_own_time
from engine.offline.why.evaluations import Dated, Evaluation
from engine.offline.why.of_join import opened_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.correlate.correlator import Correlator, Joined
    from engine.correlate.governance.watch import Watch
    from engine.correlate.groups import Group
    from engine.correlate.track import Run, Step, Track
    from engine.model.time import Micros

_JUDGED: Final = ("on", "off")
_WAITS: Final = "pending"


def state_of(joined: Joined) -> str:
    """inactive, pending, firing or recovering. Without windows nothing is pending, and nothing recovers."""
    track = joined.track
    if track is None:
        return "inactive" if opened_of(joined) is None else "firing"
    return _state_after(track.steps[max(track.steps)].after if track.steps else None)


def _state_after(run: Run | None) -> str:
    if run is None:
        return "inactive"
    if run.fired is None:
        return "pending"
    return "firing" if run.clear is None else "recovering"


def evaluations_of(correlator: Correlator, rule: str, scope: str, joined: Joined, count: int) -> Iterator[Dated]:
    """What the rule made of the last `count` windows that do not wait for a side, as they stand now; no more than can
    still change, as the others are gone. Of governance the newest window that was judged, of a composite the newest
    moment at which something of its members was told that it still knows of.
    """
    if joined.track is not None:
        steps = [index for index, step in joined.track.steps.items() if step.state != _WAITS]
        for index in sorted(steps)[-count:]:
            yield _of_window(correlator, joined.track, index, joined.track.steps[index])
        return
    time = _moment_of(correlator, rule, joined)
    if time is not None:
        yield Dated(time, scope, 0, Evaluation(format_time(time), scope, state_of(joined)))


def _of_window(correlator: Correlator, track: Track, index: int, step: Step) -> Dated:
    end, own = window_of(correlator.aligned[track.rule], track, index).end, step.sides[0]
    told = Evaluation(
        time=end,
        series=track.scope,
        state=_state_after(step.after),
        outcome="judged" if step.state in _JUDGED else "not_known",
        value=None if own is None else own.value,
        statistic=None if own is None else own.effect,
        usual=None if own is None else own.usual,
    )
    return Dated(parse_own_time(end), track.scope, index, told)


def _moment_of(correlator: Correlator, rule: str, joined: Joined) -> Micros | None:
    if joined.watch is not None:
        return _judged_until(joined.watch, str(correlator.rules.rule_by_id[rule].kpi))
    if joined.story is not None:
        return joined.story.newest
    return None if joined.group is None else _newest_member(joined.group)


def _judged_until(watch: Watch, kpi: str) -> Micros | None:
    """The end of the newest window of the rule's KPI that was judged; None: none was."""
    ring = watch.rings.get(kpi)
    window = None if ring is None or watch.judged is None else ring.windows.get(watch.judged)
    return None if window is None else parse_own_time(window.bounds.end)


def _newest_member(group: Group) -> Micros | None:
    return max((parse_own_time(member.event_time) for member in group.members.values()), default=None)
