"""One plain sentence for each condition on single series: what happened, against what, when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.finding import Finding, RawPoint, Silence, WindowPoint
from engine.model.time import parse_own_time
from engine.review.explain_anomaly import band_words
from engine.review.explain_control import control_words
from engine.review.explain_trend import trend_words
from engine.review.numbers import number, percent
from engine.review.spans import local_date, window_named
from engine.rules.resolved.condition import (
    Anomaly,
    Change,
    MissingData,
    Threshold,
    TrendBreak,
)
from engine.rules.resolved.control import ControlChart
from engine.rules.versions import NEW_VERSION

if TYPE_CHECKING:
    from engine.model.finding import Episode
    from engine.model.trigger import Happening
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


def explain_finding(finding: Finding, happening: Happening, rules: RuleSet, *, awaits_answer: bool) -> str:
    """The sentence for a review of one series; `awaits_answer`: that is owed even when its alert is over."""
    rule = rules.rule_by_id[finding.rule]
    if finding.status == "withdrawn":
        return f"{_subject(finding, rules)}: {_taken_back(finding)} ({finding.cause})."
    told = _happened(finding, rule, rules)
    if happening == "resolved" or finding.transition == "resolved":
        waits = " An answer is awaited." if awaits_answer else ""
        return f"{told}{_episode(finding, rule, rules)}.{waits}"
    return f"{told}."


def _taken_back(finding: Finding) -> str:
    if finding.cause == NEW_VERSION:
        return "the alert is withdrawn"
    return "the alert never was" if finding.transition == "firing" else "it had not recovered"


def _happened(finding: Finding, rule: Rule, rules: RuleSet) -> str:
    if isinstance(finding.evidence.point, Silence) and not isinstance(rule.condition, MissingData):
        return f"{_subject(finding, rules)} {_silence(finding)}, which ends the alert (`no_data: ok`)"
    when = _when(finding, rule, rules)
    was = f"was {number(finding.value)} {when}"
    match rule.condition:
        case Threshold() if rule.at_least is not None:
            told = was
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
    return f"{_subject(finding, rules)} {told}{_how_often(finding, rule)}"


def _how_often(finding: Finding, rule: Rule) -> str:
    """Of a rule that waits for several points, how many are meant: the present one need not be among them."""
    if rule.at_least is None:
        return ""
    m, of = rule.at_least
    unit = "measurements" if rule.points == "raw" else "windows"
    few = "fewer than" if finding.transition == "resolved" else "at least"
    return f"; {few} {m} of the last {of} {unit} were {_held(rule)}"


def _held(rule: Rule) -> str:
    match rule.condition:
        case Threshold() as condition:
            return _breached(condition)
        case TrendBreak():
            return "in a lasting break"
        case Anomaly():
            return "unusual"
        case ControlChart():
            return "out of control"
        case _:
            return "past the limit"


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
    return f", {control_words(finding.evidence, chart, begun)}"


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
    return f"{finding.kpi if kpi is None else kpi.title}{of_dimensions(finding.dimensions)}"


def of_dimensions(dimensions: dict[str, str]) -> str:
    """` of {origin EWR}`; nothing where there are none."""
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
