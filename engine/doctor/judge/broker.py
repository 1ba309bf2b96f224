"""The brokers: which they are, whether they are new enough, and whether they take what the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.doctor.diagnosis import Diagnosis, counted, ok, problem, unknown, warning
from engine.model.time import MILLISECOND
from engine.runtime.settings import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.doctor.facts import Facts
    from engine.runtime.settings import Settings

OLDEST = (2, 8)
"""The first that gives topics ids of their own."""


def judge(facts: Facts, settings: Settings) -> Iterator[Diagnosis]:
    """What to say of the brokers that answered."""
    where = ", ".join(settings.brokers)
    if facts.embedded:
        yield warning(
            "broker",
            where,
            expected="an Apache Kafka",
            found="the embedded broker, which keeps 5 MB a partition and forgets all when it stops",
            mend="good for trying and testing; set `brokers` to a Kafka for more",
        )
        return
    yield ok("broker", where, f"{counted(facts.brokers, 'broker')} of cluster {facts.cluster}")
    yield _version(facts)
    yield from _copies(facts, settings)
    yield from _session(facts, settings)


def _version(facts: Facts) -> Diagnosis:
    if facts.version is None:
        return unknown("broker", "version", facts.troubles.get("version", "not told"))
    found = ".".join(map(str, facts.version))
    if facts.version < OLDEST:
        return warning(
            "broker",
            "version",
            expected=f"the protocol of Kafka {'.'.join(map(str, OLDEST))} or newer",
            found=found,
            mend="upgrade it: without topic ids a topic that is deleted and made anew is not noticed",
        )
    return ok("broker", "version", f"speaks the protocol of Kafka {found}")


def _copies(facts: Facts, settings: Settings) -> Iterator[Diagnosis]:
    if settings.replication_factor > facts.brokers:
        yield problem(
            "broker",
            "replication_factor",
            expected=f"at most {facts.brokers}, as many copies as there are brokers",
            found=str(settings.replication_factor),
            mend="lower replication_factor, or add brokers",
        )


def _session(facts: Facts, settings: Settings) -> Iterator[Diagnosis]:
    bounds = [facts.limits.get(f"group.{which}.session.timeout.ms") for which in ("min", "max")]
    if None in bounds:
        return
    low, high = (int(bound or 0) * MILLISECOND for bound in bounds)
    if not low <= settings.session_timeout <= high:
        yield problem(
            "broker",
            "session_timeout",
            expected=f"between {format_duration(low)} and {format_duration(high)}, which the broker allows",
            found=format_duration(settings.session_timeout),
            mend="set session_timeout in between, or change group.*.session.timeout.ms of the brokers",
        )
