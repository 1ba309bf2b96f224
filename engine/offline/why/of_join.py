"""The gates of rules that join: which side of a conflict, or which member of a composite, is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.conflict import Conflict
from engine.correlate.shares import window_of
from engine.correlate.unfold import unfold
from engine.model.time import format_time, parse_own_time
from engine.offline.why.gates import Gate, Side, Stop
from engine.offline.why.of_governance import governance_point, governance_stop
from engine.review.explain import of_dimensions
from engine.review.numbers import number, percent
from engine.review.spans import duration, window_named
from engine.rules.resolved.governance import GovernanceCondition

if TYPE_CHECKING:
    from engine.correlate.aligned import Aligned
    from engine.correlate.conflict import Side as ConflictSide
    from engine.correlate.correlator import Correlator, Joined
    from engine.correlate.judge import Judged
    from engine.correlate.track import Run, Step, Track
    from engine.offline.why.standing import Standing
    from engine.rules.resolved.condition import Composite
    from engine.rules.resolved.rule import Rule


def scope_of_rule(rule: Rule) -> tuple[str, ...]:
    """The dimensions that a rule which joins keeps apart; none where it looks at a KPI with all its series."""
    return () if isinstance(rule.condition, GovernanceCondition) else getattr(rule.condition, "scope", ())


def opened_of(joined: Joined) -> str | None:
    """The event time that the alert of (rule, scope) began at, while it is on."""
    if joined.group is not None:
        return joined.group.opened if joined.group.on else None
    if joined.watch is not None:
        return joined.watch.opened
    if joined.story is not None:
        return next((format_time(told.begin) for told in joined.story.said if told.end is None), None)
    steps = {} if joined.track is None else joined.track.steps
    after = steps[max(steps)].after if steps else None
    return None if after is None or after.fired is None else after.opened


class OnScope:
    """A rule that joins in one scope, as it stands."""

    def __init__(self, standing: Standing, rule: Rule, scope: str, dimensions: dict[str, str]) -> None:
        self.standing, self.rule, self.scope = standing, rule, scope
        self.words = of_dimensions(dimensions)
        self.on_words = self.words.replace(" of ", " on ", 1)
        self.correlator: Correlator = standing.second.correlator
        self.joined = self.correlator.joined.get((rule.id, scope))
        self.track: Track | None = None if self.joined is None else self.joined.track

    def aligned_stop(self) -> Stop | None:
        """The first gate that is shut for what is judged over aligned windows; None: it is on."""
        aligned = self.correlator.aligned[self.rule.id]
        if self.track is None or not self.track.steps:
            return self._nothing(aligned)
        index = max(self.track.steps)
        step = self.track.steps[index]
        if step.after is not None:
            return None if step.after.fired is not None else self._waits(aligned, self.track, index, step.after)
        counting = self._counts(aligned, self.track, index, step)
        if counting is not None:
            return counting
        if isinstance(aligned, Conflict):
            return _Window(self, aligned, self.track, index, step).stop()
        return self._holds_not(aligned, self.track, index, step)

    def aligned_point(self) -> str | None:
        """The newest window that a side has come in."""
        if self.track is None or not self.track.steps:
            return None
        return self.when(self.correlator.aligned[self.rule.id], self.track, max(self.track.steps))

    def when(self, aligned: Aligned, track: Track, index: int) -> str:
        """The merged window in words."""
        bounds = window_of(aligned, track, index)
        return window_named(bounds.start, bounds.end, self.rule.window, self.standing.rules, over=aligned.over > 1)

    def _nothing(self, aligned: Aligned) -> Stop:
        names = tuple(dict.fromkeys(kpi for side in aligned.aligned for kpi in side.rolled))
        sides = tuple(Side(name, there=False, told="has sent no window") for name in names)
        told = f"No side of {self.rule.id} has closed a window{self.on_words}: {', '.join(names)}."
        return Stop("no_data", told, "no window", "a closed window of each side", sides=sides)

    def _counts(self, aligned: Aligned, track: Track, index: int, step: Step) -> Stop | None:
        """It is warming up, or has held of too few of the last windows."""
        when, rule = self.when(aligned, track, index), self.rule
        if aligned.warms_up(track, index, step.counted_before):
            seen, wanted = step.counted.windows, rule.warm_up
            told = f"{rule.id}{self.on_words} has had {seen} of the {wanted} windows that it lets pass, one {when}."
            return Stop("warm_up", told, f"{seen}", f"{wanted + 1}", number=float(seen), limit=float(wanted + 1))
        held = step.counted.held()
        if rule.at_least is None or not held or step.state not in ("on", "off"):
            return None
        m, of = rule.at_least
        told = f"{rule.id}{self.on_words} held in {held} of the last {of} windows {when}; it asks for {m}."
        return Stop("at_least", told, f"{held}", f"{m}", number=float(held), limit=float(m))

    def _waits(self, aligned: Aligned, track: Track, index: int, run: Run) -> Stop:
        """It holds, and not yet for long enough."""
        held, wanted = parse_own_time(run.last) - parse_own_time(run.since), self.rule.for_
        told = (
            f"{self.rule.id}{self.on_words} has held since {run.since}, for {duration(held)} "
            f"{self.when(aligned, track, index)}; it waits for {duration(wanted)}."
        )
        return Stop("for", told, duration(held), duration(wanted), run.since, held / 1e6, wanted / 1e6)

    def _holds_not(self, aligned: Aligned, track: Track, index: int, step: Step) -> Stop:
        """A reconciliation whose sides agree, a forecast that does not miss, or neither is known."""
        own, when = step.sides[0], self.when(aligned, track, index)
        if own is None or own.verdict == "unknown":
            told = f"{self.rule.id}{self.on_words} could not be judged {when}: {aligned.silent}."
            return Stop("side_missing", told, "not known", "what both sides need")
        effect = "" if own.effect is None else f", {number(own.effect)} from {number(own.usual)}"
        told = f"{self.rule.id}{self.on_words} held {when}: {number(own.value)}{effect}, which is within its bounds."
        return Stop("within_bounds", told, number(own.value), "what is past its bounds", number=own.effect)

    def governance_stop(self) -> Stop | None:
        """The first gate that is shut for what is asked of how a KPI is looked after; None: it is on."""
        watch = None if self.joined is None else self.joined.watch
        return governance_stop(self.rule, self.standing.rules, watch, self.standing.now)

    def governance_point(self) -> str | None:
        """The newest window that is complete of all KPIs that the rule looks at."""
        watch = None if self.joined is None else self.joined.watch
        return governance_point(self.rule, self.standing.rules, watch)

    def composite_stop(self, condition: Composite) -> Stop | None:
        """The first gate that is shut for a composite; None: it is on."""
        if self.joined is not None and opened_of(self.joined) is not None:
            return None
        firing = self._firing(condition)
        sides = tuple(
            Side(name, name in firing, f"fires on {firing[name]}" if name in firing else "does not fire")
            for name in condition.members
        )
        missing = [side.name for side in sides if not side.there]
        listed, rest = ", ".join(missing) or "No member alone", ", ".join(sorted(firing))
        also = f", while {rest} {'fires' if len(firing) == 1 else 'fire'}" if firing else ""
        where = self.on_words or " anywhere"
        by = "" if self.standing.now is None else f", as of the tick {format_time(self.standing.now)}"
        told = f"{listed} {'does' if len(missing) == 1 else 'do'} not fire{where}{also}{by}."
        if not condition.is_plain:
            told = f"What {self.rule.id} asks of its members does not hold{where}{also}{by}."
        needed = f"{condition.op} of {', '.join(condition.rules)}"
        return Stop("member_missing", told, rest or "none fires", needed, sides=sides)

    def _firing(self, condition: Composite) -> dict[str, str]:
        """The members that fire, with a series each."""
        story = None if self.joined is None else self.joined.story
        if story is None:
            return {}
        fold, _ = unfold(condition, story.carried, story.edges.values())
        return dict(name.split("|", 1) for name in sorted(fold.firing))


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
