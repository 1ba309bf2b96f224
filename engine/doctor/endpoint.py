"""Who answers where a worker on this machine would serve."""

from __future__ import annotations

import re
import socket
from http.client import HTTPConnection, HTTPException

from engine.doctor.facts import EndpointFacts

_SECONDS = 10.0
"""A worker with much to do may take a while; nobody there is told at once."""
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 (an address to look at, not to serve on)
_BUILD = re.compile(r'^counterpoint_build_info\{semantics="([^"]*)",version="([^"]*)"\} 1', re.MULTILINE)


def look_at(host: str, port: int) -> EndpointFacts:
    """Ask for /readyz and /metrics there; where nobody answers, see whether the address could be taken."""
    try:
        server, ready = _get(host, port, "/readyz")
        _, metrics = _get(host, port, "/metrics")
    except ConnectionRefusedError:
        return EndpointFacts(host, port, refused=True, free=_free(host, port))
    except (OSError, HTTPException) as error:
        return EndpointFacts(host, port, server=f"something that speaks no HTTP ({type(error).__name__})")
    found = _BUILD.search(metrics)
    build = (found[2], found[1]) if found else None
    return EndpointFacts(host, port, server=server, ready=ready.strip(), build=build)


def _get(host: str, port: int, path: str) -> tuple[str, str]:
    connection = HTTPConnection(_ANY.get(host, host), port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.headers.get("Server", "unnamed"), answer.read(10_000_000).decode(errors="replace")
    finally:
        connection.close()


def _free(host: str, port: int) -> str:
    """`free`, or why a worker could not serve there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return "free"
