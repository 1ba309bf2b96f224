"""The part of a rule set that a rule's verdicts and sentences rest on: a small rule set, fit for a trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.model.identity import digest_of
from engine.model.time import DAY
from engine.rules.due import DUE_WITHIN, day_number
from engine.rules.resolved.condition import Composite
from engine.rules.resolved.governance import UnprovenMilestone
from engine.rules.ruleset import RuleSet
from engine.rules.sides import sides

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Initiative, Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.timing import Calendar, ZoneTransition

_MARGIN = 2 * DAY


class Excerpt(NamedTuple):
    """An excerpt as a trigger tells it, its digest, and which dimensions of its KPIs are sensitive."""

    told: dict[str, Any]
    digest: str
    sensitive: tuple[str, ...]


def excerpt_told(rules: RuleSet, rule: Rule, stretch: Callable[[], tuple[Micros, Micros]]) -> Excerpt:
    """What `excerpt_of` makes for a stretch of time; once a rule, where nothing of it depends on the time."""
    if rules.zones or _calendars(rule):
        return _told(excerpt_of(rules, rule, *stretch()))
    if rule.id not in rules.excerpts:
        rules.excerpts[rule.id] = _told(excerpt_of(rules, rule, *stretch()))
    return rules.excerpts[rule.id]


def _told(excerpt: RuleSet) -> Excerpt:
    sensitive = tuple(sorted({name for each in excerpt.kpis for name in each.sensitive}))
    told = msgspec.to_builtins(excerpt)
    return Excerpt(told, digest_of(told), sensitive)


def excerpt_of(rules: RuleSet, rule: Rule, since: Micros, until: Micros) -> RuleSet:
    """The rule with the KPIs that it looks at, and the objectives that say whom it goes to when nobody answers; of a
    composite also its members, with theirs; of unproven milestones the initiatives. One of the engine's own rules
    stands among the rules here.

    Time zones are cut to what is in force from `since` to `until` and two days about. Where the rule's due times follow
    a calendar, it is there too, with its holidays and its zone until 400 days after `until`: `since` is then not after
    the moment that a due time counts from, and `until` not before it. What tells nothing of a verdict is left out:
    owners, sources, and which series a KPI is declared to have and when it is reviewed.
    """
    involved = {each.id: each for each in (rule, *_members(rules, rule))}
    named = {kpi for each in involved.values() for kpi in (each.kpi, *sides(each)) if kpi is not None}
    names = {*named, *rules.measured(named)}
    kpis = tuple(msgspec.structs.replace(kpi, series=(), review=None) for kpi in rules.kpis if kpi.id in names)
    since, until, due_until = since - _MARGIN, until + _MARGIN, until + DUE_WITHIN
    calendars = tuple(_cut(each, since, due_until) for each in rules.calendars if each.id in _calendars(rule))
    ends = dict.fromkeys(_zones(kpis, involved.values()), until) | {each.zone: due_until for each in calendars}
    return RuleSet(
        owners=(),
        objectives=tuple(each for each in rules.objectives if each.id in {kpi.objective for kpi in kpis}),
        kpis=kpis,
        rules=tuple(involved[name] for name in sorted(involved)),
        sources=(),
        zones={zone: _in_force(rules.zones[zone], since, end) for zone, end in sorted(ends.items())},
        calendars=calendars,
        initiatives=_initiatives(rules, rule),
    )


def _initiatives(rules: RuleSet, rule: Rule) -> tuple[Initiative, ...]:
    """Those with milestones that the rule's KPI proves, and of them these."""
    if not isinstance(rule.condition, UnprovenMilestone):
        return ()
    cut = [
        msgspec.structs.replace(each, milestones=tuple(it for it in each.milestones if it.kpi == rule.kpi))
        for each in rules.initiatives
    ]
    return tuple(each for each in cut if each.milestones)


def _calendars(rule: Rule) -> set[str]:
    dues = (rule.review.due_in, rule.review.escalate_after)
    return {due.calendar for due in dues if due is not None and due.calendar is not None}


def _cut(calendar: Calendar, since: Micros, until: Micros) -> Calendar:
    """With the holidays of that stretch, wherever on Earth it is."""
    first, last = since // DAY - 1, until // DAY + 1
    holidays = tuple(holiday for holiday in calendar.holidays if first <= day_number(holiday) <= last)
    return msgspec.structs.replace(calendar, holidays=holidays)


def _members(rules: RuleSet, rule: Rule) -> list[Rule]:
    condition = rule.condition
    if not isinstance(condition, Composite):
        return []
    return [rules.rule_by_id[name] for name in condition.members if name in rules.rule_by_id]


def _zones(kpis: Iterable[Kpi], rules: Iterable[Rule]) -> set[str]:
    windows = [*(kpi.window for kpi in kpis), *(rule.window for rule in rules)]
    return {window.zone for window in windows if window.zone is not None}


def _in_force(transitions: tuple[ZoneTransition, ...], since: Micros, until: Micros) -> tuple[ZoneTransition, ...]:
    """The last one before `since`, and those up to `until`."""
    before = sum(transition.start <= since for transition in transitions)
    return tuple(each for each in transitions[max(before - 1, 0) :] if each.start <= until) or transitions[:1]
