"""Drives one review through its life: findings, commands and ticks in, the exact list of what is told out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from stage2_world import T0, World, day, finding, rule, rule_set, short, spec, tick_time

from engine.model.audit import CommandEntry
from engine.model.records import Answered, Progress, ReviewCommand
from engine.model.time import DAY, HOUR, format_time
from engine.model.trigger import ReviewTrigger
from engine.rules.resolved.catalogue import Objective
from engine.rules.resolved.condition import Threshold
from engine.rules.resolved.timing import Due

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

ABOVE = Threshold("above", None, 10.0, None)
GROWTH = Objective("growth", "Growth", "traffic-owner", sponsor="chief", board="board")


def one_rule(close: str = "on_answer", **fields: Any) -> RuleSet:
    """`high` on traffic, due after a day; `fields` are the review's. Escalated to a sponsor and the board."""
    values: dict[str, Any] = {"due_in": Due(DAY), "escalate_after": Due(DAY), **fields}
    rules = rule_set(rule("high", "traffic", ABOVE, review=spec(close, **values)))
    return msgspec.structs.replace(rules, objectives=(GROWTH,))


class Life:
    """A world with one series. `say` gives what was told since the last call."""

    def __init__(self, rules: RuleSet, **context: Any) -> None:
        self.rules = rules
        self.world = World(rules, **context)
        self.number = 0
        self.review = ""

    def fires(self, at: int, hour: int = 0, **fields: Any) -> Life:
        return self.finds("firing", at, hour, None, **fields)

    def clears(self, at: int, opened: int, hour: int = 0, **fields: Any) -> Life:
        return self.finds("resolved", at, hour, opened, **fields)

    def finds(self, transition: str, at: int, hour: int, opened: int | None, **fields: Any) -> Life:
        time = format_time(T0 + at * DAY + hour * HOUR)
        by_id, tick = fields.pop("by_id", None), fields.pop("tick", time)
        began = fields.pop("began", None) or (time if opened is None else day(opened))
        made = finding(transition, at, opened, rules=self.rules, event_time=time, opened_event_time=began, **fields)
        identifier = f"{transition}-{time}-{made.status}"
        self.world.write(msgspec.structs.replace(made, id=identifier, tick_time=tick, replaces=by_id), 0)
        return self

    def ticks(self, hours: int) -> Life:
        """Time has come to so many hours after the beginning."""
        self.world.write(Progress(0, hours, tick_time(hours)), 0)
        return self

    def does(self, action: str, **fields: Any) -> Life:
        self.number += 1
        values = {"who": "ann", "time": day(0), "id": f"c{self.number}", "review": self.review, **fields}
        self.world.write(ReviewCommand(action=action, **values))
        return self

    def say(self) -> list[str]:
        """What was told, and what commands were refused for."""
        return [told for told, _ in self.heard()]

    def heard(self) -> list[tuple[str, Any]]:
        before = len(self.world.outputs)
        self.world.run()
        return [each for output in self.world.outputs[before:] for each in self._one(output)]

    def _one(self, output: Any) -> list[tuple[str, Any]]:
        value = output.record.value
        if output.topic in ("review-triggers", "shadow-triggers"):
            trigger = msgspec.json.decode(value, type=ReviewTrigger)
            self.review = self.review or trigger.data.review
            return [(short(trigger), trigger)]
        if output.topic == "audit":
            entry = msgspec.json.decode(value, type=CommandEntry)
            return [] if entry.outcome == "accepted" else [(entry.reason or entry.outcome, entry)]
        answered = msgspec.json.decode(value, type=Answered)
        return [(f"counted for {answered.about}", answered)]

    def newest(self) -> ReviewTrigger:
        """The last trigger that was told."""
        values = [each.record.value for each in self.world.outputs if each.topic == "review-triggers"]
        return msgspec.json.decode(values[-1], type=ReviewTrigger)
