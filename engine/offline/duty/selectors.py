"""Which reviews are meant: by ids or the beginnings of such, or by labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ConfigError
from engine.notify.matchers import matches, parse_matcher
from engine.notify.notification import labels_of
from engine.offline.duty.open_set import is_open

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from engine.model.audit import Matcher
    from engine.model.trigger import ReviewTrigger

SHOWN = 5
"""Reviews that a message names where too many are meant."""


def parse_matchers(where: Sequence[str]) -> tuple[Matcher, ...]:
    """The matchers of several `--where`; ConfigError names every one that is wrong."""
    found: list[Matcher] = []
    problems: list[object] = []
    for text in where:
        try:
            found.append(parse_matcher(text))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def find_review(reviews: Collection[str], beginning: str) -> str:
    """The id that begins so; a trigger's id (`...-3`) means its review. ConfigError when none does, or several do."""
    prefix = beginning.partition("-")[0].lower()
    found = (
        [prefix] if prefix in reviews else sorted(review for review in reviews if prefix and review.startswith(prefix))
    )
    if not found:
        raise ConfigError(
            [f"expected the id of a review, or its beginning, found {beginning!r}, and no review like it"]
        )
    if len(found) > 1:
        more = ", ..." if len(found) > SHOWN else ""
        raise ConfigError([f"{beginning!r} is the beginning of {len(found)} reviews: {', '.join(found[:SHOWN])}{more}"])
    return found[0]


def seen_in(beginning: str) -> int | None:
    """The transition that an id names beside the review: 3 of `142cc966-3`."""
    ordinal = beginning.partition("-")[2]
    return int(ordinal) if ordinal.isdecimal() else None


def select(
    newest: Mapping[str, ReviewTrigger], ids: Sequence[str], matchers: Sequence[Matcher], *, ended: bool = False
) -> list[ReviewTrigger]:
    """The reviews of `ids`, or the open ones that all `matchers` hold for; `ended` too where asked for.

    ConfigError for an id that names none or several, and when nothing is selected at all.
    """
    if ids:
        meant = {find_review(newest, each): None for each in ids}
        return [newest[review] for review in meant if matches(matchers, labels_of(newest[review]))]
    candidates = (each for each in newest.values() if ended or is_open(each))
    return [each for each in candidates if matches(matchers, labels_of(each))]
