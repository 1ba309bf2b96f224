"""The numbers of a look at how a KPI is governed: what was judged, and what was held against which limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.governance import (
    EasyTarget,
    FallingOutcome,
    FavouredRestatements,
    MovedGoalposts,
    StaleTarget,
    Unfollowed,
    UnprovenMilestones,
)
from engine.model.time import SECOND, parse_own_time

if TYPE_CHECKING:
    from engine.correlate.trace import Looked


class Numbers(NamedTuple):
    """As the fields of an `Evaluation`."""

    value: float | None = None
    statistic: float | None = None
    limit: float | None = None
    usual: float | None = None


def numbers_of(look: Looked) -> Numbers:  # noqa: PLR0911 (one for each kind)
    """Of a condition with several limits those of the statistic that it is named by."""
    newest = look.kpis[0].points[-1].value if look.kpis and look.kpis[0].points else None
    match look.found:
        case StaleTarget() as told:
            return Numbers(told.value, (look.time - parse_own_time(told.since)) / SECOND, told.after / SECOND)
        case MovedGoalposts() as told:
            return Numbers(None, float(told.count), 0.0)
        case UnprovenMilestones() as told:
            return Numbers(told.median, float(len(told.milestones)), 0.0)
        case EasyTarget() as told:
            return Numbers(newest, told.least, told.margin * told.sigma, look.kpis[0].target)
        case FallingOutcome() as told:
            return Numbers(newest, told.z, -told.limit)
        case Unfollowed() as told:
            return Numbers(newest, max(each.high for each in told.lags), told.below)
        case FavouredRestatements() as told:
            chances = [tally.chance for tally in (told.all, told.near) if tally is not None]
            return Numbers(newest, min(chances), told.limit)
    return Numbers(newest)
