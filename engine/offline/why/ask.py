"""The question itself: which gate stopped a rule from firing on a series, over what stands at a time."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from engine.evaluate.findings import scope_of
from engine.kernels.layout import RECOVERING
from engine.model.identity import scope_key
from engine.model.time import format_time
from engine.offline.why.gates import Answer, Stop
from engine.offline.why.of_join import OnScope, opened_of, scope_of_rule
from engine.offline.why.of_review import Alert, follow
from engine.offline.why.of_series import STATES, OnSeries
from engine.offline.why.watch import instance_of
from engine.rules.resolved.condition import Composite, JoinedCondition, MissingData
from engine.rules.resolved.governance import GovernanceCondition
from engine.rules.sides import sides

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.offline.why.named import Named
    from engine.offline.why.standing import Standing
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


def declared_stop(rules: RuleSet, name: str, series: Named) -> Stop | None:
    """The first gate that the rule set shuts, whatever was measured."""
    rule = next((rule for rule in rules.rules if rule.id == name), None)
    if rule is None:
        near = get_close_matches(name, [rule.id for rule in rules.rules], n=1)
        hint = f"; there is {near[0]}" if near else ""
        return Stop("no_such_rule", f"There is no rule {name}{hint}.", name, "the id of a rule")
    if rule.mode == "off":
        return Stop("rule_off", f"{name} is off: it is not evaluated.", "mode off", "mode on")
    kpis = _kpis(rule, rules)
    if series.kpi is not None and series.kpi not in kpis:
        listed = " and ".join(kpis)
        return Stop("other_kpi", f"{name} looks at {listed}, not at {series.kpi}.", series.kpi, listed)
    return None


def _kpis(rule: Rule, rules: RuleSet) -> tuple[str, ...]:
    """Those that a rule looks at: of a composite its members'."""
    if isinstance(rule.condition, Composite):
        members = (rules.rule_by_id.get(name) for name in rule.condition.members)
        return tuple(dict.fromkeys(kpi for member in members if member for kpi in _kpis(member, rules)))
    return sides(rule) or (() if rule.kpi is None else (rule.kpi,))


def ask(standing: Standing, name: str, series: Named, asked: Micros) -> Answer:
    """The answer over `standing`; `asked` is the time that the question is about."""
    standing.settle()
    rules = standing.rules
    shut = declared_stop(rules, name, series)
    if shut is not None:
        return _answer(name, series, asked, shut)
    rule = rules.rule_by_id[name]
    if isinstance(rule.condition, JoinedCondition):
        return _of_scope(standing, rule, rule.condition, series, asked)
    return _of_series(standing, rule, series, asked)


def _answer(name: str, series: Named, asked: Micros, stop: Stop) -> Answer:
    return Answer(name, series.key, format_time(asked), *stop[:7], sides=stop.sides)


def _of_series(standing: Standing, rule: Rule, series: Named, asked: Micros) -> Answer:
    place = standing.watch.place(standing.first.state)
    on = OnSeries(standing, rule, series, place, asked)
    stop, review = on.stop(), None
    if place is None or (stop is not None and stop.gate == "no_such_series"):
        return _answer(rule.id, series, asked, stop or Stop("no_such_series", ""))
    if stop is None:
        stop, review = follow(standing, rule, _alert_of_series(on))
    point = on.when(on.trail[-1].point) if on.trail else None
    answer = _answer(rule.id, series, asked, stop)
    return msgspec.structs.replace(
        answer, point=point, state=STATES[on.phase], review=review, open_window=on.open_window()
    )


def _alert_of_series(on: OnSeries) -> Alert:
    standing, rule, series = on.standing, on.rule, on.series
    words, scope = series.words(on.rules), scope_of(on.state, rule, series.key, series.dimensions)
    since = format_time(int(instance_of(on.state, on.place)["since"])) if on.phase == RECOVERING else None
    newest = standing.now if isinstance(rule.condition, MissingData) else on.trail[-1].point.end if on.trail else None
    fresh = newest is not None and format_time(newest) == on.opened
    alert = Alert(scope, on.opened, words, fresh=fresh, recovering=since)
    if rule.storm is not None:
        return _alert_of_storm(standing, rule, series, alert)
    if scope == series.key:
        return alert
    gathered = standing.second.correlator.joined.get((rule.id, scope))
    group = None if gathered is None else gathered.group
    if group is None or group.opened is None or f"{rule.id}|{series.key}" not in group.members:
        return alert._replace(waits=True)
    joined = words if group.opened != on.opened else None
    return alert._replace(opened=group.opened, joined=joined, fresh=fresh)


def _alert_of_storm(standing: Standing, rule: Rule, series: Named, alert: Alert) -> Alert:
    """An alert that waits for the barrier, has a review of its own, or is part of a storm."""
    joined = standing.second.correlator.joined.get((rule.id, str(rule.storm)))
    storm = None if joined is None else joined.storm
    if storm is None or not {alert.opened} & {
        each.event_time for seats in (storm.apart, storm.members) if (each := seats.get(series.key))
    }:
        return alert._replace(waits=True)
    if series.key not in storm.members:
        return alert
    return alert._replace(scope=storm.scope, storm=len(storm.members))


def _of_scope(standing: Standing, rule: Rule, condition: JoinedCondition, series: Named, asked: Micros) -> Answer:
    dimensions = {name: series.dimensions[name] for name in scope_of_rule(rule) if name in series.dimensions}
    scope = scope_key(dimensions)
    on = OnScope(standing, rule, scope, dimensions)
    point = review = None
    opened = None if on.joined is None else opened_of(on.joined)
    if isinstance(condition, Composite):
        stop = on.composite_stop(condition)
    elif isinstance(condition, GovernanceCondition):
        stop, point = on.governance_stop(), on.governance_point()
    else:
        stop, point = on.aligned_stop(), on.aligned_point()
    if stop is None and opened is not None:
        words = on.words.removeprefix(" of ") or "all series"
        stop, review = follow(standing, rule, Alert(scope, opened, words, fresh=_is_fresh(on, opened)))
    state = "inactive" if opened is None else "firing"
    answer = _answer(rule.id, series, asked, stop or Stop(None, ""))
    return msgspec.structs.replace(answer, point=point, state=state, review=review)


def _is_fresh(on: OnScope, opened: str) -> bool:
    """A conflict that began with the newest window; a composite whose review opened at the last tick."""
    if on.track is not None and on.track.steps:
        after = on.track.steps[max(on.track.steps)].after
        return after is not None and after.windows == 1
    reviews = on.standing.second.book.of((on.rule.id, on.scope))
    now = on.standing.now
    return bool(reviews) and now is not None and reviews[-1].first == opened and reviews[-1].opened == format_time(now)
