"""What Alertmanager is told is on is what is open and was told: through silences, restarts and every way to end."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING

import msgspec
import pytest
from deliver_world import (
    make_worker,
    memory_log,
    output,
    review_id,
    run_until,
    trigger,
    undelivered,
    wall_clock,
)

from engine.deliver.alertmanager import Alertmanager
from engine.deliver.alerts import Alert
from engine.deliver.message import Writer
from engine.deliver.spec import AlertmanagerSpec
from engine.deliver.takeover import Follower, gate_dump
from engine.model.audit import Matcher, Silence
from engine.model.time import HOUR, format_time
from engine.model.topics import DELIVERIES, SILENCES, TRIGGERS
from engine.notify.gate import Gate
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from local_receivers import HttpSink

    from engine.model.trigger import ReviewTrigger
    from engine.runtime.memory_log import MemoryLog

REVIEWS = 12
MIDDLE = ("updated", "acknowledged", "overdue", "escalated", "commented", "alert_ended")
ENDS = ("resolved", "withdrawn")


def silence(number: int) -> Output:
    now = wall_clock()
    matchers = (Matcher("channel", f"c{number}"),)
    made = Silence(f"s{number}", matchers, "kim", "moving", format_time(now - HOUR), format_time(now + HOUR))
    return Output(SILENCES, 0, Record(made.id.encode(), encode_record(made)))


def life(number: int, chance: random.Random) -> list[ReviewTrigger]:
    happenings = ["opened", *chance.choices(MIDDLE, k=chance.randrange(4))]
    if chance.random() < 0.5:
        happenings.append(chance.choice(ENDS))
        if chance.random() < 0.3:
            happenings.append("reopened")
    states = {"withdrawn": {"state": "withdrawn", "alert": "over"}, "alert_ended": {"alert": "over"}}
    return [trigger(number, at, name, **states.get(name, {})) for at, name in enumerate(happenings, 1)]


def manager(sink: HttpSink) -> Alertmanager:
    spec = AlertmanagerSpec(kind="receiver", id="alerts", type="alertmanager", url=sink.url)
    return Alertmanager(spec, Writer(b"key", lambda owner, _: owner), wall_clock)


async def sets(log: MemoryLog) -> tuple[set[str], set[str]]:
    """The reviews that the receiver keeps as on, and those that the gate calls told."""
    follower = Follower(log)
    await follower.read_to(await log.end(DELIVERIES, 0))
    ledger = follower.found.ledger
    assert ledger is not None
    kept = {review: msgspec.json.decode(value, type=Alert) for review, value in ledger.kept["alerts"].items()}
    data = await gate_dump(log, ledger)
    assert data is not None
    told = Gate.load(data, lambda _: None).told
    return {review for review, alert in kept.items() if alert.ended is None}, set(told)


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_the_gate_has_told_and_is_open(seed: int, sink: HttpSink):
    chance, log = random.Random(seed), memory_log()
    lives = {number: life(number, chance) for number in range(REVIEWS)}
    log.append_now([silence(number) for number in chance.sample(range(REVIEWS), 3)])
    for _ in range(3):
        for made in lives.values():
            count = chance.randrange(len(made) + 1)
            log.append_now([output(each) for each in made[:count]])
            del made[:count]
        read = {partition: len(log.records(TRIGGERS, partition)) for partition in range(2)}
        worker = make_worker(log, [manager(sink)])
        asyncio.run(run_until(worker, lambda read=read: _is_read(log, read) and undelivered(log) == 0))
        on, told = asyncio.run(sets(log))
        assert on == told
    silenced = {review_id(number) for number in range(REVIEWS)} - told
    last = {each["labels"]["review"]: each for request in sink.requests for each in json.loads(request.body)}
    now = format_time(wall_clock())
    assert {review for review, alert in last.items() if alert["endsAt"] > now} == on
    assert silenced


def _is_read(log: MemoryLog, read: dict[int, int]) -> bool:
    return all(log.committed.get((TRIGGERS, partition), 0) == count for partition, count in read.items())
