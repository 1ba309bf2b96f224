"""The slow obvious answer to why a rule did not fire: after every row and tick everything is judged from the start.

Windows, points and silence are those of the twin of stage 1; the gates are written out as docs/why-not.md has them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from naive_gates import BOUNDS, Now, side, verdicts
from naive_stage1 import NaiveSeries
from why_world import EVERY, SET, kpi

from engine.model.time import SECOND
from engine.rules.resolved.condition import Composite, CounterpartConflict, MissingData

if TYPE_CHECKING:
    from why_world import Row

    from engine.model.time import Micros
    from engine.rules.resolved.rule import Rule

RULES = {rule.id: rule for rule in SET.rules}
DECLARED = {("load", "a"), ("load", "silent")}


class Series(NaiveSeries):
    """As the twin, but nothing is judged before it is asked."""

    def difference(self) -> list[Any]:
        return []


@dataclass
class Review:
    """What became of the alerts of one rule on one series."""

    over: Micros | None = None
    ended: bool = False
    returns: int = 0
    flapping: bool = False
    calm: Micros | None = None
    told: str | None = None
    """How the last alert was taken: None as its own, else the gate."""


@dataclass
class Group:
    on: bool = False
    opened: Micros = 0
    members: dict[str, Micros] = field(default_factory=dict)


@dataclass
class Storm:
    """Of a rule with `limit: 1`: two that fire at once are one, until none does."""

    rages: bool = False
    apart: dict[str, Micros] = field(default_factory=dict)
    members: dict[str, Micros] = field(default_factory=dict)


class NaiveWhy:
    """Give it rows and ticks in order; `gate` answers of the rule `name` at any moment. `variant` as in `why_world`."""

    def __init__(self, name: str, variant: str) -> None:
        self.name, self.variant = name, variant
        self.series: dict[tuple[str, str], Series] = {}
        self.tick_time: Micros | None = None
        self.newest: Micros | None = None
        self.reviews: dict[tuple[str, str], Review] = {}
        self.was: dict[tuple[str, str], Now] = {}
        self.groups: dict[str, Group] = defaultdict(Group)
        self.storm = Storm()
        self.moves: list[tuple[Micros, str, str, Micros | None]] = []
        self.composites: dict[str, tuple[bool, bool]] = {}
        """By rule and scope: whether it is on, and began to be at the last tick."""
        self.fired_at: dict[tuple[str, str], Micros] = {}
        self.conflict: dict[str, tuple[str | None, bool]] = {}
        for each in sorted(DECLARED):
            self._know(*each)

    def _know(self, name: str, host: str) -> Series:
        rules = [rule for rule in SET.rules if rule.kpi == name and rule.mode != "off"]
        kept = [rule for rule in rules if not isinstance(rule.condition, CounterpartConflict)]
        watched = [rule for rule in kept if not isinstance(rule.condition, MissingData) or (name, host) in DECLARED]
        return self.series.setdefault((name, host), Series(kpi(name), watched))

    # what comes

    def row(self, number: int, row: Row) -> None:
        self._ticks(-(-max(row.time, self.newest or row.time) // EVERY) - 1, first=self.newest is None)
        self.newest = max(row.time, self.newest or row.time)
        known = self._know(row.kpi, row.host)
        if "missing" in known.silent:
            self.moves.append((row.time, "missing", row.host, None))
        known.measure(f"m{number}", row.time, row.value)
        self._note(row.host)

    def until(self, time: Micros) -> None:
        if self.newest is not None:
            self._ticks(time // EVERY)

    def _ticks(self, last: int, *, first: bool = False) -> None:
        begin = last if first else (self.tick_time or 0) // EVERY + 1
        for number in range(begin, last + 1):
            for each in list(self.series.values()):
                each.tick(number * EVERY)
            for host in ("a", "b", "silent"):
                self._note(host)
            self.tick_time = number * EVERY
            self._barrier()

    def now(self, rule: Rule, host: str) -> Now | None:
        known = self.series.get((str(rule.kpi), host))
        return None if known is None else verdicts(rule, known.points(rule))

    def _note(self, host: str) -> None:
        """Alerts of the rules whose reviews remember: each as it begins and ends."""
        for name in {"flaps", "goes-on", "grouped", "limited", "settles"} & {self.name}:
            before, after = self.was.get((name, host), Now()), self.now(RULES[name], host)
            if after is None:
                continue
            self.was[name, host] = after
            if after.state == "firing" and (before.state != "firing" or before.opened != after.opened):
                self._begins(name, host, after.opened)
            elif before.state == "firing" and after.state == "inactive" and after.last is not None:
                self._ends(name, host, after.last.time)

    def _begins(self, name: str, host: str, opened: Micros) -> None:
        self.moves.append((opened, name, host, opened))
        self.fired_at[name, host] = self.tick_time or 0
        spec, review = RULES[name].review, self.reviews.get((name, host))
        soon = review is not None and review.over is not None and 0 <= opened - review.over <= spec.reopen_within
        soon = soon and spec.reopen_within > 0
        if review is None or not (soon or not review.ended):
            self.reviews[name, host] = Review()
            return
        review.returns = review.returns + 1 if soon else 0
        if review.returns >= spec.flap_after and not review.flapping:
            review.flapping, review.told = True, None
        elif review.flapping:
            review.told = "flapping"
        else:
            review.told = None if review.ended else "review_goes_on"
        review.over, review.ended, review.calm = None, False, None

    def _ends(self, name: str, host: str, time: Micros) -> None:
        self.moves.append((time, name, host, None))
        review = self.reviews[name, host]
        review.over = time
        if review.flapping:
            review.calm = (self.tick_time or 0) + RULES[name].review.reopen_within
        elif RULES[name].review.close == "on_recovery":
            review.ended = True

    # what happens at a tick

    def _barrier(self) -> None:
        for (name, _), review in self.reviews.items():
            if review.calm is not None and review.calm <= (self.tick_time or 0):
                review.flapping, review.returns, review.calm = False, 0, None
                review.ended = RULES[name].review.close == "on_recovery"
        self.moves += [
            (at, "missing", host, at)
            for (_, host), each in self.series.items()
            for name, at in each.silent.items()
            if name == "missing" and at == self.tick_time
        ]
        for name in ("grouped", "missing"):
            self._group(name, [move for move in self.moves if move[1] == name])
        self._limit([move for move in self.moves if move[1] == "limited"])
        self.moves = []
        for name, host in (("composite-all", "a"), ("composite-all", "b"), ("composite-any", "")):
            if name != self.name:
                continue
            before = self.composites.get((name, host), (False, False))[0]
            on = self._holds(RULES[name].condition, host)
            self.composites[name, host] = on, on and not before
        for host in ("a", "b") if self.name.startswith("conflict") else ():
            self.conflict[host] = self._conflict(RULES[self.name], host)

    def _group(self, name: str, moves: list[tuple[Micros, str, str, Micros | None]]) -> None:
        group = self.groups[name]
        for time in sorted({move[0] for move in moves}):
            for _, _, host, opened in [move for move in moves if move[0] == time]:
                if opened is None:
                    group.members.pop(host, None)
                else:
                    group.members[host] = opened
            if group.members and not group.on:
                group.opened = min(group.members.values())
            group.on = bool(group.members)

    def _limit(self, moves: list[tuple[Micros, str, str, Micros | None]]) -> None:
        """Who was told of before the storm stays apart; whoever begins with it or in it is a member."""
        storm, told = self.storm, set(self.storm.apart)
        for time in sorted({move[0] for move in moves}):
            for _, _, host, opened in [move for move in moves if move[0] == time]:
                if opened is not None:
                    (storm.members if storm.rages else storm.apart)[host] = opened
                else:
                    storm.members.pop(host, None)
                    storm.apart.pop(host, None)
                    told.discard(host)
            storm.rages = bool(storm.apart or storm.members) and (
                storm.rages or len(storm.apart) + len(storm.members) > 1
            )
            for host in {*storm.apart} - told if storm.rages else ():
                storm.members[host] = storm.apart.pop(host)

    def _holds(self, condition: Composite, host: str) -> bool:
        hosts = [host] if condition.scope else ["a", "b", "silent"]
        states = {name: [self.now(RULES[name], each) for each in hosts] for name in condition.rules}
        firing = [any(now and now.state in ("firing", "recovering") for now in each) for each in states.values()]
        return all(firing) if condition.op == "all" else any(firing)

    def _conflict(self, rule: Rule, host: str) -> tuple[str | None, bool]:
        """(gate, whether it began with the newest window) by the windows that had closed at this tick."""
        sides = []
        for name in ("load", "pay"):
            known = self.series.get((name, host))
            sides.append({} if known is None else {index: value for _, value, index, _ in known.points(rule)})
        windows, gate, warmed, recent = 0, "no_data", 0, list[bool]()
        m, of = rule.at_least or (1, 1)
        for index in sorted(sides[0].keys() | sides[1].keys()):
            own, other = side(sides[0], index), side(sides[1], index)
            wrong = own if own.did != "better" else other
            gate = wrong.unknown or "within_bounds"
            if wrong.did == "flat" and wrong.effect and (wrong.effect < 0) == (wrong is own):
                gate = "minimum_effect"
            if index in sides[0] and warmed < rule.warm_up:
                warmed, gate = warmed + 1, "warm_up"
                continue
            on = own.did == "better" and other.did == "worse"
            if not on and own.did not in ("worse", "flat") and not (own.did == "better" and other.did):
                continue
            recent.append(on)
            held = sum(recent[-of:])
            windows = windows + 1 if held >= m else 0
            if not windows and held:
                gate = "at_least"
        return (None, windows == 1) if windows else (gate, False)

    # the answer

    def gate(self, kpi_name: str, host: str, asked: Micros) -> tuple[str | None, float | None, Micros | None]:  # noqa: PLR0911 (the gates in their order)
        """(gate, the number that is held against a limit, since when); None for what is not to be compared."""
        name, rule = self.name, RULES.get(self.name)
        if rule is None:
            return "no_such_rule", None, None
        if rule.mode == "off":
            return "rule_off", None, None
        if isinstance(rule.condition, Composite):
            if kpi_name != "load":
                return "other_kpi", None, None
            return self._joined(name, host if rule.condition.scope else ""), None, None
        if isinstance(rule.condition, CounterpartConflict):
            gate, fresh = self.conflict.get(host, ("no_data", False))
            return (gate or self._told(rule, host, fresh=fresh)), None, None
        if rule.kpi != kpi_name:
            return "other_kpi", None, None
        known = self.series.get((kpi_name, host))
        if known is None:
            return "no_such_series", None, None
        if any(value != host for value in rule.where.values()):
            return "where", None, None
        if isinstance(rule.condition, MissingData):
            return self._missing(rule, known, host)
        return self._point(rule, known, host, asked)

    def _joined(self, name: str, host: str) -> str | None:
        on, fresh = self.composites.get((name, host), (False, False))
        return self._told(RULES[name], host, fresh=fresh) if on else "member_missing"

    def _missing(self, rule: Rule, known: Series, host: str) -> tuple[str | None, float | None, Micros | None]:
        if host not in ("a", "silent"):
            return "where", None, None
        if rule.id not in known.silent:
            waited = 0 if known.waiting is None else (self.tick_time or 0) - known.waiting
            return "within_bounds", waited / SECOND, known.waiting
        opened = known.silent[rule.id]
        return self._of_group(rule, host, opened, fresh=opened == self.tick_time), None, None

    def _of_group(self, rule: Rule, host: str, opened: Micros, *, fresh: bool) -> str | None:
        group = self.groups[rule.id]
        if group.members.get(host) != opened:
            return "barrier"
        told = self._told(rule, host, fresh=fresh)
        return "review_goes_on" if group.opened != opened and told != "reviews_limit" else told

    def _of_storm(self, rule: Rule, host: str, opened: Micros, *, fresh: bool) -> str | None:
        if opened not in (self.storm.members.get(host), self.storm.apart.get(host)):
            return "barrier"
        told = self._told(rule, host, fresh=fresh)
        return "limit" if host in self.storm.members and told != "reviews_limit" else told

    def _point(  # noqa: PLR0911 (the gates in their order)
        self, rule: Rule, known: Series, host: str, asked: Micros
    ) -> tuple[str | None, float | None, Micros | None]:
        now = verdicts(rule, known.points(rule))
        if now.state in ("firing", "recovering"):
            assert now.last is not None
            fresh = now.opened == now.last.time
            if rule.group_by is not None:
                return self._of_group(rule, host, now.opened, fresh=fresh), None, None
            if rule.id == "limited":
                return self._of_storm(rule, host, now.opened, fresh=fresh), None, now.opened
            return self._told(rule, host, fresh=fresh), None, now.opened
        if known.newest is None:
            return "no_data", None, None
        if now.last is None:
            return "window_open", None, None
        step = rule.window.step
        if rule.points == "window" and asked >= (known.newest // step + 2) * step + rule.lateness:
            return "stale", None, known.newest
        if now.last.gate is None:
            return "for", (now.last.time - now.since) / SECOND, now.since
        return now.last.gate, now.last.number, now.clear if now.last.gate in BOUNDS else None

    def _told(self, rule: Rule, host: str, *, fresh: bool) -> str | None:  # noqa: PLR0911 (the gates in their order)
        """What becomes of an alert that is on."""
        if self.variant == "full":
            return "reviews_limit"
        if rule.mode == "shadow":
            return "shadow"
        if rule.id == "planned":
            return "maintenance"
        review = self.reviews.get((rule.id, host))
        if review is not None and review.told is not None:
            return review.told
        if self.variant == "historical":
            return "historical"
        if rule.id == "hushed":
            return "silenced"
        if rule.id == "inhibited":
            return "inhibited"
        if rule.id == "settles" and self.fired_at[rule.id, host] == self.tick_time:
            return "settling"
        if self.variant == "poor":
            return "budget_spent"
        return None if fresh else "already_firing"
