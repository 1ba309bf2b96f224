"""Single requests to the leader of a partition: records from an offset on, and the offsets at both ends.

A leader that moved, or a broker that is away for a moment, is asked again; after 30 s it is a BrokerError.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, LeaderNotAvailableError, NoError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest

from engine.errors import BrokerError
from engine.runtime.raw_records import aborted_of

if TYPE_CHECKING:
    from collections.abc import Callable

EARLIEST = -2
LATEST = -1

_FETCH_BYTES = 4 * 1024 * 1024
_READ_COMMITTED = 1
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.1


class Requests:
    """Asks the brokers behind `bootstrap`; every method may raise BrokerError."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client: Any = None

    async def connect(self) -> None:
        """Learn of the brokers; KafkaError when none answers."""
        self._client = AIOKafkaClient(bootstrap_servers=self._bootstrap)
        await self._client.bootstrap()

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()
        self._client = None

    async def fetch(self, name: str, partition: int, offset: int) -> tuple[bytes, Any] | None:
        """Record-batch bytes from `offset` on, with the aborted transactions; None when it is out of range.

        Empty bytes: nothing stands there yet. A record batch at the end may be cut off.
        """
        topics = [(name, [(partition, offset, _FETCH_BYTES)])]
        version, error, fetched = await self._ask(
            TopicPartition(name, partition), lambda: FetchRequest(0, 1, _FETCH_BYTES, _READ_COMMITTED, topics)
        )
        return None if error is OffsetOutOfRangeError else (fetched[-1], aborted_of(fetched[1:], version))

    async def offset(self, name: str, partition: int, which: int) -> int:
        """The offset `EARLIEST` (first record kept) or `LATEST` (one past the last)."""
        _, _, (_, offset) = await self._ask(
            TopicPartition(name, partition),
            lambda: OffsetRequest(-1, _READ_COMMITTED, [(name, [(partition, which)])]),
        )
        return int(offset)

    async def _ask(self, place: TopicPartition, request: Callable[[], Any]) -> tuple[int, type[KafkaError], Any]:
        """API version, error (none, or out of range) and the rest of what the leader says of the partition."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    try:
                        return await self._ask_once(place, request)
                    except KafkaError as error:
                        if not error.retriable:
                            raise BrokerError(f"{place.topic}[{place.partition}] cannot be read: {error!r}") from error
                        await asyncio.sleep(_PAUSE_SECONDS)
                        await self._client.force_metadata_update()
        except TimeoutError as error:
            raise BrokerError(
                f"{place.topic}[{place.partition}]: expected an answer of its leader at {self._bootstrap} within "
                f"{_PATIENCE_SECONDS:g} s, there was none"
            ) from error

    async def _ask_once(self, place: TopicPartition, request: Callable[[], Any]) -> tuple[int, type[KafkaError], Any]:
        leader = self._client.cluster.leader_for_partition(place)
        if leader is None or leader < 0:
            await self._client.add_topic(place.topic)
            leader = self._client.cluster.leader_for_partition(place)
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(place)
        response = await self._client.send(leader, request())
        ((_, ((_, code, *rest),)),) = response.topics
        error = for_code(code)
        if error not in (NoError, OffsetOutOfRangeError):
            raise error(place)
        return response.API_VERSION, error, rest
