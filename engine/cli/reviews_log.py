"""The reviews as the topic `review-triggers` tells them, and what all commands about them share."""

from __future__ import annotations

import os
import textwrap
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer
from rich.console import Console

from engine.brokers.reader import read_values
from engine.errors import WireError
from engine.model.audit import AuditEntry, Silence
from engine.model.time import Micros, parse_own_time
from engine.model.topics import AUDIT, SILENCES, TRIGGERS, full_name
from engine.model.trigger import ReviewTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.runtime.settings import Settings

Decoded = TypeVar("Decoded")

STYLES = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
_WIDTH_WITHOUT_TERMINAL = 120
_NARROWEST = 20


class TextFormat(StrEnum):
    """For people, or for programs."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[TextFormat, typer.Option("--format", help="For people, or for programs.")]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="LABEL=VALUE",
        help="Those of which it is true: =, !=, =~ PATTERN, !~ PATTERN; labels are rule, severity, owner, objective, "
        "kpi, review and the dimensions. Repeatable: all must be true.",
    ),
]


def read_triggers(settings: Settings) -> Iterator[ReviewTrigger]:
    """Every trigger as it stands in the topic, repeats too. WireError for a record that is none."""
    decoder = msgspec.json.Decoder(ReviewTrigger)
    for value in read_values(",".join(settings.brokers), full_name(settings.prefix, TRIGGERS)):
        yield _decoded(decoder, value, "a review trigger")


def read_audit(settings: Settings) -> list[AuditEntry]:
    """Every entry of the audit trail once, by time. WireError for a record that is none."""
    decoder: msgspec.json.Decoder[AuditEntry] = msgspec.json.Decoder(AuditEntry)
    values = read_values(",".join(settings.brokers), full_name(settings.prefix, AUDIT))
    entries = {
        entry.id: entry for entry in (_decoded(decoder, value, "an entry of the audit trail") for value in values)
    }
    return sorted(entries.values(), key=lambda entry: parse_own_time(entry.time))


def read_silences(settings: Settings) -> dict[str, Silence]:
    """The newest form of every silence by id. WireError for a record that is none."""
    decoder = msgspec.json.Decoder(Silence)
    values = read_values(",".join(settings.brokers), full_name(settings.prefix, SILENCES))
    return {silence.id: silence for silence in (_decoded(decoder, value, "a silence") for value in values)}


def _decoded(decoder: msgspec.json.Decoder[Decoded], value: bytes, expected: str) -> Decoded:
    try:
        return decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise WireError("bad_record", f"expected {expected}, found {value[:80]!r}: {error}") from error


def now_of(settings: Settings, triggers: Iterable[ReviewTrigger]) -> Micros:
    """The time it is for the reviews: by the clock, or in a replay that of the newest trigger."""
    if settings.domain == "live":
        return time.time_ns() // 1_000
    return max((parse_own_time(trigger.time) for trigger in triggers), default=time.time_ns() // 1_000)


def console() -> Console:
    """The terminal; where there is none, as wide as COLUMNS says, or as most are."""
    found = Console(highlight=False)
    if found.is_terminal or "COLUMNS" in os.environ:
        return found
    return Console(width=_WIDTH_WITHOUT_TERMINAL, highlight=False)


def indented(terminal: Console, text: str, indent: int, style: str = "") -> None:
    """Print a text between the margin `indent` and the terminal's right edge, without blanks at the end of a line."""
    room = max(terminal.width - indent, _NARROWEST)
    for line in textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False):
        terminal.print(" " * indent + line, style=style, soft_wrap=True, markup=False)


def as_json(value: object) -> str:
    """JSON for programs, laid out for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
