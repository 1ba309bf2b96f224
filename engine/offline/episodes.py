"""What rules said in the end, amendments and withdrawals taken in: where each fired, from when to when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.finding import Finding
from engine.model.identity import scope_key
from engine.model.time import Micros, parse_own_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.review.explain import explain_finding
from engine.review.trigger import dimensions_of
from engine.rules.resolved.condition import JoinedCondition
from engine.wire.encode import decode_finding_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.offline.replay import Replayed
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output

Place = tuple[str, str]
"""A rule, and a scope: `scope_key` of the dimensions of a series, or of those that joined KPIs share."""


class Episode(NamedTuple):
    """A stretch of firing in event time; `to` null: until the end. `says` is the sentence that it opens with."""

    begin: Micros
    to: Micros | None
    says: str


def episodes(replayed: Replayed, rule_set: RuleSet) -> dict[Place, list[Episode]]:
    """Every stretch during which a rule was firing, by place, in order of time.

    Rules on single series are told by their findings, whatever their mode. A joined rule, and one with maintenance, is
    told by its reviews: it must be `on`, and close `on_recovery` for an end to be seen.
    """
    found: dict[Place, list[Episode]] = {}
    for place, episode in (*_single(replayed.findings, rule_set), *_joined(replayed.outputs, rule_set)):
        found.setdefault(place, []).append(episode)
    return {place: sorted(each, key=lambda episode: episode.begin) for place, each in sorted(found.items())}


def _single(outputs: Iterable[Output], rule_set: RuleSet) -> Iterator[tuple[Place, Episode]]:
    standing: dict[str, Finding] = {}
    for output in outputs:
        record = decode_finding_record(output.record.value)
        if isinstance(record, Finding) and not rule_set.rule_by_id[record.rule].maintenance:
            standing.pop(record.replaces or "", None)
            if record.status != "withdrawn":
                standing[record.id] = record
    ends = {
        _alert(each): parse_own_time(each.event_time) for each in standing.values() if each.transition == "resolved"
    }
    for finding in standing.values():
        if finding.transition == "firing":
            begin = parse_own_time(finding.event_time)
            close = rule_set.rule_by_id[finding.rule].review.close
            says = explain_finding(finding, "opened", rule_set, close)
            yield (finding.rule, scope_key(finding.dimensions)), Episode(begin, ends.get(_alert(finding)), says)


def _alert(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, finding.series, finding.opened_event_time


def _joined(outputs: Iterable[Output], rule_set: RuleSet) -> Iterator[tuple[Place, Episode]]:
    lives: dict[str, list[ReviewTrigger]] = {}
    for output in outputs:
        if output.topic == TRIGGERS:
            trigger = msgspec.json.decode(output.record.value or b"", type=ReviewTrigger)
            rule = rule_set.rule_by_id[trigger.data.rule]
            if isinstance(rule.condition, JoinedCondition) or rule.maintenance:
                lives.setdefault(trigger.data.review, []).append(trigger)
    for life in lives.values():
        opening, newest = life[0].data, life[-1]
        if ".withdrawn." in newest.type:
            continue
        ended = parse_own_time(newest.data.event_time) if ".resolved." in newest.type else None
        scope = opening.scope
        if not isinstance(rule_set.rule_by_id[opening.rule].condition, JoinedCondition):
            scope = scope_key(dimensions_of(scope))
        yield (opening.rule, scope), Episode(parse_own_time(opening.event_time), ended, opening.explanation)
