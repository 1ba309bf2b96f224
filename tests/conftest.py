"""What all tests share: property settings that do not time anything, and brokers."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from hypothesis import settings
from monitoring import Alertmanager, Prometheus, missing, run_tool

from engine.brokers.embedded import EmbeddedBroker
from engine.brokers.kafka import KafkaBroker, find_java, find_libs
from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

# No deadline: the first example of a property over a kernel compiles it. The same examples every time, so that a
# change is judged by what it changed; `search` looks for new ones (with `--hypothesis-seed` and `-k` of your choice).
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("COUNTERPOINT_HYPOTHESIS", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what comes out into the golden files")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to write the golden files."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def embedded() -> Iterator[EmbeddedBroker]:
    """An embedded broker of the test's own, without topics."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A real Apache Kafka, one for each test process; give topics a prefix of the test's own.

    Without jars or Java the tests that need it are skipped, with how to get them; where `CI` is set they fail.
    """
    try:
        find_libs()
        find_java()
    except BrokerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def monitoring() -> None:
    """The binaries of Prometheus and Alertmanager are there; else a skip that says how to get them, a failure in CI."""
    if absent := missing():
        reason = f"expected {', '.join(absent)} of Prometheus, found none; run `make prometheus`"
        if os.environ.get("CI"):
            raise RuntimeError(reason)
        pytest.skip(reason)


@pytest.fixture
def promtool(monitoring: None) -> Callable[..., CompletedProcess[str]]:
    """Runs promtool with its arguments; text for its input as `given`."""
    del monitoring
    return partial(run_tool, "promtool")


@pytest.fixture
def amtool(monitoring: None) -> Callable[..., CompletedProcess[str]]:
    """The same for amtool."""
    del monitoring
    return partial(run_tool, "amtool")


@pytest.fixture
def prometheus(monitoring: None, tmp_path: Path) -> Iterator[Callable[[Path], Prometheus]]:
    """Starts a real Prometheus with a configuration file, as often as it is called."""
    del monitoring
    with ExitStack() as servers:
        yield lambda config: servers.enter_context(Prometheus(config, tmp_path))


@pytest.fixture
def alertmanager(monitoring: None, tmp_path: Path) -> Iterator[Callable[[Path], Alertmanager]]:
    """Starts a real Alertmanager with a configuration file."""
    del monitoring
    with ExitStack() as servers:
        yield lambda config: servers.enter_context(Alertmanager(config, tmp_path))


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A topic prefix that no other test uses, so that tests can share a broker."""
    name: str = request.node.name
    words = "".join(letter if letter.isalnum() else "-" for letter in name)[:70]
    return f"{words}-{crc32(request.node.nodeid.encode()):08x}-{os.getpid()}"
