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
    from engine.correlate.story import Story
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


def evaluations_of(correlator: Correlator, rule: str, joined: Joined, count: int) -> Iterator[Dated]:
    """What the rule made of the last `count` windows that do not wait for a side, as they stand now; no more than can
    still change, as the others are gone. Of composites moments at which something was told of a member. Of governance
    that looks at no run of windows the newest one that was complete.
    """
    if joined.track is not None:
        steps = [index for index, step in joined.track.steps.items() if step.state != _WAITS]
        for index in sorted(steps)[-count:]:
            yield _of_window(correlator, joined.track, index, joined.track.steps[index])
    elif joined.story is not None:
        yield from _of_moments(joined.story, count)
    elif joined.watch is not None:
        yield from _of_verdicts(joined.watch, str(correlator.rules.rule_by_id[rule].kpi), count)


def _of_moments(story: Story, count: int) -> Iterator[Dated]:
    times = {edge.time for edge in story.edges.values()} or {time for time in (story.newest,) if time is not None}
    for time in sorted(times)[-count:]:
        on = any(told.begin <= time and (told.end is None or time < told.end) for told in story.said)
        yield _plain(time, story.scope, on=on)


def _of_verdicts(watch: Watch, kpi: str, count: int) -> Iterator[Dated]:
    windows = watch.rings[kpi].windows if kpi in watch.rings else {}
    judged = sorted(watch.verdicts) or [index for index in (watch.judged,) if index is not None]
    for index in [index for index in judged if index in windows][-count:]:
        on = _is_on(watch, index) if watch.verdicts else watch.opened is not None
        yield _plain(parse_own_time(windows[index].bounds.end), watch.scope, on=on)


def _is_on(watch: Watch, index: int) -> bool:
    return any(said.begin <= index and (said.end is None or index < said.end) for said in watch.said)


def _plain(time: Micros, scope: str, *, on: bool) -> Dated:
    return Dated(time, scope, 0, Evaluation(format_time(time), scope, "firing" if on else "inactive"))


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
