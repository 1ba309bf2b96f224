"""`counterpoint reviews show`: one review, why it was called, what happened so far, and how to answer."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from engine.cli.reviews_list import as_record
from engine.cli.reviews_log import STYLES, FormatOption, TextFormat, as_json, console, indented, now_of, read_triggers
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.notify.happenings import happening_of
from engine.offline.duty.open_set import is_open, life_of, newest_of, short_length
from engine.offline.duty.selectors import find_review
from engine.offline.duty.words import about_words, due_words, owner_words, why_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from engine.model.time import Micros
    from engine.model.trigger import ReviewTrigger

_NAMES = 12
"""Columns for the names of facts."""


def reviews_show(
    review: Annotated[str, typer.Argument(metavar="REVIEW", help="Its id, or the beginning of it.")],
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    output: FormatOption = TextFormat.TEXT,
) -> None:
    """Show one review: what it is about, whose it is and by when, each transition so far, and how to answer."""
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    triggers = list(read_triggers(settings))
    newest = newest_of(triggers)
    found = find_review(newest, review)
    life = life_of(triggers, found)
    now = now_of(settings, newest.values())
    if output is TextFormat.JSON:
        typer.echo(as_json(as_record(life[-1], now) | {"transitions": [_transition(each) for each in life]}))
    else:
        _print(console(), life, now, found[: short_length(newest)])


def _transition(trigger: ReviewTrigger) -> dict[str, object]:
    data = trigger.data
    return {
        "trigger": trigger.id,
        "time": trigger.time,
        "happening": happening_of(trigger),
        "state": data.state,
        "alert": data.alert,
        "notify": data.notify,
        "sentence": data.explanation,
    }


def _print(terminal: Console, life: Sequence[ReviewTrigger], now: Micros, short: str) -> None:
    newest = life[-1]
    data = newest.data
    terminal.print(Text.assemble((data.title, "bold"), f"  ({data.rule})"), soft_wrap=True)
    indented(terminal, why_words(newest), 0)
    terminal.print()
    for name, value in _facts(newest, now):
        terminal.print(Text(f"{name:<{_NAMES}}", style="dim"), end="")
        lines = textwrap.wrap(value, max(terminal.width - _NAMES, _NAMES), break_on_hyphens=False)
        style = STYLES[data.severity] if name == "severity" else ""
        terminal.print(Text(f"\n{'':<{_NAMES}}".join(lines), style=style), soft_wrap=True)
    terminal.print("\nWhat happened")
    for each in life:
        terminal.print(Text(f"  {each.time}  {happening_of(each).replace('_', ' ')}"), soft_wrap=True)
        indented(terminal, each.data.explanation, 4, "dim")
    if is_open(newest):
        terminal.print("\nHow to answer")
        for line in _answers(newest, short):
            terminal.print(Text(f"  {line}"), soft_wrap=True)


def _facts(trigger: ReviewTrigger, now: Micros) -> Iterator[tuple[str, str]]:
    data = trigger.data
    yield "review", data.review
    yield "state", f"{data.state.replace('_', ' ')}, its alert is {data.alert}"
    yield "severity", data.severity
    yield "about", about_words(trigger) or "everything"
    if data.kpi is not None:
        yield "KPI", f"{data.kpi.title} ({data.kpi.id}): {data.kpi.definition}"
    yield "owner", owner_words(trigger)
    optional = (
        ("takes part", ", ".join(data.participants)),
        ("seen by", data.acknowledged_by),
        ("opened", data.opened),
        ("due", data.due and f"{data.due} ({due_words(trigger, now)})" if is_open(trigger) else data.due),
        ("snoozed", data.snoozed_until and f"until {data.snoozed_until}"),
        ("question", data.question),
        ("runbook", data.runbook),
        ("verdict", data.verdict and data.verdict.replace("_", " ")),
        ("answer", data.answer),
    )
    yield from ((name, value) for name, value in optional if value)


def _answers(trigger: ReviewTrigger, short: str) -> Iterator[str]:
    data = trigger.data
    if data.acknowledged_by is None:
        yield f"counterpoint reviews ack {short}"
    yield f"counterpoint reviews assign {short} --to NAME"
    yield f"counterpoint reviews snooze {short} --until 4h"
    yield f'counterpoint reviews resolve {short}-{data.ordinal} --verdict VERDICT --answer "..."'
    yield "    where VERDICT is real, expected, false_alarm or data_error"
    yield f"counterpoint explain {trigger.id}"
