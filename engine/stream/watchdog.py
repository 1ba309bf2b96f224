"""The last resort: ends the process when its event loop does not turn, or when ending takes too long.

A worker whose loop turns notices by itself that it does not get on (`engine.stream.progress`), and ends in order. This
is for what it cannot notice: a stage that never returns, a connection that cannot be closed.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.model.time import Micros

EXIT_STATUS = 70
"""Of a process that had to be ended from here (EX_SOFTWARE)."""
LOOK_SECONDS = 0.25

_log = structlog.get_logger(__name__)


class Watchdog:
    """Watches from a thread of its own, which does not keep the process alive, from `start` on.

    `timeout` is how long the loop may take to `beat` again, `ending` how long the process may last after `leave`;
    `clock` reads microseconds that never go back.
    """

    def __init__(self, clock: Callable[[], Micros], *, timeout: Micros, ending: Micros) -> None:
        self._clock = clock
        self._timeout = timeout
        self._ending = ending
        self._leaving = False
        self._deadline = clock() + timeout

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def beat(self) -> None:
        """The loop turns."""
        if not self._leaving:
            self._deadline = self._clock() + self._timeout

    def leave(self) -> None:
        """The worker is on its way out; the process has to follow soon. Beats no longer count."""
        if not self._leaving:
            self._leaving = True
            self._deadline = self._clock() + self._ending

    def _watch(self) -> None:
        pause = threading.Event()
        while self._clock() <= self._deadline:
            pause.wait(LOOK_SECONDS)
        hung = "its loop has not turned for the whole progress_timeout"
        _log.critical("watchdog ends the process", reason="it does not end by itself" if self._leaving else hung)
        sys.stderr.flush()
        os._exit(EXIT_STATUS)
