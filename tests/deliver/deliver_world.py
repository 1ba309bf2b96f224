"""Reviews as triggers, receivers that remember, and workers on a log: what the tests of delivery share."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from prometheus_client import CollectorRegistry

from engine.deliver.pace import Pace
from engine.deliver.receiver import Delivered, Result
from engine.deliver.worker import Clocks, DeliveryWorker, Receivers, Site
from engine.model.identity import digest, trigger_id
from engine.model.time import MILLISECOND, MINUTE, SECOND, format_time
from engine.model.topics import DELIVERIES, OWN_TOPICS, TRIGGERS
from engine.model.trigger import SOURCE, KpiSummary, ReviewTrigger, TriggerData, event_type
from engine.runtime.memory_log import MemoryLog
from engine.runtime.ports import Output
from engine.telemetry.delivery_metrics import DeliveryMetrics
from engine.telemetry.health import Health
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.notify.notification import Notification

QUICK = Pace(first=2 * MILLISECOND, longest=10 * MILLISECOND, give_up_after=MINUTE, poll=MILLISECOND, commit=10_000)
STATES = {"resolved": "resolved", "withdrawn": "withdrawn", "acknowledged": "acknowledged", "overdue": "overdue"}
PARTITIONS = 2


def wall_clock() -> int:
    return time.time_ns() // 1_000


def steady_clock() -> int:
    return time.monotonic_ns() // 1_000


CLOCKS = Clocks(wall_clock, steady_clock)


def review_id(number: int) -> str:
    return digest("review", number)


def trigger(number: int, ordinal: int, happening: str, **data: Any) -> ReviewTrigger:
    """The `ordinal`-th transition of review `number`; `data` replaces fields of its data."""
    review, now = review_id(number), format_time(wall_clock())
    kpi = KpiSummary(
        "support.tickets", "Tickets", "Opened by customers", "tickets", "lower_is_better", "support", "service", None
    )
    made = TriggerData(
        review=review,
        ordinal=ordinal,
        rule="tickets-high",
        title="Tickets pile up",
        severity="critical",
        scope=f'support.tickets{{"channel":"c{number}"}}',
        kpi=kpi,
        owner="support",
        participants=(),
        objective="service",
        opened=now,
        due=format_time(wall_clock() + 3_600 * SECOND),
        question="What do we change?",
        runbook="https://wiki.example.com/tickets",
        explanation=f"Tickets of c{number} are {200 + ordinal}, above the limit of 150.",
        event_time=now,
        evidence=None,
        episode=None,
        historical=False,
        cause=None,
        rule_set="none",
        state=STATES.get(happening, "open"),  # type: ignore[arg-type]
        alert="over" if happening == "resolved" else "on",
        notify=("support",),
        dimensions={"channel": f"c{number}"},
        command_key=f'support.tickets{{"channel":"c{number}"}}',
        about=f"Tickets of c{number} are above the limit of 150.",
    )
    made = msgspec.structs.replace(made, **data)
    kind = event_type(happening)  # type: ignore[arg-type]
    return ReviewTrigger("1.0", trigger_id(review, ordinal), SOURCE, kind, made.scope, now, "application/json", made)


def output(made: ReviewTrigger) -> Output:
    """As stage 2 writes it: a review's triggers are in one partition."""
    return Output(TRIGGERS, None, Record(made.data.review.encode(), encode_record(made)))


def life(number: int, *happenings: str) -> list[ReviewTrigger]:
    return [trigger(number, ordinal, name) for ordinal, name in enumerate(happenings, 1)]


def memory_log() -> MemoryLog:
    return MemoryLog(dict.fromkeys(OWN_TOPICS, 1) | {TRIGGERS: PARTITIONS})


class Got:
    """What a receiver got, in order: (notification id, marked as redelivered)."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.at_once = 4
        self.got: list[tuple[str, bool]] = []
        self.notifications: list[Notification] = []
        self.answer: Callable[[Notification], Result] = lambda _: Delivered()

    def restore(self, kept: Mapping[str, bytes]) -> None:
        del kept

    async def send(self, notification: Notification, *, redelivered: bool) -> Result:
        await asyncio.sleep(0)
        result = self.answer(notification)
        if isinstance(result, Delivered):
            self.got.append((notification.id, redelivered))
            self.notifications.append(notification)
        return result

    async def run(self) -> None:
        pass

    async def close(self) -> None:
        pass

    @property
    def ids(self) -> list[str]:
        return [identifier for identifier, _ in self.got]


class ToAll:
    """Routes that name every receiver."""

    def __init__(self, receivers: Sequence[Any]) -> None:
        self._receivers = receivers

    def receivers(self, notification: Notification) -> tuple[str, ...]:
        del notification
        return tuple(each.name for each in self._receivers)


def make_worker(
    log: Any, receivers: Sequence[Any], *, name: str = "one", pace: Pace = QUICK, **site: Any
) -> DeliveryWorker:
    made = Site(**{"worker": name, "lease": SECOND // 5, "start_at": "earliest", "pace": pace, "drain": SECOND} | site)
    return DeliveryWorker(
        log,
        Receivers(lambda _sets, _key: receivers, ToAll(receivers)),  # type: ignore[arg-type]
        made,
        clocks=CLOCKS,
        health=Health(),
        metrics=DeliveryMetrics(CollectorRegistry()),
    )


async def until(holds: Callable[[], bool], running: asyncio.Task[None] | None = None, seconds: float = 20.0) -> None:
    """Wait until something holds; what ends `running` before is raised."""
    async with asyncio.timeout(seconds):
        while not holds():
            if running is not None and running.done():
                await running
                return
            await asyncio.sleep(0.001)


async def run_until(worker: DeliveryWorker, holds: Callable[[], bool]) -> None:
    """Run a worker until something holds, and stop it in order."""
    running = asyncio.create_task(worker.run())
    try:
        await until(holds, running)
    finally:
        worker.stop()
        with suppress(asyncio.CancelledError):
            await running


def undelivered(log: MemoryLog) -> int:
    """Notifications in the log that some receiver has not settled or that are parked."""
    live: dict[bytes, bytes | None] = {record.key or b"": record.value for record in log.records(DELIVERIES, 0)}
    return sum(1 for key, value in live.items() if value is not None and b"/note/" in key)


def in_order(ids: Sequence[str]) -> bool:
    """Whether the first arrivals of each review's transitions come in order."""
    last: dict[str, int] = {}
    for identifier in dict.fromkeys(ids):
        review, _, ordinal = identifier.partition("-")
        if int(ordinal) <= last.get(review, 0):
            return False
        last[review] = int(ordinal)
    return True
