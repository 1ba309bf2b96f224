"""`counterpoint reviews list`: what is open, the overdue first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from engine.cli.reviews_log import (
    STYLES,
    FormatOption,
    TextFormat,
    WhereOption,
    as_json,
    console,
    indented,
    now_of,
    read_triggers,
)
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.offline.duty.open_set import by_urgency, is_late, newest_of, short_length
from engine.offline.duty.selectors import parse_matchers, select
from engine.offline.duty.words import about_words, due_words, owner_words, why_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros
    from engine.model.trigger import ReviewTrigger

_HEADS = ("REVIEW", "STATE", "SEVERITY", "DUE", "OWNER")


def reviews_list(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    where: WhereOption = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended too, the newest first.")] = False,
    output: FormatOption = TextFormat.TEXT,
) -> None:
    """List the reviews that are open: what is overdue first, then by when the answer is due.

    The beginning of an id is enough for every other command, as long as it is the only one that begins so.
    """
    matchers = parse_matchers(where or ())
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    newest = newest_of(read_triggers(settings))
    now = now_of(settings, newest.values())
    found = by_urgency(select(newest, (), matchers, ended=everything), now)
    if output is TextFormat.JSON:
        typer.echo(as_json([as_record(trigger, now) for trigger in found]))
    else:
        print_reviews(found, now, short_length(newest))


def as_record(trigger: ReviewTrigger, now: Micros) -> dict[str, Any]:
    """A review for programs."""
    data = trigger.data
    names = (
        "review", "ordinal", "state", "alert", "severity", "rule", "title", "owner", "assignee", "participants",
        "objective", "dimensions", "opened", "due", "snoozed_until", "question", "runbook", "verdict", "answer",
    )  # fmt: skip
    record = {name: getattr(data, name) for name in names}
    return record | {"late": is_late(trigger, now), "why": why_words(trigger), "trigger": trigger.id}


def print_reviews(found: Sequence[ReviewTrigger], now: Micros, length: int) -> None:
    """A line of facts and the reason below it, for each."""
    rows = [_facts(trigger, now, length) for trigger in found]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    terminal = console()
    if rows:
        terminal.print(Text(_line(_HEADS, widths), style="dim"), soft_wrap=True)
    for trigger, row in zip(found, rows, strict=True):
        style = STYLES[trigger.data.severity]
        terminal.print(Text(_line(row, widths), style=style if is_late(trigger, now) else ""), soft_wrap=True)
        indented(terminal, _reason(trigger), length + 2)
    late = sum(is_late(trigger, now) for trigger in found)
    typer.echo(f"{len(found)} review{'' if len(found) == 1 else 's'}, {late} of them overdue", err=True)


def _facts(trigger: ReviewTrigger, now: Micros, length: int) -> tuple[str, ...]:
    data = trigger.data
    state = data.state.replace("_", " ")
    return data.review[:length], state, data.severity, due_words(trigger, now), owner_words(trigger)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _reason(trigger: ReviewTrigger) -> str:
    return f"{' '.join(filter(None, (trigger.data.rule, about_words(trigger))))}: {why_words(trigger)}"
