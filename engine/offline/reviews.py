"""Review triggers gathered into reviews: what became of each obligation, in words for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from engine.model.finding import Evidence, WindowPoint
from engine.model.records import ReviewCommand
from engine.model.time import DAY, HOUR, MINUTE, Micros, format_time, parse_own_time
from engine.model.trigger import ClockName, ConflictEvidence, OffTrackEvidence, ReconciliationEvidence, TriggerData

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.model.records import WindowBounds
    from engine.model.trigger import ReviewTrigger

_NEARLY_A_DAY = 20 * HOUR


class ReviewStory(NamedTuple):
    """One review from its opening to the last that was heard of it.

    `joined` are participants that came with an update, with the window that brought them. `last` is when it ended or,
    while it is open, null. `points` are the windows or measurements that breached, as far as was heard. `life` is what
    people and the clock made of it, a line each.
    """

    opening: TriggerData
    when: str
    where: str
    joined: tuple[tuple[str, tuple[str, ...]], ...]
    last: str | None
    withdrawn: bool
    points: int
    triggers: int
    life: tuple[str, ...] = ()


def stories(triggers: Iterable[ReviewTrigger]) -> list[ReviewStory]:
    """One story a review, in order of event time, then rule and place. Repeats of a trigger count once."""
    by_review: dict[str, dict[int, ReviewTrigger]] = {}
    for trigger in triggers:
        by_review.setdefault(trigger.data.review, {})[trigger.data.ordinal] = trigger
    told = [_story([held[ordinal] for ordinal in sorted(held)]) for held in by_review.values()]
    return sorted(told, key=lambda story: (parse_own_time(story.opening.event_time), story.opening.rule, story.where))


def _story(triggers: list[ReviewTrigger]) -> ReviewStory:
    opening, newest = triggers[0].data, triggers[-1]
    known, joined = set(opening.participants), []
    for trigger in triggers[1:]:
        new = tuple(name for name in trigger.data.participants if name not in known)
        if new:
            known.update(new)
            joined.append((moment(trigger.data), new))
    ended = newest.type.rsplit(".", 2)[-2] in ("resolved", "withdrawn")
    return ReviewStory(
        opening=opening,
        when=moment(opening),
        where=place(opening.scope),
        joined=tuple(joined),
        last=moment(newest.data) if ended else None,
        withdrawn=".withdrawn." in newest.type,
        points=max((trigger.data.episode.points for trigger in triggers if trigger.data.episode), default=1),
        triggers=len(triggers),
        life=tuple(line for trigger in triggers for line in _life(trigger)),
    )


def _life(trigger: ReviewTrigger) -> Iterator[str]:
    """What somebody did, or the clock; not what the alert did by itself."""
    data, happening = trigger.data, trigger.type.rsplit(".", 2)[-2]
    day = trigger.time[:10]
    match data.moved_by:
        case ReviewCommand():
            yield f"{day} {data.explanation[0].lower()}{data.explanation[1:]}"
        case ClockName() if happening == "escalated":
            yield f"{day} escalated to {', '.join(data.notify)}"
        case ClockName() if happening != "alert_ended":
            yield f"{day} {happening}"
        case _ if happening in ("flapping", "renotified", "reopened"):
            yield f"{day} {happening}"


def moment(data: TriggerData) -> str:
    """What a trigger is about, in time: the day of a daily window, otherwise its event time to the minute."""
    bounds = _window(data)
    if bounds is None:
        return to_minute(data.event_time)
    start, end = parse_own_time(bounds.start), parse_own_time(bounds.end)
    if end - start < _NEARLY_A_DAY:
        return to_minute(data.event_time)
    # The trigger does not name the zone; at the noon before the window's end it is the same date there and in UTC,
    # up to twelve hours from Greenwich.
    return format_time(end - DAY // 2)[:10]


def _window(data: TriggerData) -> WindowBounds | None:
    evidence = data.evidence
    if isinstance(evidence, ConflictEvidence | ReconciliationEvidence | OffTrackEvidence):
        return evidence.window
    if isinstance(evidence, Evidence) and isinstance(evidence.point, WindowPoint):
        return evidence.point.window
    return None


def to_minute(time: str) -> str:
    """`2013-02-09T05:00:00Z` as `2013-02-09 05:00`."""
    micros: Micros = parse_own_time(time)
    return format_time(micros - micros % MINUTE)[:16].replace("T", " ")


def place(scope: str) -> str:
    """The dimension values of a series key or scope: `origin EWR`; the scope itself where it has none."""
    start = scope.find("{")
    if start < 0:
        return scope
    dimensions: dict[str, str] = json.loads(scope[start:])
    return ", ".join(f"{name} {value}" for name, value in dimensions.items()) or "everywhere"
