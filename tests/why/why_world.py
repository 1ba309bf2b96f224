"""A world that shuts every gate: two KPIs, a rule for each reason not to fire, and drawn histories of their series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.model.audit import Matcher, Silence
from engine.model.limits import Limits
from engine.model.records import Tick
from engine.model.time import HOUR, MINUTE, SECOND, Micros, format_time
from engine.model.topics import FINDINGS
from engine.offline.backtest.items import Destination, ItemBlock
from engine.offline.why.ask import ask
from engine.offline.why.files import History
from engine.offline.why.watch import Watch
from engine.rules.resolved.catalogue import Kpi, Owner
from engine.rules.resolved.condition import (
    Anomaly,
    Change,
    Composite,
    ConflictSide,
    CounterpartConflict,
    Judge,
    MissingData,
    Threshold,
    TrendBreak,
)
from engine.rules.resolved.control import ControlChart, Cusum, Ewma, RunRules
from engine.rules.resolved.maintenance import Dates, Maintenance
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.wire.batch import Batch, Record
from engine.wire.encode import encode_record
from engine.wire.item import Item
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from engine.offline.why.gates import Answer
    from engine.offline.why.named import Named

EVERY = 5 * MINUTE
START = 1_700_000_000 // 3600 * 3600 * SECOND
TEN = Window(10 * MINUTE, 10 * MINUTE)
ONCE = ReviewSpec(None, (), None, None, "on_recovery", reopen_within=0)
BACK = msgspec.structs.replace(ONCE, reopen_within=HOUR, flap_after=2)
ASKED = msgspec.structs.replace(ONCE, close="on_answer", reopen_within=0)


class Row(NamedTuple):
    time: Micros
    kpi: str
    host: str
    value: float


def kpi(name: str) -> Kpi:
    return Kpi(
        id=name, title=name, owner="o", objective="ob", definition="d", decision=None, direction="lower_is_better",
        role="leading", unit="u", aggregation="mean", window=TEN, lateness=0, idle=20 * MINUTE, cadence=None,
        sources=(), dimensions=("host",), series=({"host": "a"}, {"host": "silent"}) if name == "load" else (),
        rolls_up_to=None, target=None, counterparts=(), publish=False,
    )  # fmt: skip


def rule(name: str, condition: Any, **changes: Any) -> Rule:
    plain = Rule(
        id=name, title=name, kpi="load", where={}, condition=condition, points="window", window=TEN, lateness=0,
        idle=20 * MINUTE, for_=0, keep_firing_for=0, severity="warning", mode="on", owner="o", review=ONCE,
        known_gaps=(), declared={}, fingerprint=name,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


HIGH = Threshold("above", None, 4.0, None)
BY = Judge(0.2, "windows", 2, 0.0, hold=False)
CONFLICT = CounterpartConflict(BY, (ConflictSide("pay", None, 0, BY),), 1, ("host",))
ALWAYS = Maintenance("planned", "UTC", (Dates(tuple(range(7))),), 0, 24 * HOUR)
LATE = {"lateness": 15 * MINUTE}
RULES = (
    rule("anomaly", Anomaly(15.0, None, "none", 0.0, relative=False, learn=24)),
    rule("anomaly-large", Anomaly(2.5, "up", "none", 3.0, relative=False, learn=24)),
    rule("anomaly-often", Anomaly(4.0, None, "none", 0.0, relative=False, learn=24), at_least=(2, 4), **LATE),
    rule("change", Change("windows", 2, 0.5, 0.4, relative=True), **LATE),
    rule("change-absolute", Change("windows", 3, 2.0, None, relative=False)),
    rule("chart", ControlChart(RunRules(("western_electric_1", "nelson_2")), None, None, None, "moving_range", 8)),
    rule("chart-average", ControlChart(Ewma(0.3, 2.5, varying=True), None, None, None, "deviation", 6)),
    rule("chart-sum", ControlChart(Cusum(0.5, 4.0, 0.0), "up", 3.0, 1.0, "moving_range", 8)),
    rule("chart-often", ControlChart(Ewma(0.3, 1.5, varying=True), None, None, None, "deviation", 6), at_least=(3, 4)),
    rule("composite-all", Composite("all", ("high", "steep"), ("host",)), kpi=None),
    rule("composite-any", Composite("any", ("change-absolute", "steep"), ()), kpi=None),
    rule("conflict", CONFLICT),
    rule("conflict-often", CONFLICT, at_least=(2, 6), warm_up=4),
    rule("flaps", HIGH, review=BACK),
    rule("goes-on", HIGH, review=ASKED),
    rule("grouped", HIGH, group_by=()),
    rule("high", Threshold("above", None, 4.0, 2.0), **LATE),
    rule("hushed", HIGH),
    rule("inhibited", HIGH, inhibited_by=("high-first",)),
    rule("high-first", Threshold("above", None, 3.5, None)),
    rule("limited", HIGH, limit=1),
    rule("long", HIGH, for_=20 * MINUTE, keep_firing_for=20 * MINUTE),
    rule("missing", MissingData(60 * MINUTE)),
    rule("off", HIGH, mode="off"),
    rule("often", HIGH, at_least=(3, 5)),
    rule("warm", HIGH, warm_up=6),
    rule("only-a", HIGH, where={"host": "a"}),
    rule("raw", Threshold("outside", 1.0, 5.0, None), points="raw", **LATE),
    rule("raw-now", Threshold("inside", 2.0, 3.0, None), points="raw"),
    rule("settles", HIGH, inhibited_by=("never",)),
    rule("never", Threshold("above", None, 1e9, None)),
    rule("shadowed", HIGH, mode="shadow"),
    rule("steep", Change("windows", 1, 0.3, None, relative=True)),
    rule("trend", TrendBreak(2.0, None, None, 0.0, relative=False, learn=4), **LATE),
    rule("trend-large", TrendBreak(2.0, None, "up", 3.0, relative=False, learn=6)),
    rule("trend-often", TrendBreak(2.0, None, None, 0.0, relative=False, learn=4), at_least=(3, 4), for_=20 * MINUTE),
    rule("planned", HIGH, maintenance=(ALWAYS,)),
)  # fmt: skip
SET = RuleSet((), (), (kpi("load"), kpi("pay")), tuple(sorted(RULES, key=lambda each: each.id)), (), {})


def rules_with(name: str, *, poor: bool) -> RuleSet:
    """The rule with those that it needs; `poor`: its owner has no notification left."""
    rule = SET.rule_by_id.get(name)
    members = rule.condition.rules if rule and isinstance(rule.condition, Composite) else ()
    needed = {name, *members, *(rule.inhibited_by if rule else ())}
    kept = tuple(each for each in SET.rules if each.id in needed)
    return msgspec.structs.replace(SET, rules=kept, owners=(Owner("o", "o", None, 0),) if poor else ())


SILENCED = Silence("hush", (Matcher("rule", "hushed"),), "ann", "known", "2000-01-01T00:00:00Z", "2050-01-01T00:00:00Z")
"""Whatever `hushed` says is silenced."""


def history(random: Random, *, late: bool, least: int, turns: float) -> list[Row]:
    """Levels that last a while (`turns`: how often they change), noise, gaps of all lengths, zeros; so many rows at
    least of each series. `late`: on one host some rows come late.
    """
    rows: list[Row] = []
    for name, host in (("load", "a"), ("load", "b"), ("pay", "a"), ("pay", "b")):
        time, level = START + random.randrange(30) * MINUTE, random.choice([0.0, 2.0, 3.0])
        for _ in range(random.randrange(least, 100)):
            time += random.choice([6, 9, 10, 10, 10, 11, 14] if random.random() < 0.97 else [45, 95, 300]) * MINUTE
            level = random.choice([0.0, 2.0, 3.0, 3.0, 5.0, 9.0]) if random.random() < turns else level
            wild = random.choice([0.5, 1.0, 1.5, 6.0]) if random.random() < 0.08 else 0.0
            noise = random.choice([0.0, 0.2, 0.4]) if level else 0.0
            rows.append(Row(time, name, host, round(level + wild + noise, 3)))
    rows.sort()
    if late:
        for place in range(0, len(rows) - 4, 17):
            if (rows[place].kpi, rows[place].host) == ("load", "b"):
                rows.insert(place + 3, rows.pop(place))
    return rows


def answers(
    rows: Sequence[Row], name: str, series: Named, stops: Sequence[Micros], variant: str = "plain"
) -> list[Answer]:
    """One history, and the question put at each of the stops."""
    limits = Limits(reviews_open_max=0) if variant == "full" else None
    past = History(rules_with(name, poor=variant == "poor"), Watch(name, series.key), EVERY, (SILENCED,), limits)
    if variant == "historical":
        live_at(past, START + 100 * 24 * HOUR)
    found, done = [], 0
    for stop in stops:
        upto = next((place for place, row in enumerate(rows) if row.time > stop), len(rows))
        take(past, rows[done:upto], done)
        done = upto
        past.tick_until(stop)
        found.append(ask(past.standing, name, series, stop))
    past.standing.close()
    return found


def take(past: History, rows: Sequence[Row], first: int) -> None:
    block = ItemBlock(Destination(Path("rows"), 0, past.resolve, past.refusals))
    for number, (time, name, host, value) in enumerate(rows, first):
        block.add(Item(name, time, value, {"host": host}, f"m{number}", None, 0, 0), number)
    past.take(block.columns())


def live_at(past: History, time: Micros) -> None:
    """Stage 2 of a live installation whose clock stands long after the history."""
    standing = past.standing
    standing.context = standing.second.context = msgspec.structs.replace(
        standing.context, domain="live", notify_within=24 * HOUR
    )
    tick = Record(None, encode_record(Tick("live", 1, format_time(time))))
    standing.second.apply(Batch(FINDINGS, 0, 0, 0, 1, encode_batch([tick], 0)))
