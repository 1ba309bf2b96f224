"""The silences in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.audit import Silence, SilenceEntry
from engine.model.identity import digest
from engine.model.time import Micros, format_time
from engine.notify.matchers import check_matcher, matches
from engine.notify.notification import Notification
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping


class Silences(msgspec.Struct):
    """Every silence that is neither ended nor over, by id."""

    by_id: dict[str, Silence] = {}

    def put(self, silence: Silence, now: Micros) -> None:
        """Its newest form; one that is ended, or was over before we heard of it, is let go of.

        ConfigError for a pattern, WireError for a time that cannot be read.
        """
        parse_time(silence.start)
        for matcher in silence.matchers:
            check_matcher(matcher)
        if silence.ended_by is not None or until_of(silence) <= now:
            self.by_id.pop(silence.id, None)
        else:
            self.by_id[silence.id] = silence

    def of(self, labels: Mapping[str, str], moment: Micros) -> Silence | None:
        """The one that matches `labels` and lasts longest."""
        found = [
            silence
            for silence in self.by_id.values()
            if parse_time(silence.start) <= moment < until_of(silence) and matches(silence.matchers, labels)
        ]
        return max(found, key=lambda silence: (until_of(silence), silence.id), default=None)

    def run_out(self, now: Micros) -> list[Silence]:
        """Those whose time is over, which are let go of; in order of their end."""
        over = [silence for silence in self.by_id.values() if until_of(silence) <= now]
        for silence in over:
            del self.by_id[silence.id]
        return sorted(over, key=lambda silence: (until_of(silence), silence.id))


def until_of(silence: Silence) -> Micros:
    """When it ends by itself."""
    return parse_time(silence.until)


def expired_entry(silence: Silence) -> SilenceEntry:
    """The audit's entry; the same silence running out at the same time has the same id."""
    identifier = digest("silence", silence.id, "expired", silence.until)
    return SilenceEntry(identifier, silence.until, "expired", silence)


def expired_notification(silence: Silence, held: int, now: Micros) -> Notification:
    """Tells the author; `held` is how many open reviews it was holding back."""
    return Notification(
        id=digest("silence", silence.id, "over", silence.until),
        kind="silence_over",
        time=format_time(now),
        trigger=None,
        owner=silence.author,
        to=(silence.author,),
        labels={"owner": silence.author, "severity": "info"},
        sentence=f"The silence by {silence.author} ({silence.reason}) ran out at {silence.until}: "
        f"{held} open {'review was' if held == 1 else 'reviews were'} held back by it.",
    )
