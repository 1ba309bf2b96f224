"""Members of a composite that tell of their episodes, correct them, and take them back; and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from composite_twin import FOREVER, Episode
from stage2_world import rule, rule_set

from engine.correlate.story import Story, Unfolding
from engine.model.limits import Limits
from engine.model.records import Signal
from engine.model.time import HOUR, format_time, parse_own_time
from engine.rules.resolved.condition import Composite, Threshold
from engine.rules.resolved.timing import Window

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from engine.model.judgement import Judgement
    from engine.rules.ruleset import RuleSet

T0 = parse_own_time("2024-01-01T00:00:00Z")
RULES = ("a", "b", "c", "d")
CONDITIONS = {
    "all": Composite("all", ("a", "b", "c"), ("c",)),
    "any": Composite("any", ("a", "b"), ("c",)),
    "all-not": Composite("all", ("a", "b"), ("c",), without=("c",)),
    "any-not": Composite("any", ("a", "b"), ("c",), without=("c", "d")),
    "two-of-three": Composite("at_least", ("a", "b", "c"), ("c",), count=2),
    "two-of-three-not": Composite("at_least", ("a", "b", "c"), ("c",), count=2, without=("d",)),
    "pair": Composite("sequence", ("a", "b"), ("c",), within=4 * HOUR),
    "sequence": Composite("sequence", ("c", "a", "b"), ("c",), within=6 * HOUR),
    "sequence-not": Composite("sequence", ("b", "a"), ("c",), within=6 * HOUR, without=("d",)),
    "absent": Composite("all", ("a",), ("c",), absent=("b",), within=3 * HOUR),
    "both-absent": Composite("all", ("a", "b"), ("c",), absent=("c", "d"), within=2 * HOUR),
    "any-not-absent": Composite("any", ("a", "b"), ("c",), without=("c",), absent=("d",), within=4 * HOUR),
}


def rules_of(condition: Composite, size: int = 1_000 * HOUR) -> RuleSet:
    """Members whose windows are so long that nothing is final, unless said otherwise."""
    window = Window(size, size) if size else Window(0, 0)
    limits = {"window": window, "idle": 0, "lateness": 0}
    members = [rule(name, "traffic", Threshold("above", None, 1.0, None), **limits) for name in RULES]
    return rule_set(rule("told", None, condition), *members)


def unfolding(condition: Composite, size: int = 1_000 * HOUR, limits: Limits | None = None) -> Unfolding:
    rules = rules_of(condition, size)
    return Unfolding(rules.rule_by_id["told"], condition, dict.fromkeys(RULES, "traffic"), rules, limits or Limits())


def drawn_episodes(random: Random, rule: str, series: str, hours: int = 24, most: int = 5) -> list[Episode]:
    """None overlaps the one before; the last may go on."""
    times = sorted(random.choices(range(hours), k=2 * random.randint(0, most)))
    found = [Episode(rule, series, begin, end) for begin, end in zip(times[::2], times[1::2], strict=True)]
    if found and random.random() < 0.3:
        found[-1] = found[-1]._replace(end=FOREVER)
    return found


class Moment(NamedTuple):
    """A finding of a member as the member knows it: beginning or end, when, and how often it happened then."""

    begins: bool
    hour: int
    repeat: int


def moments(episodes: Iterable[Episode]) -> list[Moment]:
    found: list[Moment] = []
    for each in episodes:
        for begins, hour in ((True, each.begin), (False, each.end)):
            if hour != FOREVER:
                repeat = sum(one.begins == begins and one.hour == hour for one in found)
                found.append(Moment(begins, int(hour), repeat))
    return found


class Member:
    """One series of one rule: says what is new of its episodes, corrects and takes back, as stage 1 does."""

    def __init__(self, rule: str, series: str, random: Random) -> None:
        self.rule = rule
        self.series = series
        self.random = random
        self.said: dict[Moment, str] = {}
        self.revision = 0

    def tells(self, episodes: list[Episode]) -> list[Signal]:
        self.revision += 1
        wanted = moments(episodes)
        gone = [each for each in self.said if each not in wanted]
        signals = [self._signal(each, self.said.pop(each), withdrawn=True) for each in gone]
        for each in wanted:
            known = self.said.get(each)
            if known is None or self.random.random() < 0.1:
                signals.append(self._signal(each, known))
                self.said[each] = signals[-1].finding
        return signals

    def _signal(self, moment: Moment, replaces: str | None, *, withdrawn: bool = False) -> Signal:
        name = f"{self.rule}{self.series}{moment.begins:d}-{moment.hour}-{moment.repeat}-{self.revision}"
        known = {} if replaces is None else {"replaces": replaces}
        return Signal(
            "told", "{}", self.rule, self.series, name, "firing" if moment.begins != withdrawn else "inactive",
            format_time(T0 + moment.hour * HOUR), 0, "firing" if moment.begins else "resolved", self.revision, **known,
        )  # fmt: skip


def standing(judgements: Iterable[Judgement]) -> list[tuple[int, float]]:
    """What one who only hears judgements takes for the spans, in hours."""
    spans: dict[str, float] = {}
    for each in judgements:
        end = hour_of(each.event_time)
        match each.turn:
            case "began":
                assert each.opened not in spans
                spans[each.opened] = FOREVER
            case "ended":
                assert spans[each.opened] == FOREVER
                spans[each.opened] = end
            case "resumed":
                assert spans[each.opened] != FOREVER
                spans[each.opened] = FOREVER
            case "withdrawn":
                del spans[each.opened]
            case "changed" if spans[each.opened] != FOREVER and end > hour_of(each.opened):
                spans[each.opened] = end
    return sorted((hour_of(opened), end) for opened, end in spans.items())


def hour_of(time: str) -> int:
    return (parse_own_time(time) - T0) // HOUR


def told_by(story: Story) -> list[tuple[int, float]]:
    ends = [FOREVER if told.end is None else (told.end - T0) // HOUR for told in story.said]
    return [((told.begin - T0) // HOUR, end) for told, end in zip(story.said, ends, strict=True)]
