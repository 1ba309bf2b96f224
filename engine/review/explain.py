"""One plain sentence for each condition kind: what happened, against what, when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.finding import Finding, RawPoint, Silence, WindowPoint
from engine.model.time import DAY, HOUR, MINUTE, SECOND, Micros, format_time, parse_own_time
from engine.model.trigger import CadenceEvidence, ConflictEvidence, GroupEvidence, PrecisionEvidence
from engine.review.explain_anomaly import band_words
from engine.review.explain_control import control_words
from engine.review.explain_trend import trend_words
from engine.review.numbers import number, percent
from engine.rules.resolved.condition import (
    Anomaly,
    Cadence,
    Change,
    Composite,
    MissingData,
    Precision,
    Threshold,
    TrendBreak,
)
from engine.rules.resolved.control import ControlChart

if TYPE_CHECKING:
    from engine.model.finding import Episode
    from engine.model.judgement import Judgement
    from engine.model.trigger import Happening, SideEvidence
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.timing import Due, Window
    from engine.rules.ruleset import RuleSet


def explain_finding(finding: Finding, happening: Happening, rules: RuleSet, close: str) -> str:
    """The sentence for a review of one series."""
    rule = rules.rule_by_id[finding.rule]
    if finding.status == "withdrawn":
        return f"{_subject(finding, rules)}: {_taken_back(finding)} ({finding.cause})."
    told = _happened(finding, rule, rules)
    if happening == "resolved" or finding.transition == "resolved":
        waits = " An answer is awaited." if close == "on_answer" else ""
        return f"{told}{_episode(finding, rule, rules)}.{waits}"
    return f"{told}."


def _taken_back(finding: Finding) -> str:
    return "the alert never was" if finding.transition == "firing" else "it had not recovered"


def _happened(finding: Finding, rule: Rule, rules: RuleSet) -> str:
    when = _when(finding, rule, rules)
    was = f"was {number(finding.value)} {when}"
    match rule.condition:
        case Threshold() as condition:
            told = f"{was}, {_recovered(condition) if finding.transition == 'resolved' else _breached(condition)}"
        case Change() as condition:
            told = f"{was}, {_change(finding, condition)}"
        case TrendBreak():
            told = _break(finding, when, rule, rules)
        case Anomaly():
            told = f"{was}{_band(finding, rule, rules)}"
        case ControlChart():
            told = f"{was}{_chart(finding, rule, rules)}"
        case MissingData():
            told = _silence(finding)
        case _:
            return f"{rule.title}: {_subject(finding, rules)} {was}"
    return f"{_subject(finding, rules)} {told}"


def _breached(condition: Threshold) -> str:
    if condition.op in ("above", "below"):
        return f"{condition.op} {number(condition.high if condition.op == 'above' else condition.low)}"
    return f"{condition.op} {number(condition.low)} to {number(condition.high)}"


def _recovered(condition: Threshold) -> str:
    at = "" if condition.recover_at is None else f", past the {number(condition.recover_at)} that it recovers at"
    if condition.op == "outside":
        return f"within {number(condition.low)} to {number(condition.high)}{at}"
    return f"not {_breached(condition)}{at}"


def _change(finding: Finding, condition: Change) -> str:
    evidence = finding.evidence
    usual = f"the median {number(evidence.baseline)} of the {condition.count} {_REFERENCES[condition.reference]} before"
    if evidence.statistic is None:
        return f"against {usual}"
    size = percent(abs(evidence.statistic)) if condition.relative else number(abs(evidence.statistic))
    return f"{size} {'above' if evidence.statistic >= 0 else 'below'} {usual}"


def _break(finding: Finding, when: str, rule: Rule, rules: RuleSet) -> str:
    trend = finding.evidence.trend
    if trend is None:
        return f"begins to be learned anew {when}"
    return trend_words(trend, _begun(trend.onset, rule, rules), when)


def _band(finding: Finding, rule: Rule, rules: RuleSet) -> str:
    anomaly = finding.evidence.anomaly
    if not anomaly or not anomaly.points:
        return ", and begins to be learned anew"
    return f", {band_words(anomaly, finding.episode, _begun(anomaly.began, rule, rules))}"


def _chart(finding: Finding, rule: Rule, rules: RuleSet) -> str:
    chart = finding.evidence.control
    if not chart:
        return ""
    begun = None if chart.onset is None else _begun(chart.onset, rule, rules)
    return f", {control_words(finding.evidence, chart, begun, fired=finding.transition == 'firing')}"


def _begun(start: str, rule: Rule, rules: RuleSet) -> str:
    """The window that begins at `start`, in few words."""
    if rule.window.zone is None:
        return start
    return local_date(parse_own_time(start), rule.window.zone, rules)


_REFERENCES = {"windows": "windows", "days": "days", "weekdays": "same weekdays"}


def _silence(finding: Finding) -> str:
    point = finding.evidence.point
    if not isinstance(point, Silence):
        return f"is measured again as of {finding.event_time}"
    seen = "has never been measured" if point.last_seen is None else f"was last measured at {point.last_seen}"
    return f"{seen} and was silent at {point.tick_time}"


def _subject(finding: Finding, rules: RuleSet) -> str:
    kpi = rules.kpi_by_id.get(finding.kpi)
    return f"{finding.kpi if kpi is None else kpi.title}{_of(finding.dimensions)}"


def _of(dimensions: dict[str, str]) -> str:
    listed = ", ".join(f"{name} {value}" for name, value in sorted(dimensions.items()))
    return f" of {{{listed}}}" if listed else ""


def _when(finding: Finding, rule: Rule, rules: RuleSet) -> str:
    point = finding.evidence.point
    if isinstance(point, WindowPoint):
        return window_named(point.window.start, point.window.end, rule.window, rules)
    if isinstance(point, RawPoint):
        return f"at {point.time}"
    return f"at {finding.event_time}"


def _episode(finding: Finding, rule: Rule, rules: RuleSet) -> str:
    episode = finding.episode
    if episode is None or isinstance(rule.condition, TrendBreak | Anomaly):  # which tells of its time itself
        return ""
    return f"; before, it had been for {_points(episode, rule, rules)}, at worst {number(episode.worst)}"


def _points(episode: Episode, rule: Rule, rules: RuleSet) -> str:
    unit = "measurement" if rule.points == "raw" else "day" if rule.window.zone else "window"
    count = f"{episode.points} {unit}{'' if episode.points == 1 else 's'}"
    first, last = _moment(episode.first, rule, rules), _moment(episode.last, rule, rules)
    return f"{count} ({first})" if first == last else f"{count} from {first} to {last}"


def _moment(time: str, rule: Rule, rules: RuleSet) -> str:
    """Episodes name windows by their ends: a calendar day is the one that ends there."""
    if rule.window.zone is None or rule.points == "raw":
        return time
    return local_date(parse_own_time(time) - 1, rule.window.zone, rules)


def explain_judgement(judgement: Judgement, happening: Happening, rules: RuleSet) -> str:
    """The sentence for a joined or grouped review."""
    rule = rules.rule_by_id[judgement.rule]
    evidence = judgement.evidence
    if isinstance(rule.condition, Cadence | Precision) and judgement.turn == "ended":
        return f"{rule.title}: answered."
    if isinstance(evidence, CadenceEvidence):
        return f"{rule.title}: the last was answered at {evidence.since}, the next was due at {evidence.due}."
    if isinstance(evidence, PrecisionEvidence):
        return f"{rule.title}: {_precision(evidence)}."
    if judgement.turn == "withdrawn" or evidence is None:
        return f"{rule.title}{_of(_scope(judgement.scope))}: the alert never was ({judgement.cause})."
    if isinstance(evidence, ConflictEvidence):
        return _conflict(judgement, evidence, rule, rules)
    return _group(judgement, evidence, rule, happening) if isinstance(evidence, GroupEvidence) else f"{rule.title}."


def _precision(evidence: PrecisionEvidence) -> str:
    real, count = evidence.verdicts.get("real", 0), sum(evidence.verdicts.values())
    rest = ", ".join(
        f"{number} {name.replace('_', ' ')}" for name, number in sorted(evidence.verdicts.items()) if name != "real"
    )
    span = f"{percent(evidence.low)} to {percent(evidence.high)}"
    return f"{real} of {count} reviews were about something real ({span} at 95 % confidence); the others: {rest}"


def _scope(scope: str) -> dict[str, str]:
    start = scope.find("{")
    try:
        return msgspec.json.decode(scope[max(start, 0) :], type=dict[str, str])
    except msgspec.MsgspecError:
        return {}


def _conflict(judgement: Judgement, evidence: ConflictEvidence, rule: Rule, rules: RuleSet) -> str:
    scope = _scope(judgement.scope)
    own, *others = evidence.sides
    worse = [side for side in others if side.verdict == "worsened"]
    span = window_named(evidence.window.start, evidence.window.end, rule.window, rules, over=True)
    if evidence.verdict == "conflict":
        costs = _and([_side(side, rules) for side in worse])
        return f"{_side(own, rules, _of(scope))} while {costs}, {span}."
    title = f"{rule.title}{_of(scope)}"
    if evidence.verdict == "inconclusive":
        silent = _and([_title(side.kpi, rules) for side in evidence.sides if side.value is None])
        return f"{title}: cannot be judged {span}{f', nothing came of {silent}' if silent else ''}."
    lasted = judgement.episode
    ended = "" if lasted is None else f" after {lasted.points} window{'' if lasted.points == 1 else 's'}"
    return f"{title}: no longer so {span}{ended}; {_side(own, rules)}."


def _side(side: SideEvidence, rules: RuleSet, of: str = "") -> str:
    name = f"{_title(side.kpi, rules)}{of}" + (f" per {_title(side.per, rules)}" if side.per else "")
    if side.value is None:
        return f"{name} is not known"
    if side.usual is None or side.effect is None:
        limit = (
            ""
            if side.limit is None
            else f" ({'above' if side.value > side.limit else 'not above'} {number(side.limit)})"
        )
        return f"{name} came to {number(side.value)}{limit}"
    if side.effect == 0:
        return f"{name} stayed at the usual {number(side.usual)}"
    where = "above" if side.effect > 0 else "below"
    held = f"({number(side.value)} against {number(side.usual)})"
    return f"{name} went {percent(abs(side.effect))} {where} the usual level {held}"


def _title(kpi: str | None, rules: RuleSet) -> str:
    known = None if kpi is None else rules.kpi_by_id.get(kpi)
    return str(kpi) if known is None else known.title


def _group(judgement: Judgement, evidence: GroupEvidence, rule: Rule, happening: Happening) -> str:
    count, when = evidence.count, judgement.event_time
    if isinstance(rule.condition, MissingData):
        source = judgement.scope.rpartition("source:")[2]
        if happening == "resolved" or judgement.turn == "ended":
            return f"{rule.title}: every series of source {source} is measured again as of {when}."
        after = duration(rule.condition.after)
        return f"{rule.title}: {count} series of source {source} silent for more than {after} as of {when}."
    title = f"{rule.title}{_of(_scope(judgement.scope))}"
    if not isinstance(rule.condition, Composite):
        if judgement.turn == "ended":
            return f"{title}: over as of {when}."
        return f"{title}: {count} series as of {when}."
    rules_on = _and(sorted({member.rule for member in evidence.listed}))
    if judgement.turn == "ended":
        return f"{title}: ended at {when}; still on: {rules_on or 'none'}."
    return f"{title}: {rules_on} on {count} series as of {when}."


def _and(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def due_words(due: Due) -> str:
    """`2 days`, `4 hours of working time`, `2 working days`."""
    if due.days:
        return f"{due.days} working day{'' if due.days == 1 else 's'} of the calendar {due.calendar}"
    return duration(due.micros) + ("" if due.calendar is None else f" of working time in the calendar {due.calendar}")


def duration(time: Micros) -> str:
    """`2 days`, `90 s`: in the largest unit that divides it."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if time % size == 0 and time:
            return f"{time // size} {name}{'' if time == size else 's'}"
    return f"{time / SECOND:g} s"


def window_named(start: str, end: str, window: Window, rules: RuleSet, *, over: bool = False) -> str:
    """`on 2013-02-08` for a calendar day, `over the 7 days to 2024-06-30` for several, else start and end in UTC."""
    if window.zone is None:
        return f"over {start} to {end}" if over else f"from {start} to {end}"
    first = local_date(parse_own_time(start), window.zone, rules)
    last = local_date(parse_own_time(end) - 1, window.zone, rules)
    if first == last:
        return f"on {first}"
    days = round((parse_own_time(end) - parse_own_time(start)) / DAY)
    return f"over the {days} days to {last}"


def local_date(time: Micros, zone: str, rules: RuleSet) -> str:
    """The calendar date of a time in a zone of the rule set."""
    return format_time(time + offset_at(time, zone, rules))[:10]


def offset_at(time: Micros, zone: str, rules: RuleSet) -> Micros:
    """How far local time is ahead of UTC."""
    offset = 0
    for transition in rules.zones.get(zone, ()):
        if transition.start > time:
            break
        offset = transition.offset
    return offset
