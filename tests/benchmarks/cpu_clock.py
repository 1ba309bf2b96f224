"""How much CPU a process has used: all its threads, those that ended included, user and system time."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_EVERY_SECONDS = 0.005
_SCHEDULER_CLOCK = 2


def cpu_seconds(pid: int) -> float:
    """What utime + stime of /proc/PID/stat tell, to the nanosecond instead of the tick; OSError when it is gone.

    The clock of another process has this number on Linux (clock_getcpuclockid(3)).
    """
    return time.clock_gettime(~pid << 3 | _SCHEDULER_CLOCK)


def peak_bytes(pid: int) -> int:
    """The most memory of a process that was ever resident; 0 when it has ended, OSError when it is gone."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1_024
    return 0


class Sample(NamedTuple):
    """At `time` (of the wall clock, seconds) the process had used `cpu` seconds."""

    time: float
    cpu: float


class CpuSampler:
    """Reads the CPU clock of a process every five milliseconds, so that a moment can be looked up afterwards."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._samples: list[Sample] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak_bytes = 0

    def at(self, moment: float) -> Sample:
        """The last sample not after `moment`; the first where there is none."""
        place = bisect_right(self._samples, moment, key=lambda sample: sample.time)
        return self._samples[max(0, place - 1)]

    def _run(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            try:
                self._samples.append(Sample(time.time(), cpu_seconds(self._pid)))
                if len(self._samples) % 20 == 1:
                    self.peak_bytes = peak_bytes(self._pid) or self.peak_bytes
            except OSError:
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
