"""The events that are logged, each declared once: name, level, fields, meaning, and what to do about it.

A test holds every call of a logger in the engine against this list, both ways; `docs/logs.md` is made of it by
`python -m engine.telemetry.events > docs/logs.md`.
"""

from __future__ import annotations

import sys
from typing import Literal, NamedTuple

Level = Literal["info", "warning", "error", "critical"]


class Event(NamedTuple):
    """One kind of line. `action` is empty where there is nothing to do."""

    name: str
    level: Level
    fields: tuple[str, ...]
    meaning: str
    action: str = ""


EVENTS = (
    Event("worker starts", "info", ("group", "domain", "http_port"), "Settings and rules are read, the port is taken."),
    Event(
        "kernels are loaded",
        "info",
        (),
        "Compiled code is fetched from its cache; what is not there is compiled, which takes ten seconds or more.",
    ),
    Event(
        "kernels are ready",
        "info",
        ("compiled", "cache", "seconds"),
        "How many were compiled, and where they are kept.",
    ),
    Event(
        "compiled kernels cannot be kept",
        "warning",
        ("mend",),
        "They are compiled at every start.",
        "Let `NUMBA_CACHE_DIR` name a folder that the worker's user may write to.",
    ),
    Event("rule set requested", "info", ("hash", "number", "rules"), "What the files say was asked for in `control`."),
    Event(
        "partition recovered",
        "info",
        ("topic", "partition", "offset"),
        "A partition has its state back and is read from this offset on.",
    ),
    Event(
        "activation written",
        "info",
        ("place", "number"),
        "The request for a rule set was passed on into a partition that lacked it.",
    ),
    Event(
        "rules reloaded", "info", ("changed", "hash"), "SIGHUP: the files were read; `changed` says whether to others."
    ),
    Event(
        "reload refused, the running rules stay in place",
        "error",
        ("problems",),
        "SIGHUP: the files have errors, all of which are in `problems`.",
        "Mend them, and send SIGHUP again.",
    ),
    Event(
        "topics of new sources are read after a restart",
        "warning",
        ("topics",),
        "The new rules have sources whose topics this worker does not read yet.",
        "Restart the workers.",
    ),
    Event(
        "offsets jumped, sought again",
        "warning",
        ("topic", "partition", "offset"),
        "The broker delivered records beyond the next one; they are asked for again from here.",
        "Nothing, unless it comes again and again: then see to the broker.",
    ),
    Event(
        "offset not committed: the group has moved on",
        "warning",
        ("topic", "partition"),
        "The partition went to another worker in that moment. Recovery does not read the committed offset.",
    ),
    Event(
        "last checkpoints were given up",
        "warning",
        ("after_seconds",),
        "A partition was taken away, or the worker stopped, before its last checkpoint was written.",
        "Nothing is lost, some work is done again. Often: raise `drain_timeout`, or see to the broker.",
    ),
    Event(
        "heartbeat fails",
        "warning",
        ("host", "error"),
        "The first of `heartbeat_url`'s failures in a row. The worker goes on.",
        "See to the address, the name resolution, the proxy.",
    ),
    Event("heartbeat arrives again", "info", ("host",), "The end of such failures."),
    Event(
        "the worker fails",
        "error",
        ("error", "kind"),
        "What went wrong first. The worker stops, writes no further checkpoint, and ends with status 1.",
        "Look it up under [refusals](operations.md#refusals).",
    ),
    Event(
        "worker ended by a failure",
        "critical",
        ("reason",),
        "Its last line; the status is 1. It may not have come as far as `worker starts`.",
        "The same. Let something start it again.",
    ),
    Event(
        "watchdog ends the process",
        "critical",
        ("reason",),
        "The event loop stood still for `progress_timeout`, or ending took too long; the status is 70.",
        "It goes on from the last checkpoint when it is started again. If it comes again: the batch that it stood "
        "still on, or the broker.",
    ),
    Event("worker ended, everything done is committed", "info", (), "It was told to stop, and has; the status is 0."),
    Event(
        "delivery worker starts", "info", ("http_port", "receivers"), "The delivery file is read, the port is taken."
    ),
    Event(
        "another worker delivers, this one waits",
        "info",
        ("worker",),
        "It takes over when that one has ended, or has written nothing for `session_timeout`.",
    ),
    Event(
        "delivery begins",
        "info",
        ("term", "undelivered"),
        "This worker has the notification log; so many notifications are on their way from before.",
    ),
    Event(
        "notification could not be delivered",
        "error",
        ("number", "receiver", "why"),
        "A receiver refused it, or it was tried for `give_up_after`. It is parked, and what follows goes on.",
        "Mend what `why` says, then `counterpoint undelivered replay`.",
    ),
    Event(
        "alerts could not be sent again",
        "warning",
        ("receiver", "why"),
        "Alertmanager was not told once more of what is on; it forgets it after four times `resend`.",
        "See to Alertmanager.",
    ),
    Event(
        "trigger is not readable",
        "error",
        ("error", "offset", "partition"),
        "A record of `review-triggers` is none, and is passed over.",
        "Somebody else writes to that topic, or a newer worker does: bring all to one version.",
    ),
    Event(
        "silence is not readable",
        "error",
        ("error", "offset"),
        "A record of `silences` is none, and holds nothing back.",
        "Somebody else writes to that topic, or a newer version does.",
    ),
    Event(
        "silence is not usable",
        "error",
        ("error", "silence"),
        "Its pattern or a time of it is wrong: it holds nothing back.",
        "End it, and make another one.",
    ),
    Event(
        "request is not readable",
        "error",
        ("error", "offset"),
        "Somebody asked for undelivered notifications in a form that is not ours; it is left out.",
        "Ask again with `counterpoint undelivered replay` of the same version.",
    ),
    Event("delivery worker ended, what it has sent is noted", "info", (), "It was told to stop; the status is 0."),
    Event(
        "delivery worker ended by a failure",
        "critical",
        ("reason",),
        "Its last line; the status is 1. What was on its way is sent again, marked, at the next start.",
        "Look `reason` up under [delivery](delivery.md#operations). Let something start it again.",
    ),
)

_EXAMPLE = (
    '{"topic": "trial.measurements", "partition": 3, "offset": 4711, "event": "partition recovered", '
    '"level": "info", "logger": "engine.stream.ownership", "timestamp": "2026-11-23T20:18:30.107394Z"}'
)
_HEAD = f"""# Logs

A worker logs to standard error, one event a line: as JSON, or readable on a terminal (`log_format`: `auto`, `json`,
`console`), from `log_level` on. Every line has `event`, `level`, `timestamp` (UTC) and `logger`; what else an event
carries stands below. Events are named by fixed sentences: filter by `event`, nothing that changes is part of it.

```
{_EXAMPLE}
```

Lines of libraries (Faust, aiokafka) come in the same form, from `warning` on; their `logger` is not `engine...`.
Settings and rules that cannot be used are told in plain text, before there is a log.

This page is made from `engine/telemetry/events.py` by `python -m engine.telemetry.events > docs/logs.md`; a test fails
when it says anything else, or when an event is logged that is not in it.

| event | level | fields | meaning | what to do |
|---|---|---|---|---|
"""


def events_page() -> str:
    """`docs/logs.md`."""
    return _HEAD + "".join(_row(event) for event in EVENTS)


def _row(event: Event) -> str:
    fields = ", ".join(f"`{field}`" for field in event.fields) or "-"
    return f"| `{event.name}` | {event.level} | {fields} | {event.meaning} | {event.action or '-'} |\n"


if __name__ == "__main__":
    sys.stdout.write(events_page())
