"""The Faust application as a thin shell: which of its features are on, and the hooks that hand control to the worker.

No tables, no web server, no leader topic, no topics of Faust's own, no producer: what is written goes by the `Log`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import faust
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from mode.supervisors import CrashingSupervisor

from engine.stream.consumer import FETCH_BYTES, BatchConsumer, BatchTransport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from faust.types import AppT, StreamT
    from faust.types.tuples import Message

    from engine.model.time import Micros
    from engine.wire.batch import Batch

FETCHES_WAITING_MAX = 2
"""Fetches that wait for an agent: what Faust counts are events, so with `FETCH_BYTES_MAX` this bounds memory."""


class NoTables(TableManager):
    """Faust waits a second for tables to be declared."""

    async def on_start(self) -> None:
        """Nothing is declared later on."""
        await self._update_channels()
        await self.recovery.start()


class WorkerBoot(BootStrategy):
    """Consumer, agents, conductor and (empty) tables: what Faust cannot run without."""

    enable_kafka_producer = False
    enable_web = False


class EngineApp(faust.App):
    """Faust's app with the batch transport; nothing of it touches the disk."""

    BootStrategy = WorkerBoot
    failed: Callable[[BaseException], None] | None = None
    """Told when anything of Faust's crashes; mode itself only notes it."""

    def _crash(self, reason: BaseException) -> None:
        super()._crash(reason)
        if self.failed is not None:
            self.failed(reason)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Faust keeps tables on disk; there are none."""

    async def _producer_flush(self, logger: Any) -> None:  # noqa: ANN401 (Faust's own signature)
        """Faust's producer is never started."""

    @property
    def batches(self) -> BatchConsumer:
        """The consumer, by its real type."""
        return cast("BatchConsumer", self.consumer)


class HandThrough(faust.Schema):  # type: ignore[type-arg]  # generic only in name
    """Keys and values pass as they are. Faust's `raw` codec drops what is not bytes, in silence."""

    def loads_key(self, app: AppT, message: Message, **_options: Any) -> Any:  # noqa: ANN401, ARG002 (Faust's own signature)
        """The key as it came."""
        return message.key

    def loads_value(self, app: AppT, message: Message, **_options: Any) -> Any:  # noqa: ANN401, ARG002 (Faust's own signature)
        """The batches."""
        return message.value


def make_app(
    group: str, brokers: tuple[str, ...], *, session_timeout: Micros, group_instance_id: str | None = None
) -> EngineApp:
    """An app that joins `group`; agents and hooks are added by the caller before it starts."""
    seconds = session_timeout / 1_000_000
    return EngineApp(
        group,
        broker=[f"aiokafka://{broker}" for broker in brokers],
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        agent_supervisor=CrashingSupervisor,
        TableManager=NoTables,
        stream_buffer_maxsize=FETCHES_WAITING_MAX,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        consumer_max_fetch_size=FETCH_BYTES,
        consumer_group_instance_id=group_instance_id,
        broker_session_timeout=seconds,
        broker_heartbeat_interval=min(3.0, seconds / 6),
        broker_rebalance_timeout=max(60.0, seconds),
        broker_request_timeout=max(90.0, 2 * seconds),
        # A long evaluation is no reason to lose the partition: the watchdog ends a worker that hangs.
        broker_max_poll_interval=3600.0,
    )


def add_agent(app: EngineApp, topic: str, handle: Callable[[Batch], Awaitable[None]]) -> None:
    """Give the batches of `topic` (full name) to `handle`, one at a time, in order within each partition.

    `handle` must not raise: Faust would go on.
    """
    channel = app.topic(topic, schema=HandThrough(), acks=False, internal=False)

    async def agent(stream: StreamT[Any]) -> None:
        async for batches in stream:
            for batch in batches:
                await handle(batch)

    app.agent(channel, name=f"read-{topic}")(agent)
