"""The people of the demo: holds the history where somebody acts, until the worker has come as far, and lets him act."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from engine.brokers.sender import Sender
from engine.errors import EngineError
from engine.model.topics import FINDINGS, full_name
from engine.wire.encode import encode_record
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.model.time import Micros
    from engine.offline.respond import Cue

PATIENCE_SECONDS = 90.0


class Respondents:
    """Plays `cues` into an installation. The thread that sends calls `act`, the one that watches `let_act`."""

    def __init__(self, cues: Sequence[Cue], bootstrap: str, prefix: str) -> None:
        self._cues = list(cues)
        self._bootstrap, self._prefix = bootstrap, prefix
        self._waiting = threading.Event()
        self._may = threading.Event()

    @property
    def waiting(self) -> bool:
        """Whether the history stands still until the worker has taken what was sent."""
        return self._waiting.is_set()

    def let_act(self) -> None:
        """The worker has come as far as the history."""
        self._waiting.clear()
        self._may.set()

    def cues_before(self, time: Micros) -> Iterator[Cue]:
        """Those of whoever acts before the history goes on to `time`."""
        while self._cues and self._cues[0].at <= time:
            yield self._cues.pop(0)

    def act(self, cue: Cue) -> None:
        """Wait until the worker has come as far as the history, then send the command."""
        self._may.clear()
        self._waiting.set()
        if not self._may.wait(PATIENCE_SECONDS):
            raise EngineError(f"expected the worker to catch up for a command within {PATIENCE_SECONDS:g} s")
        with Sender(self._bootstrap, full_name(self._prefix, FINDINGS), self._prefix) as sink:
            key = cue.key.encode()
            sink.send(owner(key, sink.partitions), key, encode_record(cue.command))
