"""Responses through a real socket, in whatever pieces they come, against what was sent."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from engine.runtime.frame_reader import FrameReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SIZES = (0, 1, 3, 4, 100, 65_531, 65_532, 65_533, 65_536, 70_000, 300_000, 1_500_000, 5_000_000)


class Below(asyncio.Protocol):
    """What the connection had before; it is told when the connection is gone."""

    lost = False

    def connection_lost(self, _: Exception | None) -> None:
        self.lost = True


def talk(
    say: Callable[[asyncio.StreamWriter], Awaitable[None]], read: Callable[[FrameReader], Awaitable[None]]
) -> Below:
    """`say` at one end of a connection what `read` reads at the other."""
    below = Below()

    async def both() -> None:
        async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await say(writer)
            writer.close()

        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        async with server:
            loop = asyncio.get_running_loop()
            port = server.sockets[0].getsockname()[1]
            transport, _ = await loop.create_connection(lambda: below, "127.0.0.1", port)
            reader = FrameReader(transport, below)
            transport.set_protocol(reader)
            async with asyncio.timeout(30):
                await read(reader)
            transport.close()
            await asyncio.sleep(0)

    asyncio.run(both())
    return below


def framed(response: bytes) -> bytes:
    return len(response).to_bytes(4, "big") + response


@pytest.mark.parametrize("seed", range(6))
def test_responses_arrive_whole_in_whatever_pieces_they_are_sent(seed: int):
    chance = random.Random(seed)
    responses = [chance.randbytes(chance.choice(SIZES)) for _ in range(20)]
    stream = b"".join(map(framed, responses))

    async def say(writer: asyncio.StreamWriter) -> None:
        start = 0
        while start < len(stream):
            end = start + chance.choice((1, 3, 5, 1_000, 65_536, 400_000, 3_000_000))
            writer.write(stream[start:end])
            await writer.drain()
            await asyncio.sleep(chance.choice((0, 0, 0.001)))
            start = end

    async def read(reader: FrameReader) -> None:
        for response in responses:
            assert await reader.readexactly(4) == len(response).to_bytes(4, "big")
            assert await reader.readexactly(len(response)) == response
        with pytest.raises(asyncio.IncompleteReadError):
            await reader.readexactly(4)
        assert reader.at_eof()

    assert talk(say, read).lost


@pytest.mark.parametrize("sent", [b"", b"\0\0", framed(b"x" * 10)[:9], framed(b"x" * 200_000)[:150_000]])
def test_a_connection_that_ends_within_a_response_says_so(sent: bytes):
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()

    async def read(reader: FrameReader) -> None:
        with pytest.raises(asyncio.IncompleteReadError):  # noqa: PT012 - the size may have come
            size = int.from_bytes(await reader.readexactly(4), "big")
            await reader.readexactly(size)

    talk(say, read)


def test_what_has_come_before_the_end_is_still_there():
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(framed(b"last"))

    async def read(reader: FrameReader) -> None:
        await asyncio.sleep(0.1)
        assert not reader.at_eof()
        assert [await reader.readexactly(4), await reader.readexactly(4)] == [b"\0\0\0\4", b"last"]
        assert reader.at_eof()

    talk(say, read)
