"""Whether a moment lies in a rule's maintenance, and when that is over.

Recurrence is containment here: integers on the zones that the rule set carries. (python-dateutil's rrule lists
local times without saying which instants they are, and would read zone data where the centre must not.)
"""

from __future__ import annotations

from calendar import monthrange
from typing import TYPE_CHECKING, NamedTuple

from engine.model.time import DAY, Micros
from engine.rules.due import DUE_WITHIN, date_of, day_number, local_offset, transitions_passed, working_from
from engine.rules.resolved.condition import Composite, MissingData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rules.resolved.maintenance import Dates, Maintenance
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet

_WEEK = 7


class Planned(NamedTuple):
    """A stretch of maintenance, joined with those that go on from it: it ends at `end`; the `reason` of the first."""

    end: Micros
    reason: str


def planned(rule: Rule, event_time: Micros, rules: RuleSet) -> Planned | None:
    """The maintenance of the rule that what is said at `event_time` falls into; None where it falls into none.

    A window falls into what goes on in its last instant, a raw point into what goes on at its time. Silence falls into
    what goes on when it is noticed, or else went on when it began.
    """
    if not rule.maintenance:
        return None
    if isinstance(rule.condition, MissingData):
        noticed = covering(rule.maintenance, event_time, rules)
        return noticed or covering(rule.maintenance, event_time - rule.condition.after, rules)
    return covering(rule.maintenance, event_time - (rule.points != "raw"), rules)


def covering(every: Sequence[Maintenance], moment: Micros, rules: RuleSet) -> Planned | None:
    """What goes on at `moment`, until no maintenance follows without a gap (400 days at most)."""
    end, reason = moment, ""
    while end - moment < DUE_WITHIN:
        following = next(((each, to) for each in every if (to := _end_of(each, end, rules)) is not None), None)
        if following is None:
            break
        reason = reason or following[0].reason
        end = following[1]
    return Planned(end, reason) if reason else None


def settle(rule: Rule, rules: RuleSet) -> Micros:
    """How long after maintenance the rule needs to see that all is well again: a window and its closing, or what it
    waits for in silence, and as long as it goes on firing.
    """
    if isinstance(rule.condition, Composite):
        return max((settle(rules.rule_by_id[name], rules) for name in rule.condition.members), default=0)
    if isinstance(rule.condition, MissingData):
        return rule.condition.after
    points = 1 if rule.at_least is None else rule.at_least[1] - rule.at_least[0] + 1
    step = 0 if rule.points == "raw" else rule.window.step
    return points * step + rule.idle + rule.keep_firing_for


def _end_of(each: Maintenance, moment: Micros, rules: RuleSet) -> Micros | None:
    """When what goes on at `moment` is over or the clock is changed, whichever is first; None where nothing goes on."""
    zone = rules.zones.get(each.zone, ())
    local = moment + local_offset(moment, zone)
    if each.calendar is not None:
        return _outside(each, moment, local // DAY, rules)
    for day in (local // DAY, local // DAY - 1):
        left = day * DAY + each.end - local
        if 0 < left <= each.end - each.begin and _is_meant(each, day):
            following = zone[transitions_passed(moment, zone) :][:1]
            return min((moment + left, *(transition.start for transition in following)))
    return None


def _outside(each: Maintenance, moment: Micros, day: int, rules: RuleSet) -> Micros | None:
    if each.calendar is None or not _between(each, day):
        return None
    begins = working_from(each.calendar, moment, rules)
    return begins if begins > moment else None


def _is_meant(each: Maintenance, day: int) -> bool:
    return _between(each, day) and any(_is_one_of(dates, day) for dates in each.dates)


def _between(each: Maintenance, day: int) -> bool:
    since = each.since is None or day_number(each.since) <= day
    return since and (each.until is None or day <= day_number(each.until))


def _is_one_of(dates: Dates, day: int) -> bool:
    if dates.on is not None:
        return day == day_number(dates.on)
    there = date_of(day)
    left = monthrange(there.year, there.month)[1] - there.day
    if not dates.weekdays:
        return there.day == dates.nth or (dates.nth < 0 and left == 0)
    if there.weekday() not in dates.weekdays:
        return False
    return dates.nth in (0, (there.day - 1) // _WEEK + 1) or (dates.nth < 0 and left < _WEEK)
