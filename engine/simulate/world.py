"""Workers, their partitions and a sender, stepped by hand; one seeded generator decides all that happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from engine.model.topics import CHECKPOINTS, FINDINGS, MEASUREMENTS
from engine.runtime.memory_log import MemoryLog
from engine.runtime.processor import Place, Processor, stage_1_place, stage_2_place
from engine.runtime.rule_sets import request_activation
from engine.simulate.owner import IDLE, own
from engine.simulate.stepped_log import SteppedLog, pause
from engine.simulate.watch import Watch, require

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from random import Random

    from engine.simulate.faults import Faults
    from engine.simulate.subject import Subject

    Running = Coroutine[str, None, None]

ResultT = TypeVar("ResultT")

CALM_STEPS_MAX = 60_000
"""A world without faults that has not come to rest after so many steps never will."""


def finish(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of a coroutine that waits for nothing, as those of the log in memory do."""
    try:
        work.send(None)
    except StopIteration as done:
        result: ResultT = done.value
        return result
    raise RuntimeError("it waits for something")


def _places(subject: Subject) -> Iterator[Place]:
    measurements = subject.partitions[MEASUREMENTS]
    yield from (stage_1_place(partition) for partition in range(measurements))
    yield from (stage_2_place(partition, measurements) for partition in range(subject.partitions[FINDINGS]))


class _Zombie(NamedTuple):
    """An owner that does not know that it is none any more."""

    worker: int
    place: Place
    running: Running
    wakes: int
    ends: int


class World:
    """`run` until every input is read to its end and bound to a manifest."""

    def __init__(self, subject: Subject, faults: Faults, rng: Random) -> None:
        self.subject = subject
        self.memory = MemoryLog(subject.partitions)
        self.watch = Watch(subject.partitions[MEASUREMENTS])
        self.events: list[str] = []
        """What went wrong, with the step, for whoever reads a failure."""
        self._faults = faults
        self._rng = rng
        self._places = list(_places(subject))
        self._processors: dict[tuple[int, Place], Processor] = {}
        self._owner: dict[Place, int] = {}
        self._running: dict[Place, Running] = {}
        self._zombies: list[_Zombie] = []
        self._sender: Running | None = self._send()
        self._draining = False
        self._settled: set[Place] = set()
        """Where the present owner has acquired the partition and read it to its end at least once."""
        self._step = 0

    def run(self) -> None:
        """Let everything happen; InvariantError when it does not end as it must."""
        for request in self.subject.requests[:1]:
            finish(request_activation(self.memory, request.hash, request.from_tick))
        for place in self._places:
            self._assign(place, self._rng.randrange(self._faults.workers))
        while self._step < self._faults.steps:
            self._disturb()
            self._advance()
        self._end_zombies(lambda _: True)
        while self._running:
            require(self._step < self._faults.steps + CALM_STEPS_MAX, "the world never comes to rest")
            self._draining = self._draining or self._at_rest()
            self._advance()

    def processor(self, place: Place) -> Processor:
        """The processor that owned the place last."""
        return self._processors[self._owner[place], place]

    @property
    def places(self) -> list[Place]:
        """Every stage's every partition."""
        return self._places

    async def _send(self) -> None:
        """The sender: feeds measurements in portions and asks for other rules on the way. It does not fail."""
        fed, requests = 0, list(self.subject.requests[1:])
        while fed < len(self.subject.feed):
            portion = self.subject.feed[fed : fed + self._rng.randint(1, self._faults.portion_max)]
            self.memory.append_now(portion)
            fed += len(portion)
            while requests and fed >= requests[0].fed:
                await request_activation(self.memory, requests[0].hash, requests[0].from_tick)
                requests.pop(0)
            await pause("sent")

    def _advance(self) -> None:
        """One step of one of those who can take one."""
        self._step += 1
        self._end_zombies(lambda zombie: self._step >= zombie.ends)
        awake = [zombie.running for zombie in self._zombies if self._step >= zombie.wakes]
        able = [*self._running.values(), *awake, *([self._sender] if self._sender else [])]
        if not able:
            return
        chosen = self._rng.choice(able)
        try:
            if chosen.send(None) == IDLE:
                self._settled |= {place for place, running in self._running.items() if running is chosen}
        except StopIteration:
            if chosen is self._sender:
                self._sender = None
            self._running = {place: running for place, running in self._running.items() if running is not chosen}
            self._zombies = [zombie for zombie in self._zombies if zombie.running is not chosen]

    def _at_rest(self) -> bool:
        """Nothing more will come and everything that came was taken."""
        return (
            self._sender is None
            and self._settled.issuperset(self._places)
            and all(
                self.processor(place).ready and self.processor(place).position == self._end(place)
                for place in self._places
            )
        )

    def _end(self, place: Place) -> int:
        return finish(self.memory.end(place.topic, place.partition))

    def _end_zombies(self, doomed: Callable[[_Zombie], bool]) -> None:
        """They learn what has happened, in the middle of whatever they were doing."""
        for zombie in self._zombies:
            if doomed(zombie):
                zombie.running.close()
        self._zombies = [zombie for zombie in self._zombies if not doomed(zombie)]

    def _disturb(self) -> None:
        faults, rng = self._faults, self._rng
        if rng.random() < faults.crash:
            self._crash(rng.randrange(faults.workers))
        if rng.random() < faults.rebalance:
            self._move(rng.choice(self._places))
        if rng.random() < faults.pause:
            self._pause(rng.randrange(faults.workers))
        if rng.random() < faults.compact:
            self._compact(rng.randrange(self.subject.partitions[CHECKPOINTS]))
        if rng.random() < faults.gap:
            place = rng.choice(self._places)
            self._note(f"gap in {place}")
            self.memory.skip(place.topic, place.partition, rng.randint(1, 3))

    def _crash(self, worker: int) -> None:
        """All that the worker had in memory is gone; it comes back at once, or others take over."""
        self._note(f"worker {worker} crashes")
        self._end_zombies(lambda zombie: zombie.worker == worker)
        lost = [place for place in self._places if self._owner[place] == worker]
        for place in lost:
            self._stop(place)
        self._processors = {key: kept for key, kept in self._processors.items() if key[0] != worker}
        for place in lost:
            self._assign(place, self._rng.randrange(self._faults.workers))

    def _move(self, place: Place) -> None:
        """A rebalance: what the owner was doing breaks off, and it keeps its memory of the partition."""
        self._stop(place)
        self._assign(place, self._rng.randrange(self._faults.workers))

    def _pause(self, worker: int) -> None:
        """The worker stands still, loses its partitions, and goes on later as if nothing had been."""
        others = [other for other in range(self._faults.workers) if other != worker]
        wakes = self._step + self._rng.randint(1, 100)
        self._note(f"worker {worker} stands still until {wakes}")
        for place in [place for place in self._places if self._owner[place] == worker]:
            if place in self._running:
                zombie = _Zombie(worker, place, self._running.pop(place), wakes, wakes + self._faults.zombie_steps)
                self._zombies.append(zombie)
            self._assign(place, self._rng.choice(others))

    def _compact(self, partition: int) -> None:
        end = finish(self.memory.end(CHECKPOINTS, partition))
        tombstones = self._rng.choice((False, True))
        below = self._rng.randint(0, end)
        self._note(f"compaction of checkpoints[{partition}] below {below}, tombstones kept: {tombstones}")
        self.memory.compact(CHECKPOINTS, partition, below=below, tombstones=tombstones)

    def _assign(self, place: Place, worker: int) -> None:
        self._note(f"{place} to worker {worker}")
        self._end_zombies(lambda zombie: (zombie.worker, zombie.place) == (worker, place))
        self._owner[place] = worker
        self._settled.discard(place)
        log = SteppedLog(self.memory, self._faults, self._rng, self.watch, lambda: self._owner[place] != worker)
        processor = self._processors.get((worker, place))
        if processor is None:
            processor = self._processors[worker, place] = Processor(
                log, place, lambda: self.subject.make_stage(place.topic, place.partition)
            )
        self._running[place] = own(processor, log, self._faults, self._rng, lambda: self._draining)

    def _stop(self, place: Place) -> None:
        running = self._running.pop(place, None)
        if running is not None:
            running.close()

    def _note(self, what: str) -> None:
        self.events.append(f"{self._step}: {what}")
