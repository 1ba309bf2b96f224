"""The gates of rules that join: which side of a conflict, or which member of a composite, is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.evidence import window_of
from engine.model.time import format_time
from engine.offline.why.gates import Gate, Side, Stop
from engine.review.explain import of_dimensions
from engine.review.numbers import number, percent
from engine.review.spans import window_named

if TYPE_CHECKING:
    from engine.correlate.conflict import Conflict
    from engine.correlate.conflict import Side as ConflictSide
    from engine.correlate.correlator import Correlator
    from engine.correlate.judge import Judged
    from engine.correlate.track import Step, Track
    from engine.offline.why.standing import Standing
    from engine.rules.resolved.condition import Composite
    from engine.rules.resolved.rule import Rule


class OnScope:
    """A conflict or composite in one scope, as it stands."""

    def __init__(self, standing: Standing, rule: Rule, scope: str, dimensions: dict[str, str]) -> None:
        self.standing, self.rule, self.scope = standing, rule, scope
        self.words = of_dimensions(dimensions)
        self.on_words = self.words.replace(" of ", " on ", 1)
        self.correlator: Correlator = standing.second.correlator
        joined = self.correlator.joined.get((rule.id, scope))
        self.track: Track | None = None if joined is None else joined.track
        self.group = None if joined is None else joined.group

    def conflict_stop(self) -> Stop | None:
        """The first gate that is shut for a conflict; None: it is on."""
        conflict = self.correlator.conflicts[self.rule.id]
        if self.track is None or not self.track.steps:
            return self._nothing(conflict)
        index = max(self.track.steps)
        step = self.track.steps[index]
        if step.after is not None:
            return None
        return _Window(self, conflict, self.track, index, step).stop()

    def conflict_opened(self) -> str | None:
        """The event time that the conflict began at, while it is on."""
        steps = {} if self.track is None else self.track.steps
        after = steps[max(steps)].after if steps else None
        return None if after is None else after.opened

    def conflict_point(self) -> str | None:
        """The newest window that a side has come in."""
        if self.track is None or not self.track.steps:
            return None
        return self.when(self.correlator.conflicts[self.rule.id], self.track, max(self.track.steps))

    def when(self, conflict: Conflict, track: Track, index: int) -> str:
        """The merged window in words."""
        bounds = window_of(conflict, track, index)
        return window_named(bounds.start, bounds.end, self.rule.window, self.standing.rules, over=conflict.over > 1)

    def _nothing(self, conflict: Conflict) -> Stop:
        sides = tuple(Side(name, there=False, told="has sent no window") for name in conflict.roles)
        told = f"No side of {self.rule.id} has closed a window{self.on_words}: {', '.join(conflict.roles)}."
        return Stop("no_data", told, "no window", "a closed window of each side", sides=sides)

    def composite_stop(self, condition: Composite) -> Stop | None:
        """The first gate that is shut for a composite; None: it is on."""
        if self.group is not None and self.group.on:
            return None
        members = [] if self.group is None else list(self.group.members.values())
        firing = {member.rule: member.series for member in members}
        sides = tuple(
            Side(name, name in firing, f"fires on {firing[name]}" if name in firing else "does not fire")
            for name in condition.rules
        )
        missing = [side.name for side in sides if not side.there]
        listed, rest = ", ".join(missing), ", ".join(sorted(firing))
        also = f", while {rest} {'fires' if len(firing) == 1 else 'fire'}" if firing else ""
        where = self.on_words or " anywhere"
        by = "" if self.standing.now is None else f", as of the tick {format_time(self.standing.now)}"
        told = f"{listed} {'does' if len(missing) == 1 else 'do'} not fire{where}{also}{by}."
        needed = f"{condition.op} of {', '.join(condition.rules)}"
        return Stop("member_missing", told, rest or "none fires", needed, sides=sides)

    def group_opened(self) -> str | None:
        """The event time that the group's alert began at, while it is on."""
        return None if self.group is None or not self.group.on else self.group.opened


class _Window:
    """The newest aligned window of a conflict, which does not hold."""

    def __init__(self, on: OnScope, conflict: Conflict, track: Track, index: int, step: Step) -> None:
        self.on, self.conflict, self.track, self.index, self.step = on, conflict, track, index, step
        self.when = on.when(conflict, track, index)

    def stop(self) -> Stop:
        told = [self._side(side, judged) for side, judged in zip(self.conflict.sides, self.step.sides, strict=True)]
        sides = tuple(side for side, _ in told)
        place = next((place for place, side in enumerate(sides) if not side.there), 0)
        uncertain = [other for other in range(place, len(sides)) if told[other][1] in ("side_missing", "warm_up")]
        if place > 0 and uncertain:
            place = uncertain[0]
        side, gate = told[place]
        sentence = f"{self._title(side.name)}{self.on.words} {side.told} {self.when}"
        others = "; ".join(f"{self._title(each.name)} {each.told}" for each in sides if each is not side)
        judged, wanted = self.step.sides[place], self.conflict.sides[place]
        effect = None if judged is None else judged.effect
        return Stop(
            gate,
            f"{sentence}; {others}." if others else f"{sentence}.",
            side.told,
            self._needed(wanted),
            number=effect,
            limit=wanted.judge.by if wanted.judge.level is None else wanted.judge.level,
            sides=sides,
        )

    def _title(self, kpi: str) -> str:
        return self.on.standing.rules.kpi_by_id[kpi].title

    def _needed(self, side: ConflictSide) -> str:
        wanted = "improves" if side is self.conflict.own else "worsens"
        if side.judge.level is not None:
            return f"{side.judge.side} {number(side.judge.level)}"
        noise = f" and by {number(side.judge.noise)} times its scatter" if side.judge.noise else ""
        return f"{wanted} by at least {percent(side.judge.by)}{noise}"

    def _side(self, side: ConflictSide, judged: Judged | None) -> tuple[Side, Gate]:
        wanted = "improved" if side is self.conflict.own else "worsened"
        if judged is None:
            due = self.step.due
            ends = "no longer waited for" if due is None else f"waited for until the tick {format_time(due)}"
            return Side(side.kpi, there=False, told=f"has not come ({ends})"), "side_missing"
        if judged.verdict == "unknown":
            return self._unknown(side, judged)
        if judged.verdict == wanted:
            return Side(side.kpi, there=True, told=f"has {wanted}{self._effect(judged)}"), "within_bounds"
        return Side(side.kpi, there=False, told=f"has not {wanted}{self._effect(judged)}"), self._gate(side, judged)

    def _unknown(self, side: ConflictSide, judged: Judged) -> tuple[Side, Gate]:
        if judged.value is None:
            return Side(side.kpi, there=False, told="has no value over the whole window"), "warm_up"
        if judged.usual == 0:
            return Side(side.kpi, there=False, told="is usually 0, of which no share is known"), "zero_baseline"
        told = f"has not the {side.judge.count} earlier values that its usual level is made of"
        return Side(side.kpi, there=False, told=told), "warm_up"

    def _effect(self, judged: Judged) -> str:
        if judged.usual is None or judged.effect is None:
            return f" ({number(judged.value)})"
        sign = "+" if judged.effect >= 0 else "-"
        return f" ({number(judged.value)} against {number(judged.usual)}, {sign}{percent(abs(judged.effect))})"

    def _gate(self, side: ConflictSide, judged: Judged) -> Gate:
        """Moved the right way, but by less than counts; or not that way at all."""
        if side.judge.level is not None or judged.effect is None or side.direction == "in_band":
            return "within_bounds"
        good = (judged.effect > 0) == (side.direction == "higher_is_better")
        return "minimum_effect" if judged.effect and good == (side is self.conflict.own) else "within_bounds"
