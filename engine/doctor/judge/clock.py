"""Clocks, by what stands in the log: ticks carry a worker's time, records the broker's, and we have ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.doctor.diagnosis import Diagnosis, ok, problem, unknown, warning
from engine.model.time import SECOND, Micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.doctor.facts import Facts
    from engine.runtime.settings import Settings

TOLERANCE: Micros = 2 * SECOND
"""What appending, reading and rounding may take."""
_MEND = "let every machine keep its time (chrony, systemd-timesyncd)"


def judge(facts: Facts, settings: Settings) -> Iterator[Diagnosis]:
    """Compare the three, as far as records tell."""
    if not facts.stamps:
        yield unknown("clock", "broker", facts.troubles.get("stamps", "no record to tell the broker's time by"))
        return
    newest = max(stamp.appended for stamp in facts.stamps)
    yield _broker(newest, facts)
    if settings.domain == "live":
        yield _workers(facts, settings)


def _seconds(time: Micros) -> str:
    return f"{time / SECOND:,.1f} s"


def _broker(newest: Micros, facts: Facts) -> Diagnosis:
    ahead = newest - facts.now
    if ahead > TOLERANCE:
        return problem(
            "clock",
            "broker",
            expected="no record from our future",
            found=f"one appended {_seconds(ahead)} ahead of the clock of this machine",
            mend=_MEND,
        )
    return ok("clock", "broker", f"its newest record was appended {_seconds(max(-ahead, 0))} ago by our clock")


def _workers(facts: Facts, settings: Settings) -> Diagnosis:
    """A tick bears the beginning of its interval and is written at it; the broker's stamp follows at once."""
    ticked = [stamp.ticked for stamp in facts.stamps if stamp.ticked is not None]
    late = [each for stamp in facts.stamps for each in stamp.late]
    if not ticked or not late:
        return unknown("clock", "workers", "too few live ticks among the newest records")
    # The tick of an acquisition is written anywhere within its interval.
    worst = min(late) if min(late) < -TOLERANCE else max(late)
    if not -TOLERANCE <= worst <= settings.tick_interval + TOLERANCE:
        return problem(
            "clock",
            "workers",
            expected="ticks appended within their interval, by the broker's clock",
            found=f"those of a partition {_seconds(abs(worst))} {'after' if worst > 0 else 'before'} their time",
            mend=f"{_MEND}; or the broker takes very long to append",
        )
    silent = facts.now - max(ticked)
    if facts.group is not None and facts.group.members and silent > 3 * settings.tick_interval + TOLERANCE:
        return warning(
            "clock",
            "workers",
            expected=f"a tick every {_seconds(settings.tick_interval)}, since workers run",
            found=f"the newest {_seconds(silent)} ago by our clock",
            mend=f"{_MEND} if ours is fast; else see whether the workers get on (/healthz)",
        )
    return ok("clock", "workers", f"their ticks were appended {_seconds(max(worst, 0))} after their time")
