"""The gates after a rule has fired: barrier, review, mode, and what holds notifications back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.trigger import FindingName, TurnName
from engine.notify.happenings import OPENINGS, happening_of
from engine.offline.why.gates import Gate, Stop
from engine.review.spans import duration

if TYPE_CHECKING:
    from engine.notify.notification import Held, Why
    from engine.offline.why.standing import Standing
    from engine.review.review import Review
    from engine.rules.resolved.rule import Rule

_HELD: dict[Why, Gate] = {
    "historical": "historical",
    "silenced": "silenced",
    "inhibited": "inhibited",
    "bundled": "budget_spent",
}


class Alert(NamedTuple):
    """An alert that is on: in which scope reviews know it, and since when; `words` names what it is about.

    `joined`: a member came to it that the review was not opened for. `waits`: it stands before a barrier. `fresh`: it
    began with the newest thing that was judged. `recovering`: since when its condition no longer holds. `storm`: of
    how many series, where it is part of one.
    """

    scope: str
    opened: str
    words: str
    joined: str | None = None
    waits: bool = False
    fresh: bool = False
    recovering: str | None = None
    storm: int | None = None


class Followed(NamedTuple):
    """The gate, and the review that the alert is in."""

    stop: Stop
    review: str | None


def follow(standing: Standing, rule: Rule, alert: Alert) -> Followed:
    """What became of an alert that is on."""
    review = review_of(standing, rule, alert)
    if alert.waits or (review is None and not _refused(standing)):
        told = f"{rule.id} fires for {alert.words} since {alert.opened}, and waits for the next barrier."
        return Followed(Stop("barrier", told, "a barrier", "the same tick of every partition", alert.opened), None)
    if review is None:
        most = standing.context.limits.reviews_open_max
        told = f"{rule.id} fires for {alert.words} since {alert.opened}, but as many reviews are open as may be."
        return Followed(Stop("reviews_limit", told, f"{most} open", "fewer", alert.opened), None)
    return Followed(_of_review(standing, rule, alert, review), review.id)


def review_of(standing: Standing, rule: Rule, alert: Alert) -> Review | None:
    """The review that has the alert, else the newest whose alert is on."""
    reviews = standing.second.book.of((rule.id, alert.scope))
    named = [review for review in reviews if any(each.opened == alert.opened for each in review.alerts)]
    on = [review for review in reviews if review.alert == "on"]
    return next(iter([*reversed(named), *reversed(on)]), None)


def _refused(standing: Standing) -> int:
    return standing.second.counters.get(("refused", "too_many_reviews"), 0)


def _of_review(standing: Standing, rule: Rule, alert: Alert, review: Review) -> Stop:
    begun = f"{rule.id} fires for {alert.words} since {alert.opened}"
    quiet = _unheard(alert, review, begun) or _taken_in(standing, rule, alert, review, begun)
    if quiet is not None:
        return quiet
    held = next((held for held in standing.gate.holding if held.review == review.id), None)
    if held is not None:
        return _held(standing, rule, alert, held, begun)
    if review.is_open and review.id not in standing.gate.told:
        told = f"{begun}; its notification waits for {_inhibitors(rule)}, which may be on the way."
        return Stop("settling", told, "waiting", "30 seconds of ticks", alert.opened)
    if alert.fresh:
        return Stop(None, f"It did fire: {review.about}", since=alert.opened)
    return _goes_on(rule, alert, begun)


def _unheard(alert: Alert, review: Review, begun: str) -> Stop | None:
    """Nobody is to know of the review, or not yet."""
    if review.silent:
        told = f"{begun}, in shadow: it is counted, and nobody is told."
        return Stop("shadow", told, "mode shadow", "mode on", alert.opened)
    if review.untold is None:
        return None
    reason, until = review.untold.reason, review.untold.until
    told = f"{begun}, in maintenance ({reason}): it is told if it is still on at {until}."
    return Stop("maintenance", told, reason, f"on at {until}", alert.opened)


def _taken_in(standing: Standing, rule: Rule, alert: Alert, review: Review, begun: str) -> Stop | None:
    """The alert has opened nothing: a storm, or a review of before, has taken it in."""
    if alert.storm is not None:
        told = f"{begun}, as more series do than its limit lets through: it is in the storm's review {review.id}."
        needed = f"at most {rule.limit:,} at once"
        return Stop("limit", told, f"a storm of {alert.storm:,}", needed, alert.opened, alert.storm, rule.limit or None)
    if alert.joined is not None:
        told = f"{alert.joined} is a member of the review of {review.first}: one review for all of {alert.words}."
        return Stop("review_goes_on", told, "a review of before", "none in this group", alert.opened)
    own = [trigger for trigger in standing.told if trigger.data.review == review.id]
    spoken = {happening_of(trigger) for trigger in own if _is_of(trigger.data.moved_by, alert.opened)}
    if review.flapping and not spoken & {*OPENINGS, "flapping"}:
        calm = duration(rule.review.reopen_within)
        told = f"{begun}, but it comes and goes: its review is flapping, and only calm for {calm} ends that."
        return Stop("flapping", told, "flapping", f"calm for {calm}", alert.opened)
    if "alert_resumed" in spoken:
        told = f"{begun}, and was taken into the review of {review.first}, which waits for its answer."
        return Stop("review_goes_on", told, "a review of before", "its answer", alert.opened)
    return None


def _is_of(moved_by: object, opened: str) -> bool:
    if isinstance(moved_by, FindingName):
        return moved_by.transition == "firing" and moved_by.opened_event_time == opened
    return isinstance(moved_by, TurnName) and moved_by.turn == "began" and moved_by.opened == opened


def _held(standing: Standing, rule: Rule, alert: Alert, held: Held, begun: str) -> Stop:
    gate = _HELD[held.why]
    match held.why:
        case "historical":
            limit = standing.context.notify_within if rule.notify_within is None else rule.notify_within
            needed = "a newer event time" if limit is None else f"an event time within {duration(limit)} of the tick"
            told = f"{begun}, too long ago to be told as new: its review opened as historical."
            return Stop(gate, told, f"event time {alert.opened}", needed, alert.opened)
        case "silenced":
            silence = standing.silences.get(held.by)
            by = "" if silence is None else f" by {silence.author} ({silence.reason}) until {silence.until}"
            return Stop(
                gate, f"{begun}, and a silence{by} holds it back.", f"silence {held.by}", "no silence", alert.opened
            )
        case "inhibited":
            told = f"{begun}, and the open review {held.by} keeps it quiet."
            return Stop(gate, told, f"review {held.by}", "that review's end", alert.opened)
        case _:
            told = f"{begun}; the week's noise budget of its owner is spent: it stands in the digest of its day."
            return Stop(gate, told, "budget spent", "a notification left, or severity critical", alert.opened)


def _inhibitors(rule: Rule) -> str:
    return " or ".join(rule.inhibited_by) or "an inhibitor"


def _goes_on(rule: Rule, alert: Alert, begun: str) -> Stop:
    if alert.recovering is None:
        told = f"{begun}: an alert goes on, and does not fire again."
        return Stop("already_firing", told, "firing", "a recovery before", alert.opened)
    keep = duration(rule.keep_firing_for)
    told = (
        f"{begun}: its condition has not held since {alert.recovering}, and it ends when that has been so for {keep}."
    )
    return Stop("already_firing", told, "recovering", "a recovery before", alert.opened)
