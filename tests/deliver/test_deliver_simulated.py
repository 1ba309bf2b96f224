"""A worker that dies at each point where it can: before, in the middle of and after every append and every sending."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from deliver_world import Got, in_order, life, make_worker, memory_log, output, undelivered, until

from engine.deliver.receiver import Delivered, Failed, Result
from engine.model.audit import Matcher, Silence
from engine.model.time import format_time
from engine.model.topics import SILENCES
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """Run a worker until everything is told, or until it dies; whether it died."""
    for receiver in receivers:
        receiver.fate = fate

    async def play() -> None:
        worker = make_worker(MortalLog(log, fate), receivers)
        running = asyncio.create_task(worker.run())

        def told() -> bool:
            return all(len(set(receiver.ids)) == expected for receiver in receivers) and undelivered(log) == 0

        await until(lambda: told() or fate.dead, running)
        worker.stop()
        await running

    try:
        asyncio.run(play())
    except (CrashError, BaseExceptionGroup):
        assert fate.dead
        return True
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
        assert repeats <= deaths * receiver.at_once, "more repeats than there were in flight"


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
            log.compact("deliveries", 0, tombstones=chance.random() < 0.5)
    check(receivers, told, deaths)
    assert undelivered(log) == 0
