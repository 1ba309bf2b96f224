"""A fixed address for the embedded broker, which itself takes whatever port is free.

Clients bootstrap through it; what they learn there is the broker's own address, and from then on they talk to that.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_CHUNK = 65_536


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    target: tuple[str, int]


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as broker:
            back = threading.Thread(target=_copy, args=(broker, self.request), daemon=True)
            back.start()
            _copy(self.request, broker)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Until either side has closed; then both are."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


class Relay:
    """Listens at `address` and passes on what comes to `target` (both `host:port`); a context manager.

    OSError when the address cannot be had.
    """

    def __init__(self, address: str, target: str) -> None:
        self._server = _Server(_split(address), _Connection)
        self._server.target = _split(target)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
