"""What people do in the demo: a script of commands, made from a replay of the same history beforehand.

The stages are deterministic: the reviews that the replay opens are those that the worker will open, by the same ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.records import ReviewCommand
from engine.model.time import DAY, HOUR, Micros, format_time, parse_own_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.offline.replay import replay
from engine.review.people import escalation_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.model.measurement import Measurement
    from engine.model.trigger import TriggerData
    from engine.rules.ruleset import RuleSet


class Cue(NamedTuple):
    """A command, the key that it is sent with, and the time that the history must have come to."""

    at: Micros
    key: str
    command: ReviewCommand


def script_for(rule_set: RuleSet, timed: Iterable[tuple[Micros, Measurement]], every: Micros) -> list[Cue]:
    """The cues for a history, in order of time. `every` is the tick of the replay that will be played."""
    outputs = replay(rule_set, timed, every=every).outputs
    values = [each.record.value or b"" for each in outputs if each.topic == TRIGGERS]
    told = [msgspec.json.decode(value, type=ReviewTrigger) for value in values]
    opened = sorted((each.data for each in told if each.data.ordinal == 1), key=lambda data: (data.opened, data.rule))
    worst = next((data for data in opened if data.severity == "critical"), None)
    others = [data for data in opened if data is not worst]
    cues = [cue for data in others for cue in _in_time(data)]
    if worst is not None:
        cues += _late(worst, _sponsor(worst, rule_set))
    return sorted(cues, key=lambda cue: (cue.at, cue.command.id))


def _sponsor(data: TriggerData, rule_set: RuleSet) -> str:
    """Whom an overdue review of this goes to first."""
    chain = escalation_of(rule_set.rule_by_id[data.rule], rule_set)
    return chain[0] if chain else data.owner


def _late(data: TriggerData, sponsor: str) -> Iterator[Cue]:
    """Seen on the next day, and then left lying: it falls due and climbs, until somebody takes it up and answers."""
    due = parse_own_time(data.due or data.opened)
    yield _cue(data, 1, parse_own_time(data.opened) + DAY, "acknowledge", data.owner)
    to = data.participants[0] if data.participants else data.owner
    yield _cue(data, 2, due + 2 * DAY + 12 * HOUR, "assign", sponsor, to=to)
    answer = "The new visitors came for an offer that we do not have; the campaign is stopped."
    yield _cue(data, 3, due + 3 * DAY + 12 * HOUR, "resolve", to, verdict="real", answer=answer)


def _in_time(data: TriggerData) -> Iterator[Cue]:
    """Acknowledged, and answered before it is due."""
    opened = parse_own_time(data.opened)
    yield _cue(data, 1, opened + 6 * HOUR, "acknowledge", data.owner)
    yield _cue(data, 2, opened + 18 * HOUR, "resolve", data.owner, verdict="real", answer="It belongs to the same.")


def _cue(data: TriggerData, number: int, at: Micros, action: str, who: str, **fields: str) -> Cue:
    values = {
        "type": "command",
        "id": f"demo-{data.review}-{number}",
        "review": data.review,
        "action": action,
        "who": who,
        "time": format_time(at),
        **fields,
    }
    return Cue(at, data.command_key, msgspec.convert(values, ReviewCommand))
