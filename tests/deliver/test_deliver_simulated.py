"""A worker that dies at each point where it can: before, in the middle of and after every append and every sending."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from deliver_world import Got, in_order, life, make_worker, memory_log, output, run_until, undelivered, until

from engine.deliver.receiver import Delivered, Failed, Result
from engine.deliver.records import Attempt, Note, parse_key
from engine.model.audit import Matcher, Silence
from engine.model.time import format_time
from engine.model.topics import DELIVERIES, SILENCES
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.deliver.worker import DeliveryWorker
    from engine.notify.notification import Notification
    from engine.runtime.memory_log import MemoryLog

LIFE = ("opened", "acknowledged", "overdue", "resolved")


class CrashError(BaseException):
    """The process is gone: nothing of it happens any more."""


class Fate:
    """Lets a process die at its `at`-th point."""

    def __init__(self, at: int | None, chance: random.Random) -> None:
        self._at = at
        self.chance = chance
        self.points = 0
        self.dead = False

    def pass_point(self) -> None:
        if not self.dead and self.points == self._at:
            self.dead = True
        self.points += 1
        if self.dead:
            raise CrashError


class MortalLog:
    """A log of which a process that dies may append a part."""

    def __init__(self, log: MemoryLog, fate: Fate) -> None:
        self._log, self._fate = log, fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        await asyncio.sleep(0)
        self._fate.pass_point()
        try:
            self._fate.pass_point()
        except CrashError:
            self._log.append_now(outputs[: self._fate.chance.randrange(len(outputs) + 1)])
            raise
        places = self._log.append_now(outputs)
        await asyncio.sleep(0)
        self._fate.pass_point()
        return places


class MortalReceiver(Got):
    """Outlives the worker: `fate` is that of the worker which sends now."""

    fate = Fate(None, random.Random(0))
    unnoted = 0
    """How often it has got something, and the worker died before it had noted that."""

    async def send(self, notification: Notification, *, redelivered: bool) -> Result:
        self.fate.pass_point()
        result = await super().send(notification, redelivered=redelivered)
        self.fate.pass_point()
        return result


def silence() -> Output:
    """Holds back a review until it ends."""
    made = Silence(
        "s", (Matcher("channel", "c2"),), "kim", "moving", "2020-01-01T00:00:00Z", format_time(2**51), ended_by=None
    )
    return Output(SILENCES, 0, Record(b"s", encode_record(made)))


def run_once(log: MemoryLog, receivers: list[MortalReceiver], fate: Fate, expected: int) -> bool:
    """Run a worker until everything is told, or until it dies; whether it died. It repeats nothing that is settled."""
    settled = noted_as_sent(log)
    before = {receiver.name: len(receiver.got) for receiver in receivers}
    died = _run(log, receivers, fate, expected)
    for receiver in receivers:
        for identifier in receiver.ids[before[receiver.name] :]:
            assert (receiver.name, identifier) not in settled, "a repeat of what the log called sent"
    return died


def noted_as_sent(log: MemoryLog) -> set[tuple[str, str]]:
    """Receiver and id of all that the notification log has ever said to be sent."""
    ids: dict[str, str] = {}
    sent: set[tuple[str, str]] = set()
    for record in log.records(DELIVERIES, 0):
        key = parse_key(record.key)
        if key is None or record.value is None:
            continue
        if key.kind == "note":
            ids[key.rest[0]] = msgspec.json.decode(record.value, type=Note).notification.id
        elif key.kind == "at" and msgspec.json.decode(record.value, type=Attempt).phase == "sent":
            sent.add((key.rest[1], ids[key.rest[0]]))
    return sent


def _run(log: MemoryLog, receivers: list[MortalReceiver], fate: Fate, expected: int) -> bool:
    for receiver in receivers:
        receiver.fate = fate

    worker: list[DeliveryWorker] = []
    before = {receiver.name: len(receiver.got) for receiver in receivers}

    async def play() -> None:
        worker.append(made := make_worker(MortalLog(log, fate), receivers))
        running = asyncio.create_task(made.run())

        def told() -> bool:
            return all(len(set(receiver.ids)) == expected for receiver in receivers) and undelivered(log) == 0

        await until(lambda: told() or fate.dead, running)
        made.stop()
        await running

    try:
        asyncio.run(play())
    except (CrashError, BaseExceptionGroup):
        assert fate.dead
    for receiver in receivers:
        noted = worker[0].metrics.registry.get_sample_value(
            "counterpoint_deliveries_total", {"receiver": receiver.name}
        )
        receiver.unnoted += len(receiver.got) - before[receiver.name] - int(noted or 0)
    return fate.dead


def check(receivers: list[MortalReceiver], expected: set[str], deaths: int) -> None:
    for receiver in receivers:
        assert set(receiver.ids) == expected
        assert in_order(receiver.ids)
        seen: set[str] = set()
        for identifier, redelivered in receiver.got:
            assert redelivered or identifier not in seen, "a repeat that is not marked"
            seen.add(identifier)
        repeats = Counter(receiver.ids).total() - len(expected)
        assert repeats <= min(receiver.unnoted, deaths * receiver.at_once), "more repeats than there were in flight"


def world() -> tuple[MemoryLog, list[MortalReceiver], set[str]]:
    log = memory_log()
    log.append_now([silence()])
    lives = [life(number, *LIFE) for number in range(3)]
    log.append_now([output(each) for made in lives for each in made])
    told = {each.id for made in lives for each in made}
    # What ends a silenced review passes; the rest of it is held back.
    told -= {each.id for each in lives[2][:-1]}
    return log, [MortalReceiver("mail"), MortalReceiver("hook")], told


def points_of_a_whole_run() -> int:
    log, receivers, told = world()
    fate = Fate(None, random.Random(0))
    assert not run_once(log, receivers, fate, len(told))
    check(receivers, told, 0)
    return fate.points


def test_a_worker_may_die_at_any_point():
    points = points_of_a_whole_run()
    assert points > 60
    died = 0
    for at in range(points):
        log, receivers, told = world()
        died += run_once(log, receivers, Fate(at, random.Random(at)), len(told))
        assert not run_once(log, receivers, Fate(None, random.Random(at)), len(told))
        check(receivers, told, 1)
        assert undelivered(log) == 0
    assert died > points // 2


@pytest.mark.parametrize("seed", range(12))
def test_a_worker_may_die_again_and_again(seed: int):
    chance = random.Random(seed)
    log, receivers, told = world()
    for receiver in receivers:
        receiver.answer = lambda _: Failed("busy") if chance.random() < 0.2 else Delivered()
    deaths = 0
    while run_once(log, receivers, Fate(chance.randrange(5, 60), chance), len(told)):
        deaths += 1
        if chance.random() < 0.3:
            log.compact(DELIVERIES, 0, tombstones=chance.random() < 0.5)
    check(receivers, told, deaths)
    assert undelivered(log) == 0


def test_what_the_gate_knew_it_knows_again_after_a_crash():
    """It was never written as a whole; the steps since the beginning are made again."""
    log, got = memory_log(), MortalReceiver("mail")
    made = life(2, *LIFE)
    log.append_now([silence(), output(made[0]), output(life(1, "opened")[0])])
    fate = Fate(None, random.Random(0))
    got.fate = fate

    async def die() -> None:
        running = asyncio.create_task(make_worker(MortalLog(log, fate), [got]).run())
        await until(lambda: len(got.got) == 1 and undelivered(log) == 0, running)
        fate.dead = True
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(die())
    log.append_now([output(each) for each in made[1:]])
    got.fate = Fate(None, random.Random(0))
    asyncio.run(run_until(make_worker(log, [got]), lambda: len(got.got) == 2))
    assert got.ids[1:] == [made[-1].id], "all but the end is silenced"
