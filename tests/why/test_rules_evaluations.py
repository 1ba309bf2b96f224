"""The last evaluations of rules are those of the slow twin: every one that is listed is right, and none is missing."""

from __future__ import annotations

import statistics
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from naive_gates import verdicts
from naive_stage1 import earlier_values, twin_of
from naive_why import DECLARED, Series
from why_world import EVERY, HIGH, SET, Row, history, kpi, rule

from engine.model.time import MINUTE, SECOND, format_time
from engine.offline.backtest.items import Destination, ItemBlock
from engine.offline.why.files import History
from engine.offline.why.health import Rounds, Tally
from engine.rules.resolved.condition import Change, Composite, CounterpartConflict, MissingData, Threshold
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.wire.item import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engine.model.time import Micros
    from engine.offline.why.evaluations import Evaluation
    from engine.rules.resolved.rule import Rule
    from engine.runtime.ports import Output
    from engine.runtime.stage1 import Stage1
    from engine.wire.columns import Chunk

_JOINED = (Composite, CounterpartConflict)
RULES = (
    *(each for each in SET.rules if each.mode != "off" and not isinstance(each.condition, _JOINED)),
    rule("graced", Threshold("below", 2.5, None, 3.5), grace=30 * MINUTE),
    rule("hops", HIGH, window=Window(30 * MINUTE, 10 * MINUTE), lateness=15 * MINUTE, for_=20 * MINUTE),
    rule("raw-graced", HIGH, points="raw", lateness=5 * MINUTE, grace=25 * MINUTE, at_least=(2, 3), warm_up=3),
)
PACK = RuleSet((), (), (kpi("load"),), tuple(sorted(RULES, key=lambda each: each.id)), (), {})


class Sent(NamedTuple):
    """A row as it comes: under a name that it may have come by before."""

    name: str
    row: Row
    revision: int = 0


class Told(NamedTuple):
    time: str
    series: str
    outcome: str
    state: str
    value: float | None
    statistic: float | None
    limit: float | None
    usual: float | None


def drawn(random: Random) -> list[Sent]:
    """A history, with rows that come late, several of one time, and some that are said again with another value."""
    rows = [row for row in history(random, late=True, least=40, turns=0.2) if row.kpi == "load"]
    for place in range(0, len(rows) - 6, 7):
        rows.insert(place + random.randrange(1, 6), rows[place]._replace(value=rows[place].value + 2))
    found: list[Sent] = []
    for number, row in enumerate(rows):
        found.append(Sent(f"m{number}", row))
        if random.random() < 0.15:
            again = random.choice(found[-12:])
            if all(each.name != again.name or each is again for each in found):
                found.append(Sent(again.name, again.row._replace(value=random.choice([0.0, 3.0, 8.0])), 1))
    return found


class Heard(Rounds):
    """Keeps all that is said; `traced` False: as a worker, that nobody asks how rules fare."""

    def __init__(self, keep: int, *, traced: bool = True) -> None:
        super().__init__(keep)
        self.said: list[Output] = []
        self.traced = traced

    def take(self, stage: Stage1, chunk: Chunk) -> Iterator[Output]:
        said = list(super().take(stage, chunk) if self.traced else stage.take(chunk))
        self.said += said
        yield from said


def taken(sent: Sequence[Sent], rounds: Rounds, pieces: int) -> Stage1:
    """The history, in so many pieces, and its end."""
    past = History(PACK, rounds, EVERY)
    for piece in range(pieces):
        block = ItemBlock(Destination(Path("rows"), 0, past.resolve, past.refusals))
        for number in range(piece * len(sent) // pieces, (piece + 1) * len(sent) // pieces):
            name, row, revision = sent[number]
            block.add(Item(row.kpi, row.time, row.value, {"host": row.host}, name, None, 0, revision), number)
        past.take(block.columns())
    past.tick_until(end_of(sent))
    past.standing.close()
    return past.standing.first


def listed(sent: Sequence[Sent], keep: int, pieces: int) -> dict[str, tuple[Evaluation, ...]]:
    """What the health of the rules shows."""
    rounds = Rounds(keep)
    stage = taken(sent, rounds, pieces)
    tally = Tally(PACK, rounds)
    tally.first(stage.state)
    return {each.rule: each.evaluations for each in tally.health(end_of(sent), {}).rules}


def end_of(sent: Iterable[Sent]) -> Micros:
    return max(each.row.time for each in sent) + 10 * MINUTE


class Twin:
    """Every series judged from the start."""

    def __init__(self) -> None:
        self.series: dict[str, Series] = {}
        self.tick_time: Micros | None = None
        self.newest: Micros | None = None
        for name, host in sorted(DECLARED):
            self.of(name, host)

    def of(self, name: str, host: str) -> Series:
        watched = [each for each in RULES if not isinstance(each.condition, MissingData) or (name, host) in DECLARED]
        return self.series.setdefault(host, Series(kpi(name), watched))

    def take(self, name: str, row: Row, revision: int) -> None:
        newest = max(row.time, self.newest or row.time)
        self.tick(-(-newest // EVERY) - 1, first=self.newest is None)
        self.newest = newest
        self.of(row.kpi, row.host).measure(name, row.time, row.value, revision)

    def tick(self, last: int, *, first: bool = False) -> None:
        for number in range(last if first else (self.tick_time or 0) // EVERY + 1, last + 1):
            for each in self.series.values():
                each.tick(number * EVERY)
            self.tick_time = number * EVERY

    def last(self, rule: Rule, keep: int) -> list[Told]:
        """The newest `keep` of a rule: by time, of one time by series, of one series the later one first."""
        if isinstance(rule.condition, MissingData):
            found = [self.silence(rule, host) for host in sorted(self.series) if rule in self.series[host].rules]
            return found[:keep]
        places = []
        for host, known in self.series.items():
            if all(value == host for value in rule.where.values()):
                points = known.points(rule)
                places += [(-time, host, -place, points) for place, (time, *_) in enumerate(points)]
        places.sort(key=lambda each: each[:3])
        return [evaluation(rule, points[: 1 - place], key_of(host)) for _, host, place, points in places[:keep]]

    def silence(self, rule: Rule, host: str) -> Told:
        known, now = self.series[host], self.tick_time
        assert now is not None
        waited = 0.0 if known.waiting is None else (now - known.waiting) / SECOND
        state = "firing" if rule.id in known.silent else "inactive"
        allowed = rule.condition.after / SECOND
        return Told(format_time(now), key_of(host), "judged", state, None, waited, allowed, None)


def key_of(host: str) -> str:
    return f'load{{"host":"{host}"}}'


def evaluation(rule: Rule, points: list[Any], key: str) -> Told:
    """The last of these points, after all before it."""
    now, before = verdicts(rule, points), verdicts(rule, points[:-1])
    time, value, _, _ = points[-1]
    assert now.last is not None
    outcome = "judged"
    if len(points) <= rule.warm_up:
        outcome = "warm_up"
    elif now.last.gate in ("warm_up", "zero_baseline"):
        outcome = "not_known"
    compared = numbers(rule, points, firing=before.state in ("firing", "recovering"))
    if now.last.gate == "zero_baseline":
        compared = (None, None, 0.0)
    return Told(format_time(time), key, outcome, now.state, value, *compared)


def numbers(rule: Rule, points: list[Any], *, firing: bool) -> tuple[float | None, float | None, float | None]:
    """(statistic, limit, usual level) of the last of these points; ... for what the twin does not say."""
    condition, (_, value, index, _) = rule.condition, points[-1]
    if isinstance(condition, Threshold):
        back = condition.recover_at if firing else None
        stated = [limit for limit in (condition.high, condition.low) if limit is not None]
        return value, min(stated, key=lambda limit: abs(limit - value)) if back is None else back, None
    if isinstance(condition, Change):
        earlier = earlier_values(rule, index, {index: value for _, value, index, _ in points})
        if None in earlier:
            return None, None, None
        usual = statistics.median(earlier)
        size = value - usual
        if condition.relative:
            size = size / abs(usual) if usual else 0.0
        over = -1e9 if condition.up is None else size - condition.up
        under = -1e9 if condition.down is None else -condition.down - size
        return size, condition.up if over >= under else -(condition.down or 0.0), usual
    twin, found = twin_of(rule), None
    for _, value, index, _ in points:
        found = twin.judge(index, value)
    if found is None:
        return None, None, None
    usual = found.centre if hasattr(found, "centre") else found.usual
    return getattr(found, "score", getattr(found, "statistic", None)), getattr(found, "limit", ...), usual


def assert_same(found: Evaluation, wanted: Told) -> None:
    assert Told(*(getattr(found, name) for name in Told._fields))[:4] == wanted[:4], (found, wanted)
    for name in ("value", "statistic", "limit", "usual"):
        number = getattr(wanted, name)
        if number is not ...:
            assert getattr(found, name) == (None if number is None else pytest.approx(number, rel=1e-6, abs=1e-9)), name


@pytest.mark.parametrize("draw", range(8))
def test_they_are_those_of_the_twin(draw: int):
    random = Random(f"evaluations-{draw}")
    sent, keep = drawn(random), random.choice([1, 3, 3, 12, 40])
    twin = Twin()
    for each in sent:
        twin.take(*each)
    twin.tick(end_of(sent) // EVERY)
    found = listed(sent, keep, random.choice([1, 2, 30]))
    for judging in RULES:
        wanted = twin.last(judging, keep)
        assert len(found[judging.id]) == len(wanted), judging.id
        for one, other in zip(found[judging.id], wanted, strict=True):
            assert_same(one, other)


def test_to_be_traced_changes_nothing_that_is_said_and_no_state():
    sent = drawn(Random("traced"))
    traced, plain = Heard(3), Heard(3, traced=False)
    pages = [
        {name: page for name, page in taken(sent, each, 5).all_pages().items() if page} for each in (traced, plain)
    ]
    assert traced.said == plain.said
    assert len(traced.said) > 100
    assert pages[0] == pages[1]
