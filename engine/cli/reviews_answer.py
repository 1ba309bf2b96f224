"""`counterpoint reviews ack|assign|comment|snooze|resolve`: what a person on call says of reviews."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from uuid import uuid4

import typer

from engine.cli.reviews_list import print_reviews
from engine.cli.reviews_log import WhereOption, now_of, read_triggers
from engine.cli.reviews_send import send_commands
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.cli.since import parse_until
from engine.cli.who import WhoOption, whoever
from engine.model.records import Action, ReviewCommand
from engine.model.time import Micros, format_time
from engine.offline.duty.open_set import newest_of, short_length
from engine.offline.duty.selectors import find_review, parse_matchers, seen_in, select
from engine.offline.duty.words import about_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.model.audit import CommandEntry
    from engine.model.trigger import ReviewTrigger

ReviewsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[REVIEW]...", help="Ids, or the beginnings of them; ID-3: as of its third transition, and no later."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask when several reviews are meant.")]
WaitOption = Annotated[int, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for the answer.")]

_DONE: dict[Action, str] = {
    "acknowledge": "acknowledged",
    "assign": "assigned",
    "comment": "commented",
    "snooze": "snoozed",
    "resolve": "answered",
}
_NEXT = {"stale": "it changed meanwhile: look at it with `counterpoint reviews show {id}`, then answer again"}


class VerdictOption(StrEnum):
    """What the review was, in the end."""

    REAL = "real"
    EXPECTED = "expected"
    FALSE_ALARM = "false_alarm"
    DATA_ERROR = "data_error"


class Place(NamedTuple):
    """Where the engine is, as the options say."""

    config: ConfigOption
    brokers: BrokersOption
    prefix: PrefixOption
    given: SetOption


class Asked(NamedTuple):
    """Which reviews are meant, by whom, and how long to wait."""

    reviews: list[str] | None
    where: list[str] | None
    who: str | None
    yes: bool
    seconds: int


def reviews_ack(
    reviews: ReviewsArgument = None,
    where: WhereOption = None,
    who: WhoOption = None,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    yes: YesOption = False,
    seconds: WaitOption = 30,
) -> None:
    """Say that you have seen reviews. The answer stays due.

    Exit status 0: all were taken. 1: some were refused, or nobody answered in time. 2: wrong usage.
    """
    _answer(Place(config, brokers, prefix, given), Asked(reviews, where, who, yes, seconds), "acknowledge")


def reviews_assign(
    to: Annotated[str, typer.Option("--to", help="Whom they are given to: an owner's id, or a person.")],
    reviews: ReviewsArgument = None,
    where: WhereOption = None,
    who: WhoOption = None,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    yes: YesOption = False,
    seconds: WaitOption = 30,
) -> None:
    """Give reviews to somebody. The owner stays the owner, and both hear of them from then on.

    Exit status 0: all were taken. 1: some were refused, or nobody answered in time. 2: wrong usage.
    """
    _answer(Place(config, brokers, prefix, given), Asked(reviews, where, who, yes, seconds), "assign", to=to)


def reviews_comment(
    text: Annotated[str, typer.Option("--text", "-m", help="What there is to say.")],
    reviews: ReviewsArgument = None,
    where: WhereOption = None,
    who: WhoOption = None,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    yes: YesOption = False,
    seconds: WaitOption = 30,
) -> None:
    """Leave a word at reviews, ended ones too.

    Exit status 0: all were taken. 1: some were refused, or nobody answered in time. 2: wrong usage.
    """
    _answer(Place(config, brokers, prefix, given), Asked(reviews, where, who, yes, seconds), "comment", comment=text)


def reviews_snooze(
    until: Annotated[str, typer.Option("--until", metavar="TIME|DURATION", help="RFC 3339, or 4h; at most 30 days.")],
    reviews: ReviewsArgument = None,
    where: WhereOption = None,
    who: WhoOption = None,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    yes: YesOption = False,
    seconds: WaitOption = 30,
) -> None:
    """Keep reviews quiet until a time; nothing of them is overdue before it.

    Exit status 0: all were taken. 1: some were refused, or nobody answered in time. 2: wrong usage.
    """
    _answer(Place(config, brokers, prefix, given), Asked(reviews, where, who, yes, seconds), "snooze", until=until)


def reviews_resolve(
    verdict: Annotated[VerdictOption, typer.Option("--verdict", help="What it was; a rule's precision is made of it.")],
    reviews: ReviewsArgument = None,
    where: WhereOption = None,
    answer: Annotated[str | None, typer.Option("--answer", "-m", help="The answer to the review's question.")] = None,
    who: WhoOption = None,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    yes: YesOption = False,
    seconds: WaitOption = 30,
) -> None:
    """Answer reviews. One whose alert is still on ends when that does; a review that changed meanwhile is refused.

    Exit status 0: all were taken. 1: some were refused, or nobody answered in time. 2: wrong usage.
    """
    said = {"verdict": verdict.value, "answer": answer}
    _answer(Place(config, brokers, prefix, given), Asked(reviews, where, who, yes, seconds), "resolve", **said)


def _answer(place: Place, asked: Asked, action: Action, **said: Any) -> None:  # noqa: ANN401 - a command's own fields
    if not asked.reviews and not asked.where:
        raise typer.BadParameter("expected reviews by id, or --where")
    matchers = parse_matchers(asked.where or ())
    settings = read_settings(place.config, place.given, brokers=place.brokers, prefix=place.prefix)
    newest = newest_of(read_triggers(settings))
    now = now_of(settings, newest.values())
    if "until" in said:
        said["until"] = format_time(parse_until(said["until"], now))
    found = select(newest, asked.reviews or (), matchers)
    length = short_length(newest)
    _confirm(found, asked, now, length)
    seen = {find_review(newest, each): seen_in(each) for each in asked.reviews or () if seen_in(each) is not None}
    commands = {
        trigger.data.review: _command(trigger, action, whoever(asked.who), seen.get(trigger.data.review), said)
        for trigger in found
    }
    keyed = [(commands[trigger.data.review], trigger.data.command_key) for trigger in found]
    answers = send_commands(settings, keyed, asked.seconds)
    if not _report(found, commands, answers, length):
        raise typer.Exit(1)


def _confirm(found: Sequence[ReviewTrigger], asked: Asked, now: Micros, length: int) -> None:
    if not found:
        typer.echo("No open review is like that; nothing was sent.", err=True)
        raise typer.Exit(1)
    if len(found) > 1 and not asked.yes:
        print_reviews(found, now, length)
        typer.confirm(f"All {len(found)}?", abort=True, err=True)


def _command(
    trigger: ReviewTrigger, action: Action, who: str, seen: int | None, said: Mapping[str, Any]
) -> ReviewCommand:
    """An answer is to the review as it was looked at; what else is said holds whatever came since."""
    if action == "resolve" and seen is None:
        seen = trigger.data.ordinal
    now = format_time(time.time_ns() // 1_000)
    return ReviewCommand(uuid4().hex, trigger.data.review, action, who, now, seen=seen, **said)


def _report(
    found: Sequence[ReviewTrigger],
    commands: Mapping[str, ReviewCommand],
    answers: Mapping[str, CommandEntry],
    length: int,
) -> bool:
    """Say what became of each; whether all were taken."""
    fine = True
    for trigger in found:
        command = commands[trigger.data.review]
        entry = answers.get(command.id)
        taken = entry is not None and entry.outcome != "refused"
        short = trigger.data.review[:length]
        what = f"{short}  {trigger.data.rule} {about_words(trigger)}".rstrip()
        typer.echo(f"{what}: {_outcome(command, entry, short)}", err=not taken)
        fine = fine and taken
    return fine


def _outcome(command: ReviewCommand, entry: CommandEntry | None, short: str) -> str:
    if entry is None:
        return (
            f"sent, and not answered in time: is a worker running? It is answered when one does; "
            f"`counterpoint audit show {short}` tells"
        )
    if entry.outcome == "refused":
        more = _NEXT.get(entry.reason or "", "").format(id=short)
        return f"refused ({entry.reason}): {entry.sentence}" + (f"; {more}" if more else "")
    return f"{_DONE[command.action]} by {command.who}"
