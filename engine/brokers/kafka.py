"""A real Apache Kafka on this machine: one KRaft node as broker and controller, on free loopback ports.

For integration tests, and by hand:

    make kafka-jars                                     # fetches the jars
    python -m engine.brokers.kafka --dir build/kafka    # keeps its data there; Ctrl-C stops it

It needs Java 17 or newer and Kafka's jars in `.cache/kafka/libs` (`make kafka-jars` fetches them with Maven), or in the
folder that `COUNTERPOINT_KAFKA_LIBS` names. It keeps records whatever their age: replays bring old times along.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from engine.brokers.reachable import wait_until_reachable
from engine.errors import BrokerError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
LIBS_VARIABLE = "COUNTERPOINT_KAFKA_LIBS"
_REPOSITORY = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


def find_libs() -> Path:
    """The folder with Kafka's jars. BrokerError, with how to get them, when it is not there."""
    libs = Path(os.environ.get(LIBS_VARIABLE) or _REPOSITORY / ".cache" / "kafka" / "libs")
    if any(libs.glob("kafka_*.jar")):
        return libs
    raise BrokerError(
        f"expected the jars of Apache Kafka in {libs}, found none; run `make kafka-jars`, or name a folder that has "
        f"them in {LIBS_VARIABLE}"
    )


def find_java() -> str:
    """The java to run. BrokerError when there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if java:
        return java
    raise BrokerError("expected java on the PATH or in JAVA_HOME, found none; install a Java 17 runtime")


class KafkaBroker:
    """A node with its data in `folder`; a context manager. `bootstrap` is its address.

    A folder that was used before is used again, with its records and, where they are free, its ports. BrokerError when
    jars or Java are missing or the node does not come up; its log is `folder/server.log`.
    """

    def __init__(self, folder: Path, *, heap: str = "512m", start_seconds: float = _START_SECONDS) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self._java = [find_java(), "-XX:+UseSerialGC", "-cp", f"{find_libs()}{os.sep}*"]
        self._heap = heap
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._port, self._controller_port = _free_ports(2)
        self.bootstrap = f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id of the node while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Format the folder where it is new, run the node, return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        properties.write_text(self._properties(), encoding="utf-8")
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(properties)
        with self.log.open("ab") as log:
            command = [*self._java, f"-Xmx{self._heap}", "kafka.Kafka", str(properties)]
            # A session of its own: Ctrl-C in a terminal reaches us, and we stop the node in order.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)  # noqa: S603 - our own command
        try:
            wait_until_reachable(self.bootstrap, self._start_seconds, self._still_running)
        except BrokerError as error:
            self.kill()
            raise BrokerError(f"{error}; the end of {self.log}:\n{_tail(self.log)}") from error

    def stop(self) -> None:
        """Shut the node down in order; kill it when it does not end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would; `start` brings it back with what it had written."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _still_running(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise BrokerError("expected Kafka to come up, its process ended")

    def _format(self, properties: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        command = [*self._java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)  # noqa: S603 - our own command
        if done.returncode:
            raise BrokerError(f"Kafka could not format {self.folder}: {done.stdout}{done.stderr}")

    def _properties(self) -> str:
        settings = {
            # A node that was killed may register again after two seconds, not nine.
            "broker.session.timeout.ms": 2_000,
            "broker.heartbeat.interval.ms": 500,
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": (self.folder / "data").resolve(),
            "num.partitions": 4,
            "auto.create.topics.enable": "false",
            "delete.topic.enable": "true",
            "log.retention.ms": -1,
            "log.segment.bytes": 128 * 1024 * 1024,
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "replica.fetch.max.bytes": MESSAGE_BYTES_MAX,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1_000,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_ports(count: int) -> list[int]:
    """Ports that are free now; all are held until the last is found, so that no two are equal."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def main() -> int:
    """Run a node until Ctrl-C or SIGTERM; print its address."""
    parser = argparse.ArgumentParser(prog="python -m engine.brokers.kafka", description="Run Apache Kafka on loopback.")
    parser.add_argument("--dir", type=Path, help="keep the data here (default: a new folder, removed at the end)")
    folder: Path | None = parser.parse_args().dir
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="counterpoint-kafka-") as temporary:
        try:
            with KafkaBroker(folder or Path(temporary)) as broker:
                sys.stdout.write(f"{broker.bootstrap}\n")
                sys.stdout.flush()
                while True:
                    time.sleep(3600)
        except KeyboardInterrupt:
            return 0
        except BrokerError as error:
            sys.stderr.write(f"{error}\n")
            return 1


if __name__ == "__main__":
    sys.exit(main())
