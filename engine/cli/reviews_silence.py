"""`counterpoint reviews silence`: hear nothing of what is known for a while, or end that early."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import msgspec
import typer

from engine.brokers.append import Entry, append_entries
from engine.cli.reviews_log import WhereOption, read_silences
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.cli.since import parse_until
from engine.cli.who import whoever
from engine.errors import ConfigError
from engine.model.audit import Silence, SilenceEntry
from engine.model.time import SECOND, Micros, format_time
from engine.model.topics import AUDIT, SILENCES, full_name
from engine.notify.matchers import format_matcher
from engine.offline.duty.selectors import parse_matchers
from engine.offline.duty.words import how_long
from engine.wire.encode import encode_record
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from engine.runtime.settings import Settings

_ID_LENGTH = 8


def reviews_silence(
    where: WhereOption = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME|DURATION", help="RFC 3339, or 4h.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why nobody need hear of it.")] = None,
    author: Annotated[str | None, typer.Option("--author", help="Who says so (else your user name).")] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="ID", help="End this one now.")] = None,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
) -> None:
    """Tell nobody of reviews like these until a time. They are opened and listed all the same, and stay due.

    What ends a review is told under a silence too. When it is over, each review that it held back and that is still
    open is told once. Exit status 0: it is written. 1: it cannot be. 2: wrong usage.
    """
    now = time.time_ns() // 1_000_000_000 * SECOND
    if end is not None:
        settings = read_settings(config, given, brokers=brokers, prefix=prefix)
        _end(settings, end, whoever(author), now)
        return
    if not where or until is None or not reason:
        raise typer.BadParameter("expected --where, --until and --reason; or --end ID")
    last = parse_until(until, now)
    if last <= now:
        raise typer.BadParameter(f"--until: expected a time that is still to come, found {until}")
    matchers = parse_matchers(where)
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    found = Silence(uuid4().hex[:_ID_LENGTH], matchers, whoever(author), reason, format_time(now), format_time(last))
    _write(settings, found, SilenceEntry(uuid4().hex, found.start, "begun", found))
    typer.echo(
        f"{found.id}  {' '.join(map(format_matcher, matchers))}: silent until {found.until} "
        f"({how_long(last - now)}), by {found.author}: {reason}"
    )
    typer.echo(f"`counterpoint reviews silence --end {found.id}` ends it early.", err=True)


def _end(settings: Settings, beginning: str, who: str, now: Micros) -> None:
    found = [each for each in read_silences(settings).values() if each.id.startswith(beginning)]
    if len(found) != 1:
        raise ConfigError(
            [f"--end: expected the id of one silence, found {beginning!r}, which fits {len(found)} of them"]
        )
    silence = found[0]
    if silence.ended_by is not None or parse_time(silence.until) <= now:
        over = f"ended by {silence.ended_by}" if silence.ended_by else f"over since {silence.until}"
        raise ConfigError([f"the silence {silence.id} is {over} already; nothing changed"])
    ended = msgspec.structs.replace(silence, ended_by=who)
    _write(settings, ended, SilenceEntry(uuid4().hex, format_time(now), "ended", ended))
    typer.echo(f"{ended.id}  ended by {who}; what it held back and is still open is told now")


def _write(settings: Settings, silence: Silence, entry: SilenceEntry) -> None:
    """The silence first: the trail then never tells of one that is not there."""
    append_entries(
        ",".join(settings.brokers),
        [
            Entry(full_name(settings.prefix, SILENCES), silence.id.encode(), encode_record(silence)),
            Entry(full_name(settings.prefix, AUDIT), silence.id.encode(), encode_record(entry)),
        ],
    )
