"""Prometheus and Alertmanager as processes of a test, on free loopback ports, and the tools that come with them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

Found = TypeVar("Found")
FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "prometheus"
"""Where `make prometheus` puts the binaries."""
START_SECONDS = 60.0
STOP_SECONDS = 20.0
_PORT = re.compile(r'[Ll]istening on"? address=\S*:(\d+)')


def missing() -> list[str]:
    """Which of the binaries are not there."""
    return [name for name in ("prometheus", "promtool", "alertmanager", "amtool") if not (FOLDER / name).is_file()]


def run_tool(name: str, *arguments: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """`promtool` or `amtool` with these arguments, and `given` as its input."""
    command = [FOLDER / name, *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def eventually(look: Callable[[], Found], seconds: float = 120.0) -> Found:
    """What `look` gives as soon as it gives anything true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)
    return found


class Server:
    """A server with its files in `folder`; a context manager. `port` is the one that it took."""

    def __init__(self, name: str, folder: Path, *arguments: str) -> None:
        folder = folder / name
        folder.mkdir()
        self.log = folder / "log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [FOLDER / name, *arguments, "--web.listen-address=127.0.0.1:0"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
            )
        try:
            self.port = int(eventually(self._port, START_SECONDS))
            eventually(self._ready, START_SECONDS)
        except BaseException:
            self.close()
            raise

    def _port(self) -> str:
        text = self.log.read_text(encoding="utf-8")
        assert self._process.poll() is None, text
        found = _PORT.search(text)
        return found[1] if found else ""

    def _ready(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return int(answer.status) == 200
        except (HTTPError, URLError):
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON at `path`; of Prometheus' errors too."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}?{urlencode(parameters)}", timeout=10) as answer:
                return json.load(answer)
        except HTTPError as error:
            return json.load(error)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Prometheus(Server):
    """Prometheus with the configuration file `config`, its files below `folder`."""

    def __init__(self, config: Path, folder: Path) -> None:
        super().__init__(
            "prometheus",
            folder,
            f"--config.file={config}",
            "--storage.tsdb.path=data",
            "--rules.alert.resend-delay=1s",  # else a first sending that was lost is made up for in a minute
        )

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an instant query gives now."""
        answer = self.get("/api/v1/query", query=expression)
        assert answer["status"] == "success", f"{expression}: {answer}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        alerts = self.get("/api/v1/alerts")["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


class Alertmanager(Server):
    """Alertmanager with the configuration file `config`, alone."""

    def __init__(self, config: Path, folder: Path) -> None:
        super().__init__(
            "alertmanager",
            folder,
            f"--config.file={config}",
            "--storage.path=data",
            "--cluster.listen-address=",
        )

    def alerts(self) -> set[str]:
        """The names of the alerts that it was told of."""
        return {alert["labels"]["alertname"] for alert in self.get("/api/v2/alerts")}
