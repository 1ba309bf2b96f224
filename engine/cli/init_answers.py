"""What `counterpoint init` cannot know: taken from options, asked for on a terminal, refused where it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import typer

from engine.errors import ConfigError
from engine.propose.draft import Answers, Named, guessed_direction
from engine.propose.naming import slug
from engine.rules import calendar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.propose.choice import Choice
    from engine.propose.naming import Direction

_DIRECTIONS = ("higher_is_better", "lower_is_better", "in_band")


class Asked(NamedTuple):
    """The options, None where not given."""

    owner: str | None
    objective: str | None
    direction: str | None
    zone: str | None
    decision: str | None
    kpis: tuple[str, ...]


class There(NamedTuple):
    """Owners by id with their names, and objectives with their titles, that are declared already."""

    owners: Mapping[str, str]
    objectives: Mapping[str, str]


def answers(asked: Asked, choice: Choice, kpi: str, there: There, *, interactive: bool) -> Answers:
    """All of it; ConfigError with every option that is missing where nobody can be asked."""
    guessed = guessed_direction(choice, kpi)
    direction = asked.direction or guessed
    zone = asked.zone or (None if choice.zone_needed else "UTC")
    if interactive:
        asked = asked._replace(
            owner=asked.owner or _ask(f"Who answers for {kpi}? (a person or team)"),
            objective=asked.objective or _ask("What is it for? (the objective, in a sentence)"),
        )
        direction = asked.direction or _ask_direction(guessed)
        asked = asked._replace(decision=asked.decision or _ask("What is done when it moves?", default="none"))
        zone = zone or _ask_zone(choice.time)
    missing = _missing(asked, direction, zone, choice)
    if missing:
        raise ConfigError(missing)
    return Answers(
        owner=_named(cast("str", asked.owner), there.owners, "--owner"),
        objective=_named(cast("str", asked.objective), there.objectives, "--objective"),
        direction=cast("Direction", direction),
        zone=cast("str", zone),
        decision=asked.decision,
        kpis=asked.kpis,
    )


def _missing(asked: Asked, direction: str | None, zone: str | None, choice: Choice) -> list[str]:
    wanted = (
        (asked.owner, "--owner: expected who answers for the KPI, a person or team"),
        (asked.objective, "--objective: expected what the KPI is for, in a sentence"),
        (
            direction,
            f"--direction: expected which way is better, its name does not tell: one of {', '.join(_DIRECTIONS)}",
        ),
        (zone, f"--zone: expected whose clock {choice.time} is of, such as Europe/Vienna: its times have no offset"),
    )
    return [f"{problem}; found none" for value, problem in wanted if not value]


def _ask(question: str, default: str | None = None) -> str:
    return str(typer.prompt(question, default=default)).strip()


def _ask_direction(guessed: str | None) -> str:
    while True:
        given = str(typer.prompt(f"Which way is better? ({', '.join(_DIRECTIONS)})", default=guessed)).strip()
        close = [each for each in _DIRECTIONS if each.startswith(given.lower().replace(" ", "_"))]
        if len(close) == 1:
            return close[0]


def _ask_zone(time: str) -> str:
    while True:
        given = str(typer.prompt(f"Whose local time is {time}? (a time zone, such as Europe/Vienna)")).strip()
        if calendar.zone_exists(given):
            return given
        typer.echo(f"{given} is no name of the IANA time zone database.", err=True)


def _named(title: str, there: Mapping[str, str], option: str) -> Named:
    """One that is declared in the folder, by id or title, or a new one."""
    for id_, known in there.items():
        if title in (id_, known) or slug(title, 40) == id_:
            return Named(id_, None)
    return Named(_id_of(title, option), title)


def _id_of(name: str, option: str) -> str:
    made = slug(name, 40)
    if not made:
        raise ConfigError([f"{option}: expected some letters or digits, found {name!r}"])
    return made
