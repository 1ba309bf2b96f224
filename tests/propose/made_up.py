"""Samples made up for the tests of proposals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from engine.propose.choice import Wish, choose
from engine.propose.draft import Answers, Draft, Named, draft
from engine.propose.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.propose.naming import Direction
    from engine.propose.sample import Row

BEGIN = datetime(2025, 3, 3, tzinfo=UTC)
OWNER, OBJECTIVE = Named("shop", "Shop"), Named("growth", "Growth")


def sample(rows: list[Row], name: str = "orders.csv", *, topic: bool = False) -> Sample:
    return Sample(name, rows, topic=topic, whole=True)


def regular(
    step: timedelta,
    count: int,
    value: Callable[[int], float],
    *,
    column: str = "duration_ms",
    levels: dict[str, float] | None = None,
) -> list[Row]:
    """A row a step and country, whose value is multiplied by the country's level."""
    return [
        {"at": f"{BEGIN + place * step:%Y-%m-%dT%H:%M:%SZ}", "country": country, column: str(value(place) * level)}
        for place in range(count)
        for country, level in (levels or {"AT": 1.0, "DE": 1.0}).items()
    ]


def drafted(
    rows: list[Row], direction: Direction, *, topic: bool = False, wish: Wish | None = None, zone: str = "Europe/Vienna"
) -> Draft:
    seen = sample(rows, topic=topic)
    answers = Answers(OWNER, OBJECTIVE, direction, zone)
    return draft(seen, choose(seen, wish or Wish()), answers, "orders")
