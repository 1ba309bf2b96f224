"""The delivery worker as a service: its log, its endpoint, and the signals of the process round it."""

from __future__ import annotations

import asyncio
import signal
import socket
import uuid
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector

from engine.deliver.assemble import pace_of, receivers_of
from engine.deliver.worker import Clocks, DeliveryWorker, Site
from engine.errors import EngineError
from engine.model.topics import full_name
from engine.runtime.clocks import steady_clock, wall_clock
from engine.runtime.kafka_log import KafkaLog
from engine.runtime.watched import watched
from engine.telemetry.delivery_metrics import DeliveryMetrics
from engine.telemetry.health import Health

if TYPE_CHECKING:
    from engine.deliver.file import DeliveryFile
    from engine.runtime.settings import Settings

_log = structlog.get_logger(__name__)


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
        with watched(settings, metrics, health) as endpoint:
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
