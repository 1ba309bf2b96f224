"""`counterpoint reviews summary`: the hand-over to who is on call next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.reviews_list import print_reviews
from engine.cli.reviews_log import FormatOption, TextFormat, as_json, now_of, read_triggers
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.cli.since import parse_since_of
from engine.offline.duty.open_set import newest_of, short_length
from engine.offline.duty.summary import Summary, summarize

if TYPE_CHECKING:
    from collections.abc import Iterator


def reviews_summary(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME|DURATION", help="From when on: RFC 3339, or 12h.")
    ] = "7d",
    output: FormatOption = TextFormat.TEXT,
) -> None:
    """Sum up for hand-over: what came and ended, what is open, overdue and escalated, which rules are noisy, and how
    often each was right by the verdicts, with the 95 % interval of that.
    """
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    triggers = list(read_triggers(settings))
    newest = newest_of(triggers)
    now = now_of(settings, newest.values())
    found = summarize(triggers, parse_since_of(since, now), now)
    if output is TextFormat.JSON:
        typer.echo(as_json(found))
        return
    for line in _lines(found):
        typer.echo(line)
    if found.late:
        typer.echo("\nOverdue")
        print_reviews([newest[review] for review in found.late], now, short_length(newest))


def _lines(summary: Summary) -> Iterator[str]:
    yield f"From {summary.since} to {summary.until}"
    yield f"  {summary.opened} opened, {summary.ended} ended"
    yield (
        f"  {len(summary.open)} open now: {len(summary.late)} overdue, {len(summary.escalated)} of them escalated; "
        f"{len(summary.snoozed)} snoozed"
    )
    if summary.noisiest:
        yield "\nNoisiest rules"
        width = max(len(each.rule) for each in summary.noisiest)
        for each in summary.noisiest:
            yield f"  {each.rule:<{width}}  {_count(each.reviews, 'review')}, {_count(each.triggers, 'trigger')}"
    if summary.verdicts:
        yield "\nVerdicts"
        width = max(len(each.rule) for each in summary.verdicts)
        for one in summary.verdicts:
            counts = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in one.verdicts.items())
            yield (
                f"  {one.rule:<{width}}  {one.precision:4.0%} real ({one.low:.0%} to {one.high:.0%} at 95 %): {counts}"
            )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
