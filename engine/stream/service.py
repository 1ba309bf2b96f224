"""A worker as a service: its log, its endpoint, and the signals of the process round it. The same in a test as live."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector

from engine.errors import EngineError
from engine.model.time import SECOND
from engine.runtime.clocks import steady_clock
from engine.runtime.kafka_log import KafkaLog
from engine.runtime.watched import watched
from engine.stream.warming import warm_up
from engine.stream.watchdog import Watchdog
from engine.stream.worker import Worker
from engine.telemetry.health import Health
from engine.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet
    from engine.runtime.settings import Settings
    from engine.stream.lane_maker import Stages
    from engine.telemetry.http import Endpoint

_log = structlog.get_logger(__name__)

BEAT_SECONDS = 0.25
ENDING_GRACE: Micros = 5 * SECOND
"""Beside the time to drain in: what closing connections and leaving the interpreter may take."""

_DRAIN = (signal.SIGTERM, signal.SIGINT)


async def serve(
    settings: Settings,
    rule_set: RuleSet,
    stages: Stages,
    *,
    load: Callable[[], RuleSet] | None = None,
    started: Callable[[Worker, Endpoint], None] | None = None,
) -> None:
    """Run a worker until it is stopped; raises EngineError, or what else made it fail.

    With `load` the process is taken to be the worker's: SIGTERM and SIGINT drain, SIGHUP loads the rules again, and a
    watchdog ends it where it hangs. Without it the caller stops it by `Worker.stop`, which `started` hands out together
    with the endpoint.
    """
    metrics, health = Metrics(CollectorRegistry()), Health()
    ProcessCollector(registry=metrics.registry)
    async with KafkaLog(",".join(settings.brokers), settings.prefix, group=settings.group) as log:
        worker = Worker(settings, log, rule_set, stages, health=health, metrics=metrics)
        with watched(settings, metrics, health) as endpoint:
            _log.info("worker starts", group=settings.group, domain=settings.domain, http_port=endpoint.port)
            if stages.warm is not None:
                await warm_up(stages.warm)
            if started is not None:
                started(worker, endpoint)
            if load is None:
                await worker.run()
            else:
                watchdog = Watchdog(
                    steady_clock,
                    timeout=settings.progress_timeout,
                    ending=settings.drain_timeout + ENDING_GRACE,
                )
                await _run_with_signals(worker, load, watchdog, metrics)
            _log.info("worker ended, everything done is committed")


async def _run_with_signals(worker: Worker, load: Callable[[], RuleSet], watchdog: Watchdog, metrics: Metrics) -> None:
    loop = asyncio.get_running_loop()
    reloading = asyncio.Event()
    for number in _DRAIN:
        loop.add_signal_handler(number, worker.stop)
    loop.add_signal_handler(signal.SIGHUP, reloading.set)
    watchdog.start()
    tasks = [
        asyncio.create_task(_reload_when_told(worker, load, reloading, metrics)),
        asyncio.create_task(_beat(worker, watchdog)),
    ]
    try:
        await worker.run()
    finally:
        watchdog.leave()
        for task in tasks:
            task.cancel()
        for number in (*_DRAIN, signal.SIGHUP):
            loop.remove_signal_handler(number)


async def _beat(worker: Worker, watchdog: Watchdog) -> None:
    while not worker.leaving:
        watchdog.beat()
        await asyncio.sleep(BEAT_SECONDS)
    watchdog.leave()


async def _reload_when_told(
    worker: Worker, load: Callable[[], RuleSet], reloading: asyncio.Event, metrics: Metrics
) -> None:
    while True:
        await reloading.wait()
        reloading.clear()
        try:
            rule_set = await asyncio.to_thread(load)
            changed = await worker.reload(rule_set)
        except EngineError as error:
            metrics.reload_successful.set(0)
            _log.error("reload refused, the running rules stay in place", problems=str(error))
        else:
            metrics.reload_successful.set(1)
            _log.info("rules reloaded", changed=changed, hash=rule_set.hash)
