"""A random world for `advance`: series that fire, clear, get worse and are restated, people who ask for all sorts of
things, and a clock; with what must hold of the reviews after each of them.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from review_life import one_rule
from stage2_world import T0, day, finding

from engine.model.audit import CommandEntry
from engine.model.limits import Limits
from engine.model.records import ReviewCommand
from engine.model.time import HOUR, Micros, format_time, parse_own_time
from engine.review.advance import Advance, Surroundings
from engine.review.lifecycle import ENDED, OPEN, transitions
from engine.review.review import Book
from engine.review.telling import Telling
from engine.rules.resolved.maintenance import Dates, Maintenance
from engine.rules.resolved.rule import Step
from engine.rules.resolved.timing import Due, Window

if TYPE_CHECKING:
    from engine.model.finding import Finding
    from engine.review.advance import Said
    from engine.review.review import Review

RULES = {
    close: one_rule(
        close,
        due_in=Due(9 * HOUR),
        escalate_after=Due(5 * HOUR),
        reopen_within=3 * HOUR,
        renotify=Step(0.2, relative=True),
    )
    for close in ("on_answer", "on_recovery")
}
HALF_DAYS = Maintenance("Planned", "UTC", (Dates(tuple(range(7))),), 6 * HOUR, 18 * HOUR)
RULES |= {
    f"{close} in maintenance": msgspec.structs.replace(
        rules,
        rules=tuple(
            msgspec.structs.replace(rule, maintenance=(HALF_DAYS,), window=Window(HOUR, HOUR), idle=HOUR)
            for rule in rules.rules
        ),
    )
    for close, rules in RULES.items()
}  # fmt: skip
LEGAL = {(state, made.state, made.happening) for state, _, made in transitions()}
ACTIONS = ("acknowledge", "assign", "comment", "snooze", "resolve")


class RandomLife:
    """`series` of them; each step is one finding, command or tick. Raises AssertionError where something is wrong."""

    def __init__(self, seed: int, series: int, close: str) -> None:
        self.random = Random(seed)
        self.rules = RULES[close]
        self.names = [f"s{number}" for number in range(series)]
        self.now: Micros = T0
        self.advance = Advance(Book(10**6))
        self.firing: dict[str, Finding] = {}
        """The firing finding of each series that is active, as stage 1 would have it."""
        self.cleared: dict[str, tuple[Finding, Finding]] = {}
        """What fired and cleared last, where neither was taken back."""
        self.before: dict[str, tuple[Finding, Finding]] = {}
        """What fired and cleared right before the alert of a series that is active."""
        self.coming: dict[str, list[Finding]] = {}
        """What stage 1 says next of a series: late data has joined two of its alerts, or taken the earlier one away."""
        self.states: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.number = 0
        self.templates = {name: finding("firing", 0, rules=self.rules, c=name) for name in self.names}

    def step(self) -> list[Said]:
        """One thing happens."""
        self.number += 1
        chosen = self.random.random()
        if chosen < 0.3:
            return self.tick()
        return self.command() if chosen < 0.55 else self.find()

    def around(self) -> Surroundings:
        return Surroundings({self.rules.hash: self.rules}, Limits(), {0: self.now})

    def tick(self) -> list[Said]:
        self.now += self.random.choice([1, 10, 30, 60]) * 60_000_000
        said = self.advance.tick(0, self.now, self.around())
        self.hear(said)
        return said

    def find(self) -> list[Said]:
        name = self.random.choice(self.names)
        if self.coming.get(name):
            made: Finding | None = self.coming[name].pop(0)
        else:
            made = self.active(name) if name in self.firing else self.inactive(name)
        if made is None:
            return []
        said = self.advance.finding(made, 0, self.around())
        self.hear(said)
        self.counts[f"{made.transition} {made.status}"] += 1
        self.check_series(name)
        return said

    def make(self, name: str, transition: str, **fields: Any) -> Finding:
        time = format_time(self.now)
        values = {"id": f"f{self.number}", "event_time": time, "opened_event_time": time, "tick_time": time}
        return msgspec.structs.replace(self.templates[name], transition=transition, **{**values, **fields})

    def active(self, name: str) -> Finding:
        fired = self.firing[name]
        opened = fired.opened_event_time
        chosen = self.random.random()
        if name in self.before and chosen < 0.15:
            return self.restated(name)
        if chosen < 0.6:
            made = self.make(name, "resolved", opened_event_time=opened)
            self.cleared[name] = (fired, made)
            self.before.pop(name, None)
            del self.firing[name]
        elif chosen < 0.75:
            made = self.make(name, "worsened", opened_event_time=opened)
        elif chosen < 0.9:
            made = self.make(
                name, "firing", event_time=opened, opened_event_time=opened, status="amended", revision=self.number,
                replaces=fired.id, cause="late measurement",
            )  # fmt: skip
            self.firing[name] = made
        else:
            made = self.taken_back(fired)
            self.before.pop(name, None)
            del self.firing[name]
        return made

    def restated(self, name: str) -> Finding:
        """Late data: the pause between two alerts never was, or the earlier of the two."""
        earlier, cleared = self.before.pop(name)
        if self.random.random() < 0.5:
            self.coming[name] = [self.taken_back(self.firing[name])]
            self.firing[name] = earlier
            return self.taken_back(cleared)
        self.coming[name] = [self.taken_back(cleared)]
        return self.taken_back(earlier)

    def inactive(self, name: str) -> Finding | None:
        known = self.cleared.pop(name, None)
        if known is None or self.random.random() < 0.8:
            self.firing[name] = self.make(name, "firing")
            if known is not None:
                self.before[name] = known
            return self.firing[name]
        fired, cleared = known
        self.firing[name] = fired
        return self.taken_back(cleared)

    def taken_back(self, told: Finding) -> Finding:
        return msgspec.structs.replace(
            told, id=f"w{self.number}-{told.id}", status="withdrawn", revision=self.number, replaces=told.id,
            cause="late measurement", tick_time=format_time(self.now),
        )  # fmt: skip

    def command(self) -> list[Said]:
        review = self.any_review()
        action = self.random.choice(ACTIONS)
        fields: dict[str, Any] = {
            "assign": {"to": self.random.choice(["bob", "cy", ""])},
            "comment": {"comment": self.random.choice(["Hm.", ""])},
            "snooze": {"until": format_time(self.now + self.random.choice([-1, 1, 5, 900]) * HOUR)},
            "resolve": {"verdict": self.random.choice([None, "real", "false_alarm"])},
        }.get(action, {})
        if self.random.random() < 0.1:
            fields["seen"] = self.random.randrange(5)
        name = "nobody" if review is None else review.id
        before = msgspec.msgpack.encode(review)
        said = self.advance.command(
            ReviewCommand(id=f"c{self.number}", review=name, action=action, who="ann", time=day(0), **fields),
            self.around(),
        )
        [entry] = [each for each in said if isinstance(each, CommandEntry)]
        self.counts[f"{action} {entry.outcome}"] += 1
        if entry.outcome == "refused":
            assert len(said) == 1
            assert msgspec.msgpack.encode(review) == before, entry
        self.hear(said)
        return said

    def any_review(self) -> Review | None:
        held = self.advance.book.of(("high", f'traffic{{"c":"{self.random.choice(self.names)}"}}'))
        return self.random.choice(held) if held else None

    def hear(self, said: list[Said]) -> None:
        """Every trigger is a legal transition from the one before it in its review."""
        for telling in said:
            if not isinstance(telling, Telling):
                continue
            data, happening = telling.trigger.data, telling.trigger.type.split(".")[2]
            before = self.states.get(data.review)
            assert (happening == "opened") == (before is None) == (data.ordinal == 1)
            assert before is None or (before, data.state, happening) in LEGAL, (before, data.state, happening)
            self.states[data.review] = data.state
            self.counts[happening] += 1

    def check_series(self, name: str) -> None:
        """An active finding is in exactly one review that has not ended, and nothing else is said to be on."""
        if self.coming.get(name):
            return  # the restatement is told in two findings: between them both alerts stand
        reviews = self.advance.book.of(("high", f'traffic{{"c":"{name}"}}'))
        on = [review for review in reviews if review.alert == "on"]
        assert len(on) == (name in self.firing), (name, reviews)
        assert all(review.state in OPEN for review in on)
        assert all(review.state in (*OPEN, *ENDED) for review in reviews)

    def check(self) -> None:
        """All that must hold of all reviews at any time, right after a tick."""
        open_count = 0
        for review in self.advance.book.every():
            open_count += review.is_open
            owed = review.state in ("open", "acknowledged", "in_review") and review.verdict is None
            assert not (owed and review.due is not None and parse_own_time(review.due) <= self.now), review
            if review.untold is not None:
                assert review.ordinal == 0
                assert review.untold.waits == review.is_open
                assert not review.is_open or parse_own_time(review.untold.until) > self.now, review
            if review.state == "snoozed":
                assert parse_own_time(str(review.snoozed_until)) > self.now, review
        assert open_count == self.advance.book.open_count
        for name in self.names:
            self.check_series(name)
