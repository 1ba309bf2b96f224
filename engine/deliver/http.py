"""Posting over HTTP, and what an answer means for the delivery.

Library: aiohttp, which is there already (Faust brings it) and shares the worker's event loop; requests and httpx would
each be a second client beside it, the former in threads.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from engine.deliver.receiver import Delivered, Failed, Refused, Result
from engine.model.time import SECOND, Micros

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRY_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_SHOWN = 200


class Poster:
    """Posts to one address, which stands in no result: it may hold a secret. Redirects are not followed."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout: Micros) -> None:
        self._url = url
        self._headers = headers
        self._timeout = aiohttp.ClientTimeout(total=timeout / SECOND)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Result:
        """Post; every outcome is a result."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, trust_env=True)
        try:
            async with self._session.post(
                self._url, data=body, headers={**self._headers, **headers}, allow_redirects=False
            ) as answer:
                return _result(answer.status, answer.headers, await answer.content.read(_SHOWN))
        except aiohttp.ClientConnectorError as error:
            return Failed(f"no connection: {error.os_error.strerror or error.os_error!r}", uncertain=False)
        except TimeoutError:
            return Failed(f"no answer within {self._timeout.total:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Failed(f"the connection broke: {type(error).__name__}")

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _result(status: int, headers: Mapping[str, str], body: bytes) -> Result:
    if 200 <= status < 300:  # noqa: PLR2004 - the class of successes
        return Delivered()
    said = " ".join(body.decode("utf-8", "replace").split())
    why = f"{status} {_phrase(status)}" + (f": {said}" if said else "")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRY_AGAIN:
        return Failed(
            why, after=_retry_after(headers.get("Retry-After")), uncertain=status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
    return Refused(why)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _retry_after(value: str | None) -> Micros:
    """How long a receiver asks to be left alone: seconds, or a date."""
    if value is None:
        return 0
    if value.strip().isdecimal():
        return int(value) * SECOND
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return 0
    now = datetime.fromtimestamp(time.time(), UTC)
    return max(0, int((until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds() * SECOND))
