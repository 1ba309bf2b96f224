"""What was heard of the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.offline.explain.case import Case
from engine.offline.explain.given import Given
from engine.offline.explain.log_verdict import LogVerdict
from engine.offline.plot.picture import Around


class Heard(NamedTuple):
    """A verdict for each trigger; and what the log has around the one that is plotted, which `case` then is."""

    verdicts: list[LogVerdict]
    case: Case | None
    around: Around


def unheard(verdict: LogVerdict, told: Sequence[Given], case: Case | None) -> Heard:
    """The same verdict for all, and nothing around the one that is plotted."""
    return Heard([verdict] * len(told), case, {})
