"""A worker in a process of its own: `counterpoint worker` as anybody starts it, its log and its metrics at hand."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from engine.errors import EngineError
from engine.runtime.settings_sources import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

_STOP_SECONDS = 15.0
_HTTP_SECONDS = 5.0
_LINES_SHOWN = 15


class WorkerProcess:
    """`counterpoint worker` with these arguments, from `start` on; a context manager, which ends it at the latest.

    It sees none of the settings of this process: neither its environment's nor a file beside it.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._folder = TemporaryDirectory(prefix="counterpoint-demo-")
        self._log = Path(self._folder.name, "worker.log")
        command = [sys.executable, "-m", "engine", "worker", *arguments, "--http-port", "0", "--set", "log_format=json"]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and our own command)
                command,
                cwd=self._folder.name,
                env=_environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.started = time.monotonic()
        self._port: int | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def require_alive(self) -> None:
        """EngineError, with the end of its log, when it is not running any more."""
        code = self._process.poll()
        if code is not None:
            raise EngineError(
                f"expected the worker to run, it ended with status {code}; the end of its log:\n{self.tail()}"
            )

    def counts(self) -> Mapping[str, float] | None:
        """Its counters by name (without labels, summed), or None while it has none to show."""
        port = self._find_port()
        if port is None:
            return None
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_HTTP_SECONDS) as answer:
                text = answer.read().decode()
        except (URLError, TimeoutError, ConnectionError):
            return None
        totals: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
        return totals

    def stop(self) -> int:
        """Ask it to finish as an operator would, and wait; its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._lines()[-_LINES_SHOWN:])

    def _lines(self) -> list[str]:
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()

    def _find_port(self) -> int | None:
        """It took a free port and says so in its log."""
        if self._port is None:
            for line in self._lines():
                with suppress(msgspec.MsgspecError):
                    entry = msgspec.json.decode(line)
                    if isinstance(entry, dict) and "http_port" in entry:
                        self._port = int(entry["http_port"])
        return self._port

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in ours.items() if not name.startswith(PREFIX)}
