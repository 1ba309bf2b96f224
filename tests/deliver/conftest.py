from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from local_receivers import HttpSink, MailSink, http_sink

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    yield from http_sink()


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with MailSink() as running:
        yield running


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers on loopback are reached directly."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
