"""What is kept of a run while it goes on: a line for each review, and when each rule was firing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.time import Micros, parse_own_time
from engine.model.topics import FINDINGS, SHADOW_TRIGGERS, TRIGGERS
from engine.rules.resolved.condition import Composite, OverWindows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output


class Stretch(NamedTuple):
    """From when to when a rule was firing on a series, or for a joined rule, a scope; null: to the end."""

    where: str
    begin: Micros
    end: Micros | None


_OVER = ("resolved", "alert_ended")
_ON = ("opened", "reopened", "alert_resumed")


class ReviewLine(msgspec.Struct):
    """A review as it stands in the end. `since`: the event time that it opened with; `ended`: when its alert was over
    (null: it never was). `shadow`: nobody would have been told.
    """

    review: str
    rule: str
    scope: str
    since: str
    severity: str
    owner: str
    explanation: str
    shadow: bool
    ended: str | None = None
    resolved: bool = False
    withdrawn: bool = False
    triggers: int = 0

    @property
    def identity(self) -> tuple[str, str, str]:
        """What a review's id is made of: rule, scope, and the event time that it opened with."""
        return self.rule, self.scope, self.since


class _TriggerData(msgspec.Struct):
    review: str
    rule: str
    scope: str
    severity: str
    owner: str
    explanation: str
    event_time: str
    first_event_time: str


class _Trigger(msgspec.Struct):
    type: str
    data: _TriggerData


class _Finding(msgspec.Struct, tag_field="type", tag="finding"):
    """Of a finding what says when its rule fired."""

    id: str
    rule: str
    series: str
    transition: str
    status: str
    event_time: str
    opened_event_time: str
    replaces: str | None = None

    @property
    def alert(self) -> tuple[str, str, str]:
        """The episode that it belongs to."""
        return self.rule, self.series, self.opened_event_time


_read_trigger = msgspec.json.Decoder(_Trigger).decode
_read_finding = msgspec.json.Decoder(_Finding).decode
_FINDING = b'{"type":"finding",'
"""How a finding begins; other records stand on the same topic."""


class Tally:
    """Takes the records that the stages write; amendments and withdrawals are taken in."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.reviews: dict[str, ReviewLine] = {}
        self._standing: dict[str, _Finding] = {}
        self._joined = {rule.id for rule in rule_set.rules if isinstance(rule.condition, OverWindows | Composite)}

    def take(self, outputs: Iterable[Output]) -> None:
        """Records of findings and triggers; others are passed over."""
        for output in outputs:
            if output.topic in (TRIGGERS, SHADOW_TRIGGERS):
                self._trigger(_read_trigger(output.record.value or b""), shadow=output.topic == SHADOW_TRIGGERS)
            elif output.topic == FINDINGS and (output.record.value or b"").startswith(_FINDING):
                self._finding(_read_finding(output.record.value or b""))

    def _trigger(self, trigger: _Trigger, *, shadow: bool) -> None:
        data, happening = trigger.data, trigger.type.rsplit(".", 2)[-2]
        line = self.reviews.get(data.review)
        if line is None:
            line = self.reviews[data.review] = ReviewLine(
                data.review,
                data.rule,
                data.scope,
                data.first_event_time,
                data.severity,
                data.owner,
                data.explanation,
                shadow,
            )
        line.triggers += 1
        line.severity = data.severity
        if happening in _OVER:
            line.ended = line.ended if happening == "resolved" and line.ended else data.event_time
        elif happening in _ON:
            line.ended = None
        line.resolved = happening == "resolved" or (line.resolved and happening not in _ON)
        line.withdrawn = happening == "withdrawn" or (line.withdrawn and happening not in _ON)

    def _finding(self, finding: _Finding) -> None:
        if finding.replaces is not None:
            self._standing.pop(finding.replaces, None)
        if finding.status != "withdrawn" and finding.transition != "worsened":
            self._standing[finding.id] = finding

    def firing(self) -> dict[str, list[Stretch]]:
        """By rule, each stretch of event time during which it was firing."""
        found: dict[str, list[Stretch]] = defaultdict(list)
        ends = {each.alert: each.event_time for each in self._standing.values() if each.transition == "resolved"}
        for each in self._standing.values():
            if each.transition == "firing":
                found[each.rule].append(_stretch(each.series, each.event_time, ends.get(each.alert)))
        for line in self.reviews.values():
            if line.rule in self._joined and not line.withdrawn:
                found[line.rule].append(_stretch(line.scope, line.since, line.ended))
        return found


def _stretch(where: str, begin: str, end: str | None) -> Stretch:
    return Stretch(where, parse_own_time(begin), None if end is None else parse_own_time(end))
