"""kafka-python's plain sockets, closed when they do not get through.

The library leaves a socket that was refused to the garbage collector: in a long outage a program that makes little
garbage would run out of them. It chooses the class of its sockets by the scheme of `proxy_url`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka.net.inet import KafkaNetSocket

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from typing import Any

DIRECT_URL = "direct://"
"""For `proxy_url`: no proxy, and sockets of this class."""


class ClosingSocket(KafkaNetSocket):  # type: ignore[misc]  # the library ships no types
    """Connects to a broker without a proxy."""

    SCHEMES = ("direct",)

    async def connect(
        self,
        net: object,
        addrinfo: tuple[Any, ...],
        socket_options: Iterable[tuple[Any, ...]] = (),
        timeout_at: float | None = None,
    ) -> socket.socket:
        """As the library does it."""
        family, kind, protocol, _, address = addrinfo
        made: socket.socket = self.socket(family, kind, protocol)
        try:
            made.setblocking(False)  # noqa: FBT003 (the standard library's)
            for option in socket_options:
                made.setsockopt(*option)
            await self.sock_connect(net, made, address, timeout_at=timeout_at)
        except BaseException:
            made.close()
            raise
        return made
