"""The governance conditions as written: what is asked of a KPI is how it is looked after, not how it fares."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from engine.model.time import DAY
from engine.rules.resolved.timing import ReportingPeriod  # noqa: TC001 (pydantic reads it)
from engine.rules.spec.scalars import Id, Share, Span, Spec, refuse
from engine.rules.wording import choices

WINDOWS_MAX = 400
"""As many as a trigger lists as evidence."""

PERIODS: Final = {"month": 28 * DAY, "quarter": 90 * DAY, "year": 365 * DAY}
"""Reporting periods, with how long the shortest of each is."""

EVEN: Final = 0.5
"""The share in favour that chance gives."""

_Windows = Annotated[int, Field(le=WINDOWS_MAX)]


class SetAndForgetSpec(Spec):
    """The target was neither reviewed nor changed for so long, and the KPI goes on."""

    after: Span = Field(description="For so long", examples=["180d"])


class MovedGoalpostsSpec(Spec):
    """The KPI's definition or target was changed while a rule on it was firing. There is nothing to set: `{}`."""


class UnprovenMilestoneSpec(Spec):
    """A milestone is reported as done, or its date has passed, and the KPI that proves it is not there."""

    windows: Annotated[_Windows, Field(ge=1)] = Field(default=7, description="The median of so many proves")


class AlwaysGreenSpec(Spec):
    """The target is so easy that the KPI cannot miss it."""

    windows: Annotated[_Windows, Field(ge=8)] = Field(description="Over so many windows", examples=[104])
    margin: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = Field(
        default=3.0, description="Standard deviations that the worst window stays clear of the target"
    )


class GreenOverFallingSpec(Spec):
    """The leading KPIs of the objective meet their targets while this lagging one falls."""

    windows: Annotated[_Windows, Field(ge=8)] = Field(description="Over so many windows", examples=[52])
    green: Share = Field(default=0.9, description="The share of windows that met their targets")
    at_least: Share = Field(default=0.1, description="A smaller fall does not count", examples=["10%"])
    sensitivity: Literal["low", "normal", "high"] = Field(default="normal", description="How readily it says something")


class VanitySpec(Spec):
    """The outcome never followed this leading KPI."""

    outcome: Id | None = Field(
        default=None, description="The lagging KPI that it rolls up to, or the only one of its objective, unless said"
    )
    windows: Annotated[_Windows, Field(ge=24)] = Field(description="Over so many windows", examples=[104])
    lag: int = Field(default=4, ge=0, le=52, description="Windows within which the outcome may follow")
    below: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.4, description="The outcome follows where rho may be that large"
    )


class RestatedInFavourSpec(Spec):
    """Closed windows are restated, and mostly for the better."""

    windows: Annotated[_Windows, Field(ge=8)] = Field(description="Over so many windows", examples=[90])
    in_favour: Share = Field(default=0.75, description="The share of restated windows that moved for the better")
    changed: Annotated[int, Field(ge=7, le=WINDOWS_MAX)] = Field(default=10, description="Fewer say nothing")
    at_least: Share = Field(default=0.01, description="A smaller change of all together does not count")
    sensitivity: Literal["low", "normal", "high"] = Field(default="normal", description="How readily it says something")
    period: ReportingPeriod | None = Field(
        default=None, description="Windows near the end of one are also looked at alone"
    )
    near: Span | None = Field(default=None, description="How near", examples=["5d"])

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.in_favour <= EVEN:
            raise refuse(
                "share",
                expected="more than half",
                found=f"{self.in_favour:.0%}",
                mend="write for instance `75%`: half of them is what chance gives",
                at="in_favour",
            )
        if (self.period is None) != (self.near is None):
            given, lacks = ("near", "period") if self.period is None else ("period", "near")
            raise refuse(
                "near",
                expected="`period` and `near` together",
                found=f"`{given}` alone",
                mend=f"add `{lacks}`, for instance `period: month, near: 5d`, or leave both out",
                at=given,
            )
        if self.period is not None and self.near is not None and self.near >= PERIODS[self.period]:
            raise refuse(
                "near",
                expected=f"less than the {PERIODS[self.period] // DAY} days of a {self.period}",
                found=f"{self.near / DAY:g} days",
                mend="write how long before the end of a period a window counts as near it",
                at="near",
            )
        return self


class GovernanceSpec(Spec):
    """How a KPI is governed. Exactly one of these."""

    set_and_forget: SetAndForgetSpec | None = Field(default=None, description="Nobody has looked at the target")
    moved_goalposts: MovedGoalpostsSpec | None = Field(
        default=None, description="Definition or target were changed while something fires"
    )
    unproven_milestone: UnprovenMilestoneSpec | None = Field(
        default=None, description="Reported as done or overdue, and the KPI is not there"
    )
    always_green: AlwaysGreenSpec | None = Field(default=None, description="The target cannot be missed")
    green_over_falling: GreenOverFallingSpec | None = Field(
        default=None, description="Leading KPIs meet their targets over a falling outcome"
    )
    vanity: VanitySpec | None = Field(default=None, description="Its outcome never followed it")
    restated_in_favour: RestatedInFavourSpec | None = Field(
        default=None, description="Closed windows are restated, mostly for the better"
    )

    @property
    def name(self) -> str:
        """Which of them it is."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = tuple(type(self).model_fields)
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise refuse(
                "governance",
                expected=f"exactly one of {choices(names)}",
                found=" and ".join(given) or "none of them",
                mend=f"keep one of the {len(given)}" if given else "add one",
                at=given[1] if given else None,
            )
        return self
