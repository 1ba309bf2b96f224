"""Noise budgets: so many notifications of warnings an owner and week, and what goes beyond comes as a digest a day.

A week is an ISO week in UTC, by the trigger's time.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from engine.model.time import DAY, Micros, format_time
from engine.notify.notification import Notification, of_digest

if TYPE_CHECKING:
    from collections.abc import Callable

NOISIEST = 5
"""Rules that a digest names."""
_WEEKS_KEPT = 2 * 7 * DAY
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Week(msgspec.Struct):
    """An owner's week: notifications `spent`, and how many `digests` went out."""

    owner: str
    start: Micros
    spent: int = 0
    digests: int = 0


class Bundle(msgspec.Struct):
    """What was bundled for an owner on a day: triggers by rule, and the reviews that they are of."""

    owner: str
    day: Micros
    by_rule: dict[str, int] = {}
    reviews: dict[str, None] = {}

    @property
    def count(self) -> int:
        """Bundled triggers."""
        return sum(self.by_rule.values())


class Budgets(msgspec.Struct):
    """The weeks and bundles of all owners."""

    weeks: dict[str, Week] = {}
    bundles: dict[str, Bundle] = {}

    def spend(self, owner: str, budget: int | None, moment: Micros) -> bool:
        """Take one notification off the owner's week; False where none is left."""
        week = self._week(owner, moment)
        if budget is not None and week.spent >= budget:
            return False
        week.spent += 1
        return True

    def bundle(self, owner: str, rule: str, review: str, moment: Micros) -> None:
        """Keep a trigger for the digest of its day."""
        day = moment - moment % DAY
        bundle = self.bundles.setdefault(f"{day}|{owner}", Bundle(owner, day))
        bundle.by_rule[rule] = bundle.by_rule.get(rule, 0) + 1
        bundle.reviews[review] = None

    def due(self, now: Micros, is_open: Callable[[str], bool]) -> list[Notification]:
        """The digests of days that are over, oldest first; weeks long past are forgotten."""
        over = [key for key, bundle in self.bundles.items() if bundle.day + DAY <= now]
        bundles = sorted((self.bundles.pop(key) for key in over), key=lambda bundle: (bundle.day, bundle.owner))
        found = [self._digest(bundle, sum(map(is_open, bundle.reviews)), now) for bundle in bundles]
        for key in [key for key, week in self.weeks.items() if week.start + _WEEKS_KEPT < now]:
            del self.weeks[key]
        return found

    def _digest(self, bundle: Bundle, still_open: int, now: Micros) -> Notification:
        week = self._week(bundle.owner, bundle.day)
        week.digests += 1
        count, reviews = bundle.count, len(bundle.reviews)
        sentence = (
            f"{count} {'notification' if count == 1 else 'notifications'} of {reviews} "
            f"{'review' if reviews == 1 else 'reviews'} bundled on {format_time(bundle.day)[:10]}, because the week's "
            f"noise budget of {bundle.owner} is spent; {still_open} still open."
        )
        lines = tuple(f"{rule}: {number}" for rule, number in noisiest(bundle.by_rule))
        return of_digest(bundle.owner, _name(week.start), week.digests, format_time(now), sentence, lines)

    def _week(self, owner: str, moment: Micros) -> Week:
        start = _monday(moment)
        return self.weeks.setdefault(f"{start}|{owner}", Week(owner, start))


def noisiest(by_rule: dict[str, int]) -> list[tuple[str, int]]:
    """The rules with the most, at most `NOISIEST` of them."""
    return sorted(by_rule.items(), key=lambda pair: (-pair[1], pair[0]))[:NOISIEST]


def _monday(moment: Micros) -> Micros:
    day = moment // DAY
    return (day - (day + 3) % 7) * DAY  # the epoch was a Thursday


def _name(start: Micros) -> str:
    """`2026-W05`."""
    year, week, _ = date.fromordinal(_EPOCH_ORDINAL + start // DAY).isocalendar()
    return f"{year}-W{week:02d}"
