"""Rule sets, findings and join records to drive stage 2 with, and a driver that reads its triggers back."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import msgspec

from engine.correlate import join
from engine.model.finding import Episode, Evidence, Finding, Silence, WindowPoint
from engine.model.identity import finding_id, scope_key, series_key
from engine.model.limits import Limits
from engine.model.records import Activate, Answered, Ids, JoinRecord, Parts, Progress, Signal, WindowBounds
from engine.model.time import DAY, HOUR, format_time, parse_own_time
from engine.model.trigger import ReviewTrigger
from engine.rules.resolved.catalogue import Kpi, Objective, Owner
from engine.rules.resolved.condition import Composite, ConflictSide, CounterpartConflict, Judge, MissingData, Threshold
from engine.rules.resolved.rule import ReviewSpec, Rule
from engine.rules.resolved.timing import Due, Window, ZoneTransition
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.ports import Output, Position
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.encode import encode_record
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

T0 = parse_own_time("2024-01-01T00:00:00Z")
DAILY = Window(DAY, DAY, "Etc/UTC")
BY_5 = Judge(by=0.05, reference="windows", count=3, noise=0, hold=False)


def day(index: int) -> str:
    return format_time(T0 + index * DAY)


def tick_time(tick: int) -> str:
    return format_time(T0 + tick * HOUR)


def kpi(name: str, direction: str = "higher_is_better", **fields: Any) -> Kpi:
    values: dict[str, Any] = {
        "id": name,
        "title": name.capitalize(),
        "owner": f"{name}-owner",
        "objective": "growth",
        "definition": "d",
        "decision": None,
        "direction": direction,
        "role": "lagging",
        "unit": "n",
        "aggregation": "sum",
        "window": DAILY,
        "lateness": 0,
        "idle": 2 * HOUR,
        "cadence": None,
        "sources": (),
        "dimensions": ("c",),
        "series": (),
        "rolls_up_to": None,
        "target": None,
        "counterparts": (),
        "publish": False,
    }
    return Kpi(**{**values, **fields})


def rule(name: str, of: str | None, condition: Any, **fields: Any) -> Rule:
    values: dict[str, Any] = {
        "id": name,
        "title": f"Title of {name}",
        "kpi": of,
        "where": {},
        "condition": condition,
        "points": "window",
        "window": DAILY,
        "lateness": 0,
        "idle": 2 * HOUR,
        "for_": 0,
        "keep_firing_for": 0,
        "severity": "warning",
        "mode": "on",
        "owner": None,
        "review": spec(),
        "known_gaps": (),
        "declared": {"kind": name},
        "fingerprint": f"print-{name}",
    }
    return Rule(**{**values, **fields})


def spec(close: str = "on_recovery", **fields: Any) -> ReviewSpec:
    values: dict[str, Any] = {"due_in": Due(30 * DAY), "participants": (), "question": None, "runbook": None}
    return ReviewSpec(**{**values, "close": close, **fields})


def conflict(*others: ConflictSide, improves: Judge = BY_5, over: int = 1) -> CounterpartConflict:
    return CounterpartConflict(improves, others or (ConflictSide("tickets", None, 0, BY_5),), over, ("c",))


KPIS = (
    kpi("churn", "lower_is_better"),
    kpi("nps", aggregation="mean"),
    kpi("sessions"),
    kpi("tickets", "lower_is_better"),
    kpi("traffic"),
)
ABOVE = Threshold("above", None, 10.0, None)


def rule_set(*rules: Rule) -> RuleSet:
    owners = tuple(Owner(f"{each.id}-owner", each.id, None) for each in KPIS)
    zones = {"Etc/UTC": (ZoneTransition(0, 0),)}
    ordered = tuple(sorted(rules, key=lambda each: each.id))
    return RuleSet(owners, (Objective("growth", "Growth", "traffic-owner"),), KPIS, ordered, (), zones)


def standard(**fields: Any) -> RuleSet:
    """One rule of each kind; `fields` are those of every rule."""
    return rule_set(
        rule("both", None, Composite("all", ("high", "low"), ("c",)), **fields),
        rule("clash", "traffic", conflict(), **fields),
        rule("either", None, Composite("any", ("high", "low"), ("c",)), **fields),
        rule("high", "traffic", ABOVE, **fields),
        rule("low", "nps", Threshold("below", 1.0, None, None), **fields),
        rule("quiet", "traffic", MissingData(2 * DAY), **fields),
    )


class World:
    """A Stage2 with a log of its own. Stage 1 partitions count their own offsets."""

    def __init__(self: Any, rules: RuleSet, partitions: int = 1, **context: Any) -> None:
        self.rules = rules
        self.sets = {rules.hash: rules}
        self.context = StageContext(self.sets, rules.hash, partitions, 1, limits=Limits(), **context)
        self.stage = Stage2(0, self.context)
        self.partitions = partitions
        self.offset = 0
        self.told_itself = -1
        self.from_stage1 = [0] * partitions
        self.log: list[Record] = []
        self.outputs: list[Output] = []
        self._applied = 0

    def write(self: Any, value: Any, partition: int | None = None, **_: Any) -> None:
        headers: tuple[tuple[str, bytes], ...] = ()
        if partition is not None:
            headers = ((Position.HEADER, Position(1, partition, self.from_stage1[partition], 0).encode()),)
            self.from_stage1[partition] += 1
        data = value if isinstance(value, bytes) else encode_record(value)
        self.log.append(Record(b"k", data, headers))

    def write_mixed(self: Any, streams: Iterable[Iterable[Any]], random: Random) -> None:
        """What each partition says, in its order; which of them is next, chance says."""
        left = [list(stream) for stream in streams]
        while any(left):
            partition = random.choice([number for number, stream in enumerate(left) if stream])
            self.write(left[partition].pop(0), partition)

    def answered(self: Any, record: Answered, offset: int | None = None) -> None:
        """What stage 2 of partition 0 tells itself, from so far into its own log."""
        self.told_itself = self.told_itself + 1 if offset is None else offset
        header = (Position.HEADER, Position(2, 0, self.told_itself, 0).encode())
        self.log.append(Record(b"k", encode_record(record), (header,)))

    def repeat_answers(self: Any) -> None:
        """All that stage 2 told itself, once more, as after a crash."""
        self.log.extend([each for each in self.log if b'"type":"answered"' in (each.value or b"")])

    def activate(self: Any, number: int, name: str, from_tick: int) -> None:
        self.write(Activate(number, name, from_tick))

    def tick(self: Any, number: int, time: str | None = None) -> None:
        for partition in range(self.partitions):
            self.write(Progress(partition, number, time or tick_time(number)), partition)

    def run(self: Any) -> list[ReviewTrigger]:
        """Apply what was written since the last run; the triggers it gave."""
        outputs = apply(self.stage, self.log, self._applied)
        self._applied = len(self.log)
        self.outputs += outputs
        return triggers_of(outputs)

    def told(self: Any) -> list[tuple[str, str, str | None]]:
        """The same, short: what happened, at which event time, why."""
        return [(short(each), each.data.event_time, each.data.cause) for each in self.run()]


def apply(stage: Stage2, log: list[Record], first: int, last: int | None = None) -> list[Output]:
    chunk = log[first:last]
    if not chunk:
        return []
    end = first + len(chunk)
    return stage.apply(Batch("findings", 0, first, end - 1, end, encode_batch(chunk, first)))


def triggers_of(outputs: list[Output], topic: str = "review-triggers") -> list[ReviewTrigger]:
    values = [output.record.value for output in outputs if output.topic == topic]
    return [msgspec.json.decode(value, type=ReviewTrigger) for value in values if value is not None]


def facts_standing() -> int:
    """How many facts the whole process has in durable_rules, once those of forgotten owners are retracted."""
    gc.collect()
    latest = join.Facts()
    latest.put("here", 0)
    latest.close()
    return join.facts_in_process()


def short(trigger: ReviewTrigger) -> str:
    return trigger.type.split(".")[2]


def finding(
    transition: str,
    at: int,
    opened: int | None = None,
    *,
    rules: RuleSet,
    name: str = "high",
    status: str = "new",
    replaces: Finding | None = None,
    revision: int = 0,
    of: str = "traffic",
    tick: int = 0,
    c: str = "a",
    **fields: Any,
) -> Finding:
    """A finding at the end of day `at`."""
    series = series_key(of, {"c": c})
    bounds = WindowBounds(day(at - 1), day(at), at)
    silent = name == "quiet" and transition == "firing"
    point = Silence(None, day(at), day(at)) if silent else WindowPoint(bounds, 12.0, "sum", parts(12.0), ids(1))
    values: dict[str, Any] = {
        "id": finding_id(name, series, T0 + at * DAY, transition, revision),
        "rule": name,
        "kpi": of,
        "series": series,
        "dimensions": {"c": c},
        "transition": transition,
        "status": status,
        "revision": revision,
        "event_time": day(at),
        "opened_event_time": day(at if opened is None else opened),
        "scope": "quiet|source:crm" if name == "quiet" else series,
        "value": 12.0,
        "evidence": Evidence({"kind": name}, point, rules.hash),
        "episode": Episode(1, day(at), day(at), 12.0),
        "tick": tick,
        "tick_time": tick_time(tick),
        "cause": None if status == "new" else "late measurement",
        "replaces": None if replaces is None else replaces.id,
    }
    return Finding(**{**values, **fields})


def parts(value: float, time: str = "2024-01-01T00:00:00Z", count: int = 1) -> Parts:
    return Parts(count, value, value, value, count if value else 0, value, time)


def ids(count: int) -> Ids:
    return Ids(count, str(count), "first", "last")


def share(
    of: str, index: int, value: float, *, c: str = "a", revision: int = 0, name: str = "clash", member: str = ""
) -> JoinRecord:
    """A series' share of the window `index`; `member` tells series of one scope apart."""
    dimensions = {"c": c, **({"m": member} if member else {})}
    return JoinRecord(
        name,
        scope_key({"c": c}),
        of,
        series_key(of, dimensions),
        WindowBounds(day(index), day(index + 1), index),
        revision,
        parts(value, day(index)),
        ids(1),
        0,
    )


def signal(member: str, state: str, at: int, *, name: str = "both", c: str = "a", series: str = "x") -> Signal:
    transition = "firing" if state == "firing" else "resolved"
    return Signal(name, scope_key({"c": c}), member, series, f"f-{member}-{series}-{at}", state, day(at), 0, transition)
