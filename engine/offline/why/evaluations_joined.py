"""The last evaluations of rules that join: what each made of the newest windows, moments or looks, as they stand."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from engine.correlate.clauses import needed
from engine.correlate.conflict import Conflict
from engine.correlate.evidence import limit_of
from engine.correlate.off_track import Course
from engine.correlate.reconcile import Reconcile
from engine.correlate.shares import window_of
from engine.correlate.unfold import moments, unfolded
from engine.model.time import format_time, parse_own_time
from engine.offline.why.evaluations import Dated, Evaluation
from engine.offline.why.evaluations_governed import numbers_of
from engine.offline.why.health_joined import state_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.correlate.aligned import Aligned
    from engine.correlate.correlator import Correlator, Joined
    from engine.correlate.governance.watch import Watch
    from engine.correlate.judge import Judged
    from engine.correlate.story import Story
    from engine.correlate.trace import Looked
    from engine.correlate.track import Track
    from engine.correlate.unfold import Edge, Fold
    from engine.model.time import Micros
    from engine.rules.resolved.condition import Composite

_JUDGED: Final = ("on", "off")
_WAITS: Final = "pending"


class JoinedEvaluations:
    """The newest evaluations of every rule that joins, scope by scope. Implements `engine.correlate.trace.Trace`.

    Kept are the last `keep` of what is let go; what can still change is asked of the correlator when they are wanted.
    """

    def __init__(self, keep: int) -> None:
        self._keep = max(1, keep)
        self._kept: defaultdict[tuple[str, str], dict[int, Dated]] = defaultdict(dict)

    def windows_are_final(self, aligned: Aligned, track: Track, indices: Iterable[int]) -> None:
        """See `Trace`."""
        self._put(track.rule, track.scope, _of_windows(aligned, track, indices))

    def moments_are_final(self, condition: Composite, story: Story, edges: Iterable[Edge]) -> None:
        """See `Trace`."""
        self._put(story.rule, story.scope, _of_moments(condition, story, edges))

    def looked(self, watch: Watch, looks: Iterable[Looked]) -> None:
        """See `Trace`."""
        self._put(watch.rule, watch.scope, (_of_look(watch, look) for look in looks))

    def dropped(self, rule: str, scope: str) -> None:
        """See `Trace`."""
        self._kept.pop((rule, scope), None)

    def of(self, correlator: Correlator, rule: str, scope: str) -> Iterator[Dated]:
        """The last of a rule in a scope, as many as are kept and more. Windows that wait for a side are none."""
        yield from self._kept.get((rule, scope), {}).values()
        joined: Joined = correlator.joined[rule, scope]
        if joined.track is not None:
            yield from _of_windows(correlator.aligned[rule], joined.track, sorted(joined.track.steps))
        elif joined.story is not None:
            yield from _of_moments(correlator.unfoldings[rule].condition, joined.story, joined.story.edges.values())

    def _put(self, rule: str, scope: str, found: Iterable[Dated]) -> None:
        kept = self._kept[rule, scope]
        kept.update((each.place, each) for each in found)
        for place in sorted(kept)[: -self._keep]:
            del kept[place]


def _of_windows(aligned: Aligned, track: Track, indices: Iterable[int]) -> Iterator[Dated]:
    for index in indices:
        step = track.steps[index]
        if step.state != _WAITS:
            end, own = window_of(aligned, track, index).end, step.sides[0]
            told = Evaluation(
                time=end,
                series=track.scope,
                state=state_after(step.after),
                outcome="judged" if step.state in _JUDGED else "not_known",
                value=None if own is None else own.value,
                statistic=None if own is None else own.effect,
                limit=None if own is None or own.effect is None else _limit(aligned, own),
                usual=None if own is None else own.usual,
            )
            yield Dated(parse_own_time(end), track.scope, index, told)


def _limit(aligned: Aligned, own: Judged) -> float | None:
    """What the effect of the rule's own KPI was held against."""
    match aligned:
        case Conflict():
            return limit_of(aligned.own, own)
        case Reconcile():
            return aligned.condition.tolerance
        case Course():
            return -own.scale if aligned.condition.higher_is_better else own.scale
    return None


def _of_moments(condition: Composite, story: Story, edges: Iterable[Edge]) -> Iterator[Dated]:
    fold = unfolded(story.carried)
    for time, _ in moments(condition, fold, edges):
        on = any(told.begin <= time and (told.end is None or time < told.end) for told in story.said)
        told = Evaluation(
            time=format_time(time),
            series=story.scope,
            state="firing" if on else "inactive",
            statistic=float(_there(condition, fold, time)),
            limit=float(needed(condition)),
        )
        yield Dated(time, story.scope, time, told)


def _there(condition: Composite, fold: Fold, time: Micros) -> int:
    """How many of the rules it asks for fire; of a sequence how many have come in order and time."""
    if condition.op != "sequence":
        firing = {edge.rule for edge in fold.firing.values()}
        return sum(rule in firing for rule in condition.rules)
    if fold.matched:
        return len(condition.rules)
    runs = enumerate(fold.chain, 1)
    return max((step for step, run in runs if run and time - run[0].time <= condition.within), default=0)


def _of_look(watch: Watch, look: Looked) -> Dated:
    value, statistic, limit, usual = numbers_of(look)
    told = Evaluation(
        time=format_time(look.time),
        series=watch.scope,
        state="firing" if look.on else "inactive",
        outcome="judged" if look.found is not None else "not_known",
        value=value,
        statistic=statistic,
        limit=limit,
        usual=usual,
    )
    return Dated(look.time, watch.scope, look.time, told)
