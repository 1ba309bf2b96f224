"""A gate on a stage: triggers, silences and times by a few words, and what comes of them as short lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.audit import Silence
from engine.model.time import format_time
from engine.model.trigger import ReviewTrigger, TriggerData, event_type
from engine.notify.gate import Gate
from engine.notify.matchers import parse_matcher
from engine.rules.resolved.catalogue import Owner
from engine.rules.resolved.condition import Threshold
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Due, Window
from engine.rules.ruleset import RuleSet
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from engine.notify.notification import Notification, Outcome

DAY = "2026-03-02"  # a Monday
ENDED = {"resolved": "resolved", "withdrawn": "withdrawn"}


def rule(name: str, *inhibited_by: str) -> Rule:
    window = Window(60_000_000, 60_000_000)
    return Rule(
        id=name,
        title=f"About {name}",
        kpi=None,
        where={},
        condition=Threshold("above", None, 1.0, None),
        points="window",
        window=window,
        lateness=0,
        idle=0,
        for_=0,
        keep_firing_for=0,
        severity="warning",
        mode="on",
        owner="ops",
        review=ReviewSpec(Due(), (), None, None, "on_recovery"),
        known_gaps=(),
        declared={},
        fingerprint=name,
        inhibited_by=inhibited_by,
    )


RULES = RuleSet(
    owners=(Owner("ops", "Operations", None, noise_budget=3), Owner("sales", "Sales", None)),
    objectives=(),
    kpis=(),
    rules=(rule("down"), rule("late", "down"), rule("other"), rule("ping", "pong"), rule("pong", "ping")),
    sources=(),
    zones={},
)


def at(clock: str) -> str:
    """`10:05` on the first day, `+1 10:05` on the next."""
    days, _, rest = clock.rpartition(" ")
    clock = rest if rest.count(":") == 2 else f"{rest}:00"
    return format_time(parse_time(f"{DAY}T{clock}Z") + int(days or 0) * 86_400_000_000)


def trigger(
    review: str, ordinal: int, happening: str, clock: str, *, origin: str = "EWR", **given: object
) -> ReviewTrigger:
    """The rule is the review's name without digits: `late1` is of the rule `late`."""
    data = TriggerData(
        review=review,
        ordinal=ordinal,
        rule=review.rstrip("0123456789"),
        title="Title",
        severity="warning",
        scope="s",
        kpi=None,
        owner="sales",
        participants=(),
        objective=None,
        opened=f"{DAY}T{ordinal:02d}:00:00Z",
        due=None,
        question=None,
        runbook=None,
        explanation=f"{review} {happening}.",
        event_time=at(clock),
        evidence=None,
        episode=None,
        historical=False,
        cause=None,
        rule_set="rules",
        state=ENDED.get(happening, "open"),  # type: ignore[arg-type]
        alert="over" if happening in {"resolved", "withdrawn", "alert_ended"} else "on",
        dimensions={"origin": origin},
        about=f"{review} is bad.",
    )
    data = msgspec.structs.replace(data, **given)
    kind = event_type(happening)  # type: ignore[arg-type]
    return ReviewTrigger("1.0", f"{review}-{ordinal}", "/c", kind, "s", at(clock), "application/json", data)


def silence(name: str, where: str, start: str, until: str, ended_by: str | None = None) -> Silence:
    matchers = tuple(parse_matcher(each) for each in where.split())
    return Silence(name, matchers, "ann", "works", at(start), at(until), ended_by)


def new_gate() -> Gate:
    return Gate(lambda name: RULES if name == "rules" else None)


Step = ReviewTrigger | Silence | str


def step(gate: Gate, given: Step) -> Outcome:
    """A trigger, a silence, or a time of day."""
    match given:
        case ReviewTrigger():
            return gate.take(given)
        case Silence():
            return gate.silence(given)
        case _:
            return gate.tick(parse_time(at(given)))


def lines(outcome: Outcome) -> list[str]:
    """What came of a step, a line each."""
    held = [f"held {each.trigger} {each.why}{each.by and ' ' + each.by}" for each in outcome.held]
    entries = [f"{each.happening} {each.silence.id}" for each in outcome.entries]
    return [*map(_line, outcome.notifications), *held, *entries]


def _line(notification: Notification) -> str:
    if notification.kind == "trigger":
        return f"tell {notification.id}"
    return " | ".join((notification.kind, notification.sentence, *notification.lines))


def play(*steps: Step) -> list[str]:
    """All that came of the steps, in order."""
    gate = new_gate()
    return [line for each in steps for line in lines(step(gate, each))]
