"""How often something is tried again, and when it is given up. Backoff with jitter is four lines: no library."""

from __future__ import annotations

import random
from typing import NamedTuple

from engine.model.time import HOUR, MINUTE, SECOND, Micros

_DOUBLINGS_MAX = 30


class Pace(NamedTuple):
    """The times of a delivery worker."""

    first: Micros = SECOND
    """Before the second attempt; twice that before the third, and so on."""
    longest: Micros = 2 * MINUTE
    give_up_after: Micros = HOUR
    poll: Micros = SECOND // 4
    """How long nothing is read when there was nothing, and how often the gate sees the time."""
    commit: Micros = 5 * SECOND
    """How often it is shown how far everything is settled."""

    def delay(self, failures: int) -> Micros:
        """Before the next attempt after so many failures: half of it is chance, so that not all come at once."""
        full = min(self.longest, self.first << min(failures - 1, _DOUBLINGS_MAX))
        return full // 2 + random.randrange(full // 2 + 1)  # noqa: S311 - to spread load, nothing secret
