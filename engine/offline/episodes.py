"""What rules said in the end, amendments and withdrawals taken in: where each fired, from when to when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.finding import Finding
from engine.model.identity import scope_key
from engine.model.time import Micros, parse_own_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger, TriggerData, TurnName
from engine.review.explain import explain_finding
from engine.review.trigger import dimensions_of
from engine.rules.resolved.condition import JoinedCondition
from engine.wire.encode import decode_finding_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engine.offline.replay import Replayed
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output

Place = tuple[str, str]
"""A rule, and a scope: `scope_key` of the dimensions of a series, or of those that joined KPIs share."""


class Episode(NamedTuple):
    """A stretch of firing in event time; `to` null: until the end. `says` is the sentence that it opens with."""

    begin: Micros
    to: Micros | None
    says: str


def episodes(replayed: Replayed) -> dict[Place, list[Episode]]:
    """Every stretch during which a rule was firing, by place, in order of time.

    Rules on single series are told by their findings, whatever their mode. A joined rule is told by its triggers: it
    must be `on`, and while one of its reviews is flapping nothing is told. One with maintenance is told by its reviews,
    which must close `on_recovery` for an end to be seen.
    """
    found: dict[Place, list[Episode]] = {}
    sets, triggers = replayed.rule_sets, [*triggers_of(replayed.outputs)]
    for place, episode in (
        *_single(replayed.findings, sets),
        *_joined(triggers, sets),
        *_maintained(triggers, sets),
    ):
        found.setdefault(place, []).append(episode)
    return {place: sorted(each, key=lambda episode: episode.begin) for place, each in sorted(found.items())}


def triggers_of(outputs: Iterable[Output]) -> Iterator[ReviewTrigger]:
    """Everything that was told, in order."""
    for output in outputs:
        if output.topic == TRIGGERS:
            yield msgspec.json.decode(output.record.value or b"", type=ReviewTrigger)


def _single(outputs: Iterable[Output], sets: Mapping[str, RuleSet]) -> Iterator[tuple[Place, Episode]]:
    standing: dict[str, Finding] = {}
    for output in outputs:
        record = decode_finding_record(output.record.value)
        if isinstance(record, Finding) and not _rule_of(record, sets).maintenance:
            standing.pop(record.replaces or "", None)
            if record.status != "withdrawn":
                standing[record.id] = record
    ends = {
        _alert(each): parse_own_time(each.event_time) for each in standing.values() if each.transition == "resolved"
    }
    for finding in standing.values():
        if finding.transition == "firing":
            begin = parse_own_time(finding.event_time)
            rule_set = sets[finding.evidence.rule_set]
            says = explain_finding(finding, "opened", rule_set, awaits_answer=False)
            yield (finding.rule, scope_key(finding.dimensions)), Episode(begin, ends.get(_alert(finding)), says)


def _rule_of(finding: Finding, sets: Mapping[str, RuleSet]) -> Rule:
    return sets[finding.evidence.rule_set].rule_by_id[finding.rule]


def _alert(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, finding.series, finding.opened_event_time


def _joined(triggers: Iterable[ReviewTrigger], sets: Mapping[str, RuleSet]) -> Iterator[tuple[Place, Episode]]:
    """By the turns of their alerts, whatever people make of the reviews."""
    alerts: dict[tuple[Place, str], Episode] = {}
    for trigger in triggers:
        data = trigger.data
        rule = sets[data.rule_set].rule_by_id[data.rule]
        is_told = isinstance(rule.condition, JoinedCondition) and not rule.maintenance
        if is_told and isinstance(data.moved_by, TurnName):
            _turn(alerts, data, data.moved_by)
    for (place, _), episode in alerts.items():
        yield place, episode


def _turn(alerts: dict[tuple[Place, str], Episode], data: TriggerData, name: TurnName) -> None:
    key, time = ((data.rule, data.scope), name.opened), parse_own_time(data.event_time)
    match name.turn:
        case "began":
            alerts[key] = Episode(time, None, data.explanation)
        case "ended" if key in alerts:
            alerts[key] = alerts[key]._replace(to=time)
        case "resumed" if key in alerts:
            alerts[key] = alerts[key]._replace(to=None)
        case "withdrawn":
            alerts.pop(key, None)


def _maintained(triggers: Iterable[ReviewTrigger], sets: Mapping[str, RuleSet]) -> Iterator[tuple[Place, Episode]]:
    """By the reviews of rules with maintenance: what was over before its end was never told."""
    lives: dict[str, list[ReviewTrigger]] = {}
    for trigger in triggers:
        if sets[trigger.data.rule_set].rule_by_id[trigger.data.rule].maintenance:
            lives.setdefault(trigger.data.review, []).append(trigger)
    for life in lives.values():
        opening, newest = life[0].data, life[-1]
        if ".withdrawn." in newest.type:
            continue
        over = [parse_own_time(each.data.event_time) for each in life if ".resolved." in each.type]
        ended = over[-1] if over and newest.data.state == "resolved" else None
        scope, rule = opening.scope, sets[opening.rule_set].rule_by_id[opening.rule]
        if not isinstance(rule.condition, JoinedCondition):
            scope = scope_key(dimensions_of(scope))
        yield (opening.rule, scope), Episode(parse_own_time(opening.event_time), ended, opening.explanation)
