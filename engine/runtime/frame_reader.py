"""Responses of a broker, read straight into memory as long as they are.

aiokafka reads through asyncio's streams: each piece of a response is allocated, appended to a growing buffer, cut off
its front, and the transport is paused and resumed in between. For a megabyte of record batches that costs as much as
taking its JSON apart. Here the kernel writes a long response into one buffer, and wakes the event loop when much of it
is there.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from struct import Struct
from typing import TYPE_CHECKING, Any

from aiokafka.client import AIOKafkaClient

if TYPE_CHECKING:
    from aiokafka.conn import AIOKafkaConnection

_SIZE = Struct(">i")
_SHORT_BYTES = 64 * 1024
"""Responses up to here are read at once, with whatever comes behind them."""
_WORTH_WAKING = 1024 * 1024
"""So much of a long response is waited for at a time."""


class FrameReader(asyncio.BufferedProtocol):
    """What an aiokafka connection asks of its `StreamReader`, and the protocol below it.

    Brokers speak when spoken to: what has come and was not asked for yet is bounded by the requests under way. One
    `readexactly` waits at a time, for the size of a response or for all of it.
    """

    def __init__(self, transport: asyncio.Transport, below: asyncio.Protocol) -> None:
        self._below = below
        self._socket: socket.socket = transport.get_extra_info("socket")
        self._low_water = 1
        self._short = memoryview(bytearray(_SHORT_BYTES))
        self._room = memoryview(b"")
        self._long: memoryview | None = None
        self._have = 0
        self._ready: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended: Exception | None = None

    @classmethod
    def take_over(cls, connection: AIOKafkaConnection) -> None:
        """Let a connection that was just made, and waits for no response, read through one of these."""
        transport = connection._writer.transport  # noqa: SLF001 - it is ours from here on
        reader = cls(transport, transport.get_protocol())
        transport.set_protocol(reader)
        connection._read_task.cancel()  # noqa: SLF001 - the same
        connection._reader = reader  # noqa: SLF001 - the same
        connection._read_task = connection._create_reader_task()  # noqa: SLF001 - the same

    async def readexactly(self, count: int) -> bytes:
        """The next `count` bytes. IncompleteReadError where the connection ends before; OSError where it broke.

        ValueError for anything but the size of a response and all of it in turn.
        """
        if not self._ready:
            if self._ended is not None:
                raise self._ended
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if len(self._ready[0]) != count:
            raise ValueError(f"expected to be asked for {len(self._ready[0])} bytes, found {count}")
        return self._ready.popleft()

    def at_eof(self) -> bool:
        """Whether nothing more will come."""
        return self._ended is not None and not self._ready

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's own
        """Where the next bytes go."""
        return (self._short if self._long is None else self._long)[self._have :]

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes have come."""
        self._have += nbytes
        if self._long is None:
            self._take_short()
        elif self._have == len(self._long):
            self._put(bytes(self._long))
            self._long, self._have = None, 0
        self._wait_for(1 if self._long is None else min(len(self._long) - self._have, _WORTH_WAKING))

    def _take_short(self) -> None:
        """Take whole responses out of the buffer; what is left goes to its front, or on in a longer one."""
        start, have = 0, self._have
        while have - start >= _SIZE.size:
            [size] = _SIZE.unpack_from(self._short, start)
            first, last = start + _SIZE.size, start + _SIZE.size + size
            if last > have:
                break
            self._put(self._short[start:first].tobytes(), self._short[first:last].tobytes())
            start = last
        self._have = have - start
        rest = self._short[start:have]
        if self._have >= _SIZE.size and size > len(self._short) - _SIZE.size:
            self._put(rest[: _SIZE.size].tobytes())
            if size > len(self._room):
                self._room = memoryview(bytearray(size))
            self._long = self._room[:size]
            self._have -= _SIZE.size
            self._long[: self._have] = rest[_SIZE.size :]
        elif start:
            self._short[: self._have] = rest.tobytes()

    def _put(self, *parts: bytes) -> None:
        self._ready.extend(parts)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _wait_for(self, count: int) -> None:
        """Tell the kernel how many bytes are worth waking up for."""
        if count != self._low_water:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
            self._low_water = count

    def eof_received(self) -> bool:
        """The broker has closed its side; the transport closes ours."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._ended = exc or asyncio.IncompleteReadError(b"", None)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(self._ended)
        self._below.connection_lost(exc)

    def pause_writing(self) -> None:
        """Passed on: the stream writer waits there."""
        self._below.pause_writing()

    def resume_writing(self) -> None:
        """Passed on, too."""
        self._below.resume_writing()


class FrameClient(AIOKafkaClient):  # type: ignore[misc]  # aiokafka ships no types
    """A client whose connections read through a `FrameReader`, unless they are encrypted."""

    @classmethod
    def take_over(cls, client: AIOKafkaClient) -> None:
        """Make a client that was just made, and has no connection, one of these."""
        client.__class__ = cls

    async def _get_conn(self, node_id: int, **options: Any) -> AIOKafkaConnection | None:  # noqa: ANN401 - aiokafka's own
        connection = await super()._get_conn(node_id, **options)
        if connection is not None and isinstance(connection._reader, asyncio.StreamReader):  # noqa: SLF001 - to replace it
            transport = connection._writer.transport  # noqa: SLF001 - the same
            if transport.get_extra_info("ssl_object") is None:
                FrameReader.take_over(connection)
        return connection
