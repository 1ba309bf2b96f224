"""A little shop whose five months make a trigger of every kind: real stages over an in-memory log."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from memory_installation import MemoryInstallation

from engine.model.measurement import Measurement
from engine.model.records import ReviewCommand
from engine.model.time import DAY, HOUR, MINUTE, Micros, format_time, parse_own_time
from engine.model.trigger import ReviewTrigger, TriggerData
from engine.offline.explain.explanation import Explanation, explain
from engine.offline.explain.given import given
from engine.rules.loader import load_or_raise
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.ruleset import RuleSet
    from engine.runtime.memory_log import MemoryLog

RULES = Path(__file__).parent / "rules.yaml"
MONDAY = parse_own_time("2024-03-11T00:00:00Z")
Timed = tuple[Micros, Measurement]


def at(day: int, hour: float = 0) -> Micros:
    return MONDAY + day * DAY + round(hour * HOUR)


def history() -> list[Timed]:
    return sorted([*_orders(), *_tickets(), *_latency(), *_wait()], key=lambda pair: (pair[0], str(pair[1].id)))


def _measured(time: Micros, kpi: str, value: float, name: str, **dimensions: str) -> Timed:
    return time, Measurement(kpi, format_time(time), value, dimensions, f"{kpi}-{name}", "till")


def _orders() -> Iterator[Timed]:
    """Europe falls on day 16, jumps on day 23, grows from day 28; the States fall silent after day 18, for six days."""
    odd = {16: 41.0, 23: 168.0, 28: 118.0, 29: 122.0, 30: 131.5, 31: 129.0, 32: 134.0, 33: 133.0}
    for day in range(36):
        value = odd.get(day, 100.0 + (day * 7) % 5)
        yield _measured(at(day, 9), "orders", value, f"eu-{day}", region="eu")
        if not 18 < day < 25:
            yield _measured(at(day, 10), "orders", 50.0 + day % 3, f"us-{day}", region="us")


def _tickets() -> Iterator[Timed]:
    """A fifth of the orders; a third from day 29 on, and none any more after day 31."""
    for day in range(32):
        for channel, count in (("web", 15 if day < 29 else 34), ("phone", 5 if day < 29 else 12)):
            for number in range(count):
                name = f"{channel}-{day}-{number}"
                yield _measured(at(day, 8) + number * 5 * MINUTE, "tickets", 1, name, region="eu", channel=channel)


def _latency() -> Iterator[Timed]:
    """Three pages on day 2: one slow and then out of its range, one in the old range, one too fast to be true."""
    slow = {9: 2.6, 10: 3.1, 11: 3.4, 12: 11.5, 13: 2.2, 14: 1.9}
    for hour in range(24):
        for page, value in (
            ("home", slow.get(hour, 1.0)),
            ("cart", 1.5 if hour in (11, 12) else 1.0),
            ("help", 0.15 if hour in (15, 16) else 1.0),
        ):
            for minute in (10, 40):
                yield _measured(at(2, hour) + minute * MINUTE, "latency", value, f"{page}-{hour}-{minute}", page=page)
    for page in ("about", "blog", "jobs", "press"):
        for hour in range(8, 14):
            value = 5.0 if hour in (9, 10) else 1.0
            yield _measured(at(4, hour), "latency", value, f"{page}-{hour}", page=page)


def _wait() -> Iterator[Timed]:
    """Three desks from day 0 to 149: from day 60 one waits longer for good, one for 15 days, one from day to day."""
    for day in range(150):
        noise = ((day * 7919) % 101) / 50 - 1
        for desk, more in (
            ("lasting", 6.0 if day >= 60 else 0.0),
            ("passing", 6.0 if 60 <= day < 75 else 0.0),
            ("growing", 0.25 * max(0, day - 60)),
        ):
            yield _measured(at(day, 11), "wait", round(20 + noise + more, 2), f"{desk}-{day}", desk=desk)


class World(NamedTuple):
    """What stands in the log when all is done, and the triggers in the order that they were written."""

    log: MemoryLog
    rule_set: RuleSet
    triggers: list[bytes]

    def of(self, rule: str, happening: str, ordinal: int | None = None, scope: str = "") -> bytes:
        """The first trigger of that kind."""
        for value in self.triggers:
            trigger = msgspec.json.decode(value, type=ReviewTrigger)
            data = trigger.data
            named = (data.rule, trigger.type.split(".")[2]) == (rule, happening) and scope in data.scope
            if named and ordinal in (None, data.ordinal):
                return value
        raise LookupError(f"no {happening} of {rule}")


def explained(value: bytes | dict[str, Any]) -> Explanation:
    """What explain says of an event, as bytes or decoded."""
    return explain(given(msgspec.json.decode(value) if isinstance(value, bytes) else value))


@cache
def world() -> World:
    """Always the same one: leave it as it is."""
    return make_world()


def make_world(**changed: float) -> World:
    """One of the test's own. `changed`: values of measurements by id, dashes as underscores."""
    values = {name.replace("_", "-"): value for name, value in changed.items()}
    installation = MemoryInstallation(load_or_raise([RULES]))
    told = [
        (time, msgspec.structs.replace(each, value=values.get(str(each.id), each.value))) for time, each in history()
    ]
    installation.run(told, 4 * DAY)
    installation.append_findings(_answers(installation.triggers))
    installation.append_findings(())  # what a partition told another
    installation.close()
    return World(installation.log, installation.rule_set, installation.triggers)


def _answers(triggers: list[bytes]) -> list[Record]:
    """Somebody sees the conflict, and answers; and four pages were slow for no reason."""
    told = [msgspec.json.decode(value, type=ReviewTrigger) for value in triggers]
    conflict = next(trigger.data for trigger in told if trigger.data.rule == "growth-paid-for")
    time = format_time(at(40))
    commands = [
        (conflict, ReviewCommand("c-1", conflict.review, "acknowledge", "ann", time)),
        (
            conflict,
            ReviewCommand("c-2", conflict.review, "resolve", "ann", time, "a campaign for bargain hunters", "real"),
        ),
    ]
    for number, each in enumerate(_opened(told, "latency-worse")):
        if "home" not in each.scope:
            command = ReviewCommand(f"c-{number + 3}", each.review, "resolve", "bob", time, verdict="false_alarm")
            commands.append((each, command))
    return [Record(data.command_key.encode(), encode_record(command)) for data, command in commands]


def _opened(told: list[ReviewTrigger], rule: str) -> list[TriggerData]:
    return [each.data for each in told if each.data.rule == rule and each.data.ordinal == 1]
