"""What every foreign contender is told and tells: where the topic is, how far to read, and what the span cost."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from cpu_clock import peak_bytes


class Task:
    """From the command line: read `records` records of `topic` at `bootstrap`, all `partitions` of it, from the start.

    A span begins at `began` and ends at `done`, which writes it to the file `result`: seconds of the clock, CPU seconds
    of this process (all threads), peak memory, and whatever else is given.
    """

    def __init__(self, what: str) -> None:
        parser = argparse.ArgumentParser(description=what)
        parser.add_argument("--bootstrap", required=True)
        parser.add_argument("--topic", required=True)
        parser.add_argument("--partitions", type=int, required=True)
        parser.add_argument("--records", type=int, required=True)
        parser.add_argument("--result", type=Path, required=True)
        given = parser.parse_args()
        self.bootstrap: str = given.bootstrap
        self.topic: str = given.topic
        self.partitions: int = given.partitions
        self.records: int = given.records
        self._result: Path = given.result
        self._wall = self._cpu = 0.0

    def began(self) -> None:
        """Call it when all is connected, before anything is fetched."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def done(self, **more: Any) -> None:
        """Call it when the last record was dealt with."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        told = {"wall": wall, "cpu": cpu, "peak_bytes": peak_bytes(os.getpid()), **more}
        self._result.write_text(json.dumps(told), encoding="utf-8")
