"""One receiver's lane: its notifications, in order per review, until it has them or they are given up.

Lanes do not wait for each other, nor do the reviews in a lane: what fails waits for its next attempt with whatever
else is to be told of the same review behind it, and the others pass.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import structlog

from engine.deliver.receiver import Delivered, Failed, Refused
from engine.deliver.records import Attempt
from engine.model.time import SECOND, format_time, parse_own_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.deliver.desk import Desk
    from engine.deliver.ledger import Entry
    from engine.deliver.pace import Pace
    from engine.deliver.receiver import Receiver, Result
    from engine.model.time import Micros
    from engine.notify.notification import Notification
    from engine.telemetry.delivery_metrics import DeliveryMetrics

_log = structlog.get_logger(__name__)

TAKEN_UP_MAX = 500
"""Notifications of a lane that are being sent or wait for their next attempt; further ones are not looked at."""


class Lane:
    """Tells `receiver` what is pushed, until it is stopped. `clock` is the time of day."""

    def __init__(
        self, receiver: Receiver, desk: Desk, pace: Pace, metrics: DeliveryMetrics, clock: Callable[[], Micros]
    ) -> None:
        self.receiver = receiver
        self._desk = desk
        self._pace = pace
        self._metrics = metrics
        self._clock = clock
        self._waiting: deque[Entry] = deque()
        self._lines: dict[str, deque[Entry]] = {}
        self._taken_up = 0
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._slots = asyncio.Semaphore(receiver.at_once)

    def push(self, entries: Iterable[Entry]) -> None:
        """Further notifications for this receiver, in order."""
        self._waiting.extend(entries)
        self._changed.set()

    def stop(self) -> None:
        """Finish what is being sent, and begin nothing more."""
        self._stopping.set()
        self._changed.set()

    async def run(self) -> None:
        """Until `stop`; raises what the log raises."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                self._changed.clear()
                while self._waiting and self._taken_up < TAKEN_UP_MAX:
                    self._take_up(self._waiting.popleft(), group)
                await self._changed.wait()

    def _take_up(self, entry: Entry, group: asyncio.TaskGroup) -> None:
        self._taken_up += 1
        line = self._lines.get(entry.head.line)
        if line is not None:
            line.append(entry)
            return
        self._lines[entry.head.line] = deque([entry])
        group.create_task(self._work_off(entry.head.line))

    async def _work_off(self, name: str) -> None:
        line = self._lines[name]
        while line and await self._deliver(line[0]):
            line.popleft()
            self._taken_up -= 1
            self._changed.set()
        if not line:
            del self._lines[name]

    async def _deliver(self, entry: Entry) -> bool:
        """Try until it is settled; False when the worker stops before."""
        name, before = self.receiver.name, entry.attempts.get(self.receiver.name)
        notification = await self._desk.contents(entry)
        since = format_time(self._clock()) if before is None else before.since
        attempts = 0 if before is None else before.attempts
        redelivered = entry.head.again or before is not None
        failures = 0
        while not self._stopping.is_set():
            attempts += 1
            async with self._slots:
                if self._stopping.is_set():
                    break
                await self._desk.begin(entry, name, Attempt("sending", attempts, since))
                result = await self._send(notification, redelivered=redelivered)
            settled = self._settled(result, since)
            if isinstance(settled, Failed):
                failures += 1
                redelivered |= settled.uncertain
                await self._pause(max(self._pace.delay(failures), settled.after), since)
            else:
                await self._settle(entry, settled, Attempt("sent", attempts, since))
                return True
        return False

    async def _send(self, notification: Notification, *, redelivered: bool) -> Result:
        name, begun = self.receiver.name, self._clock()
        if redelivered:
            self._metrics.redeliveries.labels(name).inc()
        with self._metrics.deliveries_in_flight.labels(name).track_inprogress():
            try:
                result = await self.receiver.send(notification, redelivered=redelivered)
            except Exception as error:  # noqa: BLE001 - one notification that cannot be sent must not keep back the others; it is parked, where people see it
                result = Refused(f"the receiver itself failed: {error!r}")
        self._metrics.delivery.labels(name).observe((self._clock() - begun) / SECOND)
        return result

    def _settled(self, result: Result, since: str) -> Result:
        """What came of an attempt, once the patience with it is considered."""
        if isinstance(result, Failed):
            if self._clock() - parse_own_time(since) >= self._pace.give_up_after:
                return Refused(f"given up: {result.why}")
            self._metrics.delivery_retries.labels(self.receiver.name).inc()
        return result

    async def _settle(self, entry: Entry, result: Delivered | Refused, attempt: Attempt) -> None:
        name = self.receiver.name
        if isinstance(result, Delivered):
            await self._desk.settle(entry, name, attempt, result.kept)
            self._metrics.deliveries.labels(name).inc()
            return
        parked = Attempt("parked", attempt.attempts, attempt.since, result.why)
        await self._desk.settle(entry, name, parked, {})
        self._metrics.deliveries_parked.labels(name).inc()
        _log.error("notification could not be delivered", receiver=name, number=entry.head.number, why=result.why)

    async def _pause(self, delay: Micros, since: str) -> None:
        """Until the next attempt; the last one is made when patience ends, however long the receiver asks to wait."""
        left = parse_own_time(since) + self._pace.give_up_after - self._clock()
        try:
            async with asyncio.timeout(max(0, min(delay, left)) / SECOND):
                await self._stopping.wait()
        except TimeoutError:
            pass
