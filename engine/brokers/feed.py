"""A topic that is fed from a file: its lines are messages, and so is what is appended to it later."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from engine.errors import BrokerError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

_PAUSE_SECONDS = 0.2
_SECONDS = 30.0


class Feed:
    """Sends the lines of `path` to `topic`, to its `partitions` in turn. For trying: one reader, no repeats kept."""

    def __init__(self, bootstrap: str, topic: str, partitions: int, path: Path) -> None:
        self._topic = topic
        self._path = path
        self._places = itertools.cycle(range(partitions))
        self._read = 0
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "log_level": 0})

    def send_new(self) -> int:
        """Send the lines that came since the last call; how many. BrokerError when the broker does not take them."""
        count = 0
        for line in self._lines():
            self._producer.produce(self._topic, line, partition=next(self._places))
            count += 1
        if count and self._producer.flush(_SECONDS):
            raise BrokerError(f"lines of {self._path} were not acknowledged by {self._topic}")
        return count

    def follow(self, stopped: threading.Event) -> None:
        """Send what is appended, until told to stop."""
        while not stopped.wait(_PAUSE_SECONDS):
            self.send_new()

    def _lines(self) -> Iterator[bytes]:
        """Whole lines only; one that is still being written is taken when it has ended."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                if line.strip():
                    yield line.rstrip(b"\r\n")
