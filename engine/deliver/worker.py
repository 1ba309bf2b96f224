"""The delivery worker: takes over the notification log, and delivers until it is told to stop or fails.

It knows neither Kafka nor receivers by kind: a `Log` and `Receiver`s are handed to it.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import structlog

from engine.deliver.intake import Intake
from engine.deliver.lane import Lane
from engine.deliver.pace import Pace
from engine.deliver.records import CLAIM_KEY, Attempt, Claim, Step
from engine.deliver.rule_sets import KnownRuleSets
from engine.deliver.takeover import gate_dump, take_over, wait_for_turn
from engine.errors import ConfigError
from engine.model.time import SECOND, format_time, parse_own_time
from engine.model.topics import SILENCES, TRIGGERS
from engine.notify.gate import Gate
from engine.wire.batch import Record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.deliver.desk import Desk
    from engine.deliver.ledger import Entry
    from engine.deliver.receiver import Receiver
    from engine.deliver.routes import Routes
    from engine.model.time import Micros
    from engine.runtime.ports import Log
    from engine.runtime.settings import StartAt
    from engine.telemetry.delivery_metrics import DeliveryMetrics
    from engine.telemetry.health import Health

_log = structlog.get_logger(__name__)

PART = "delivery"
ALIVE_IN_A_LEASE = 4


class _Timed(msgspec.Struct):
    time: str


class Clocks(NamedTuple):
    """The time of day, and a clock that only goes forward."""

    wall: Callable[[], Micros]
    steady: Callable[[], Micros]


class Site(NamedTuple):
    """Who delivers, and how: `worker` is a name that outlives restarts where it can, `lease` how long a worker of
    another name must have been silent, `start_at` where a first start begins.
    """

    worker: str
    lease: Micros
    start_at: StartAt
    pace: Pace = Pace()
    drain: Micros = 10 * SECOND
    hash_key: str | None = None


class Receivers(NamedTuple):
    """Whom there is to tell, made once the key is known that sensitive values are hidden by; and who is told what."""

    make: Callable[[KnownRuleSets, bytes], Sequence[Receiver]]
    routes: Routes


class DeliveryWorker:
    """Delivers what comes through `log` to `receivers`."""

    def __init__(
        self, log: Log, receivers: Receivers, site: Site, *, clocks: Clocks, health: Health, metrics: DeliveryMetrics
    ) -> None:
        self._log = log
        self._receivers = receivers
        self._site = site
        self._clocks = clocks
        self.health = health
        self.metrics = metrics
        self._rule_sets = KnownRuleSets(log)
        self._lanes: dict[str, Lane] = {}
        self._stopping = asyncio.Event()
        self._committed: dict[int, int] = {}

    def stop(self) -> None:
        """Finish what is being sent, and end in order."""
        self.health.drain()
        self._stopping.set()
        for lane in self._lanes.values():
            lane.stop()

    async def run(self) -> None:
        """Until `stop`. Raises EngineError, or what else made it fail; then nothing more is sent."""
        self.health.expect(PART, self._clocks.steady())
        desk = await self._take_over()
        if desk is None:
            return
        ready = desk.ledger.ready
        key = bytes.fromhex(self._site.hash_key or ("" if ready is None else ready.hash_key))
        receivers = self._receivers.make(self._rule_sets, key)
        try:
            await self._deliver(desk, receivers)
        finally:
            for receiver in receivers:
                await receiver.close()

    async def _take_over(self) -> Desk | None:
        """The notification log in our hands; None when told to stop while waiting for it."""
        waiting = asyncio.create_task(
            wait_for_turn(
                self._log,
                self._site.worker,
                lease=self._site.lease,
                clock=self._clocks.steady,
                waiting=self._say_waiting,
            )
        )
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            while not waiting.done() and not stopped.done():
                self.health.moved(PART, self._clocks.steady())
                await asyncio.wait({waiting, stopped}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.is_set():
                return None
            follower = await waiting
        finally:
            for task in (waiting, stopped):
                task.cancel()
            await asyncio.gather(waiting, stopped, return_exceptions=True)
        return await take_over(self._log, follower, self._site.worker, self._clocks.wall(), secrets.token_hex(16))

    def _say_waiting(self, worker: str) -> None:
        _log.info("another worker delivers, this one waits", worker=worker)

    async def _deliver(self, desk: Desk, receivers: Sequence[Receiver]) -> None:
        intake = await self._recover(desk)
        for receiver in receivers:
            receiver.restore(desk.ledger.kept.get(receiver.name, {}))
            lane = Lane(receiver, desk, self._site.pace, self.metrics, self._clocks.wall)
            lane.push(desk.ledger.unsettled(receiver.name))
            self._lanes[receiver.name] = lane
        await self._park_for_the_gone(desk)
        self.health.recovered(PART, self._clocks.steady())
        _log.info("delivery begins", term=desk.journal.term, undelivered=sum(desk.ledger.open.values()))
        if self._stopping.is_set():
            self.stop()
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(receiver.run()) for receiver in receivers]
            beside.append(group.create_task(self._keep_alive(desk)))
            lanes = [group.create_task(lane.run()) for lane in self._lanes.values()]
            await self._take_in(desk, intake)
            await _finish(lanes, self._site.drain)
            for task in beside:
                task.cancel()
        await self._leave(desk, intake)

    async def _recover(self, desk: Desk) -> Intake:
        data = await gate_dump(self._log, desk.ledger)
        await self._rule_sets.learn([""])
        gate = Gate(self._rule_sets.find) if data is None else Gate.load(data, self._rule_sets.find)
        intake = Intake(self._log, desk, gate, self._rule_sets, self._receivers.routes.receivers, self.metrics)
        await self._first_step(desk)
        await intake.recover()
        return intake

    async def _first_step(self, desk: Desk) -> None:
        """Where reading begins: at a first start, and in partitions of triggers that were not there before."""
        step = desk.ledger.step
        there = range(await self._log.partitions(TRIGGERS))
        if step is None:
            if self._site.start_at is None:
                raise ConfigError(
                    [
                        (
                            "start_at: nothing was ever delivered here: expected earliest (tell of all that stands in "
                            "review-triggers), latest (of what comes from now on) or a time, found none; set it"
                        )
                    ]
                )
            positions = {partition: await beginning(self._log, partition, self._site.start_at) for partition in there}
            silences = await self._log.start(SILENCES, 0)
            await desk.take_step(Step(0, self._clocks.wall(), positions, silences, 0), [])
        elif new := [partition for partition in there if partition not in step.positions]:
            positions = step.positions | {partition: await self._log.start(TRIGGERS, partition) for partition in new}
            await desk.take_step(msgspec.structs.replace(step, number=step.number + 1, positions=positions), [])

    async def _park_for_the_gone(self, desk: Desk) -> None:
        """What was for receivers that the delivery file has no longer is kept, and listed as undelivered."""
        now = format_time(self._clocks.wall())
        for entry in list(desk.ledger.entries.values()):
            for name in entry.head.receivers:
                if name not in self._lanes and not entry.is_settled(name):
                    why = "the delivery file has no such receiver any more"
                    await desk.settle(entry, name, Attempt("parked", 0, now, why), {})

    async def _take_in(self, desk: Desk, intake: Intake) -> None:
        """Read, let the gate decide, hand on to the lanes; until told to stop."""
        pace, committed = self._site.pace, self._clocks.steady()
        while not self._stopping.is_set():
            moved = await self._one_round(desk, intake)
            now = self._clocks.steady()
            self.health.moved(PART, now)
            if now - committed >= pace.commit:
                await self._commit(desk)
                committed = now
            if not moved:
                await _sleep(self._stopping, pace.poll)
        await self._commit(desk)

    async def _one_round(self, desk: Desk, intake: Intake) -> bool:
        await desk.journal.look()
        asked = await intake.take_requests()
        moved, entries = await intake.advance(self._clocks.wall())
        self._push([*asked, *entries])
        self._show(desk)
        return moved

    def _push(self, entries: Sequence[Entry]) -> None:
        for name, lane in self._lanes.items():
            if mine := [entry for entry in entries if name in entry.head.receivers]:
                lane.push(mine)

    def _show(self, desk: Desk) -> None:
        parked = dict.fromkeys(self._lanes, 0)
        for _, name, _ in desk.ledger.parked():
            parked[name] = parked.get(name, 0) + 1
        for name, count in parked.items():
            self.metrics.undelivered.labels(name).set(count)
            self.metrics.delivery_backlog.labels(name).set(desk.ledger.open[name])

    async def _commit(self, desk: Desk) -> None:
        """For operators to see: all below it is settled with every receiver. Nothing of ours reads it."""
        step = desk.ledger.step
        for partition, offset in desk.ledger.settled_below(() if step is None else step.positions).items():
            end = await self._log.end(TRIGGERS, partition)
            read = offset if step is None else step.positions[partition]
            self.metrics.delivery_lag.labels(str(partition)).set(max(0, end - read))
            if self._committed.get(partition) != offset:
                await self._log.commit(TRIGGERS, partition, offset)
                self._committed[partition] = offset

    async def _keep_alive(self, desk: Desk) -> None:
        """Let those who wait see that this worker lives."""
        while True:
            await desk.write([Record(desk.key("alive"), format_time(self._clocks.wall()).encode())])
            await asyncio.sleep(self._site.lease / ALIVE_IN_A_LEASE / SECOND)

    async def _leave(self, desk: Desk, intake: Intake) -> None:
        await intake.dump()
        left = Claim(self._site.worker, format_time(self._clocks.wall()), left=True)
        await desk.write([Record(CLAIM_KEY, msgspec.json.encode(left))])
        await desk.journal.close()


async def beginning(log: Log, partition: int, start_at: StartAt) -> int:
    """Where `start_at` is in a partition of triggers: a time is that of the triggers."""
    if start_at == "latest":
        return await log.end(TRIGGERS, partition)
    offset = await log.start(TRIGGERS, partition)
    while isinstance(start_at, int) and (batch := await log.read(TRIGGERS, partition, offset)) is not None:
        for record in records(batch):
            try:
                time = parse_own_time(msgspec.json.decode(record.value or b"", type=_Timed).time)
            except (msgspec.MsgspecError, ValueError):
                continue  # it is said when it is read
            if time >= start_at:
                return record.offset
        offset = batch.next_offset
    return offset


async def _finish(lanes: Sequence[asyncio.Task[None]], drain: Micros) -> None:
    """Wait for what is being sent; what takes longer than `drain` is sent again at the next start."""
    if lanes:
        _, late = await asyncio.wait(lanes, timeout=drain / SECOND)
        for task in late:
            task.cancel()


async def _sleep(stopping: asyncio.Event, duration: Micros) -> None:
    try:
        async with asyncio.timeout(duration / SECOND):
            await stopping.wait()
    except TimeoutError:
        pass
