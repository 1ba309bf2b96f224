"""The delivery worker as a service: its log, its endpoint, and the signals of the process round it."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
import uuid
from contextlib import nullcontext
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector

from engine.deliver.assemble import pace_of, receivers_of
from engine.deliver.worker import Clocks, DeliveryWorker, Site
from engine.errors import EngineError
from engine.model.topics import full_name
from engine.runtime.kafka_log import KafkaLog
from engine.telemetry.delivery_metrics import DeliveryMetrics
from engine.telemetry.health import Health
from engine.telemetry.heartbeat import Heartbeat
from engine.telemetry.http import Endpoint

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from engine.deliver.file import DeliveryFile
    from engine.model.time import Micros
    from engine.runtime.settings import Settings

_log = structlog.get_logger(__name__)


def wall_clock() -> Micros:
    """The time of day, in microseconds since the epoch."""
    return time.time_ns() // 1_000


def steady_clock() -> Micros:
    """Microseconds that never go back."""
    return time.monotonic_ns() // 1_000


async def serve(settings: Settings, file: DeliveryFile) -> None:
    """Deliver until SIGTERM or SIGINT; raises EngineError, or what else made it fail."""
    metrics, health = DeliveryMetrics(CollectorRegistry()), Health()
    ProcessCollector(registry=metrics.registry)
    group = full_name(settings.prefix, "deliver")
    async with KafkaLog(",".join(settings.brokers), settings.prefix, group=group) as log:
        worker = DeliveryWorker(
            log,
            receivers_of(file, wall_clock),
            _site(settings, file),
            clocks=Clocks(wall_clock, steady_clock),
            health=health,
            metrics=metrics,
        )
        with (
            Endpoint(
                settings.http_host,
                settings.http_port,
                metrics=metrics,
                health=health,
                clock=steady_clock,
                progress_timeout=settings.progress_timeout,
            ) as endpoint,
            _heartbeat(settings, health, metrics),
        ):
            _log.info("delivery worker starts", receivers=len(file.receivers), http_port=endpoint.port)
            await _run_with_signals(worker)
            _log.info("delivery worker ended, what it has sent is noted")


def _site(settings: Settings, file: DeliveryFile) -> Site:
    return Site(
        worker=settings.group_instance_id or f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}",
        lease=settings.session_timeout,
        start_at=settings.start_at,
        pace=pace_of(file),
        drain=settings.drain_timeout,
        hash_key=file.delivery.hash_key,
    )


def _heartbeat(settings: Settings, health: Health, metrics: DeliveryMetrics) -> AbstractContextManager[object]:
    if settings.heartbeat_url is None:
        return nullcontext()
    url = settings.heartbeat_url.get_secret_value()
    return Heartbeat(url, settings.heartbeat_interval, health=health, metrics=metrics, clock=steady_clock)


async def _run_with_signals(worker: DeliveryWorker) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    try:
        await worker.run()
    except BaseExceptionGroup as group:
        raise _first(group) from group
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong; one of ours where there is one, since that says what to do."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        else:
            leaves.append(each)
    return next((each for each in leaves if isinstance(each, EngineError)), leaves[0])
