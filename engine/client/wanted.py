"""Which review triggers a subscriber wants to hear of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.model.trigger import ReviewTrigger


class Wanted(msgspec.Struct, frozen=True):
    """All that is stated must fit; null: whatever it is. `dimensions`: each named one has one of the values.

    `historical`: those also of what was over, or long ago, before anybody could be told.
    """

    happenings: frozenset[str] | None = None
    severities: frozenset[str] | None = None
    owners: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    objectives: frozenset[str] | None = None
    kpis: frozenset[str] | None = None
    dimensions: dict[str, frozenset[str]] = {}
    historical: bool = False

    def fits(self, trigger: ReviewTrigger) -> bool:
        """Whether a trigger is wanted."""
        data = trigger.data
        stated = (
            (self.happenings, happening_of(trigger)),
            (self.severities, data.severity),
            (self.owners, data.owner),
            (self.rules, data.rule),
            (self.objectives, data.objective),
            (self.kpis, None if data.kpi is None else data.kpi.id),
        )
        if data.historical and not self.historical:
            return False
        return all(wanted is None or found in wanted for wanted, found in stated) and all(
            data.dimensions.get(name) in values for name, values in self.dimensions.items()
        )


def happening_of(trigger: ReviewTrigger) -> str:
    """`opened` of `counterpoint.review.opened.v1`."""
    return trigger.type.split(".")[2]
