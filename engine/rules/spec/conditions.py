"""The conditions of rules as written, one model each."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from engine.rules.spec.burn_rate import BurnRateSpec  # noqa: TC001 - pydantic reads it at run time
from engine.rules.spec.composite import CompositeSpec  # noqa: TC001 - pydantic reads it at run time
from engine.rules.spec.control import ControlChartSpec  # noqa: TC001 - pydantic reads it at run time
from engine.rules.spec.governance import GovernanceSpec  # noqa: TC001 - pydantic reads it at run time
from engine.rules.spec.off_track import OffTrackSpec  # noqa: TC001 - pydantic reads it at run time
from engine.rules.spec.reconciliation import ReconciliationSpec  # noqa: TC001 - pydantic reads it at run time
from engine.rules.spec.scalars import Change, Id, Number, Share, Span, Spec, exactly_one, refuse
from engine.rules.wording import shown

COUNT_MAX = 400
"""Earlier windows that a usual level may rest on: as many as a trigger lists as evidence."""

_PAIR = 2


class Band(NamedTuple):
    """Two limits, the lower first."""

    low: float
    high: float


def _band(value: object) -> Band:
    if isinstance(value, list) and len(value) == _PAIR and all(_is_finite(item) for item in value):
        low, high = (float(item) for item in value)
        if low < high:
            return Band(low, high)
    raise refuse(
        "band",
        expected="two limits, the lower first, like [10, 20]",
        found=str(value)[:40] if isinstance(value, list) else shown(value),
        mend="write `[low, high]`",
    )


def _is_finite(value: object) -> bool:
    return type(value) in (int, float) and abs(float(str(value))) < float("inf")


Limits = Annotated[
    Band,
    PlainValidator(_band),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]


class ThresholdSpec(Spec):
    """A point is past a limit. Exactly one of above, below, outside and inside."""

    above: Number | None = Field(default=None, description="Fires strictly above it")
    below: Number | None = Field(default=None, description="Fires strictly below it")
    outside: Limits | None = Field(default=None, description="Fires outside of these two")
    inside: Limits | None = Field(default=None, description="Fires between these two")
    recover_at: Number | None = Field(default=None, description="Where it stops firing; with above and below")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        exactly_one(self, "limit", ("above", "below", "outside", "inside"))
        if self.recover_at is not None:
            _check_recovery(self.above, self.below, self.recover_at)
        return self


class AgainstSpec(Spec):
    """What is usual: the median of earlier windows, of the same times of earlier days, or of the same weekdays."""

    median_of: int = Field(ge=1, le=COUNT_MAX, description="Of so many earlier ones", examples=[8])
    same: Literal["windows", "days", "weekdays"] = Field(
        description="The windows just before, those of the same time of earlier days, or of the same weekdays",
        examples=["weekdays"],
    )


class ChangeSpec(Spec):
    """A window differs from what is usual by more than `up` or `down`."""

    against: AgainstSpec = Field(description="What is usual", examples=["{median_of: 8, same: weekdays}"])
    up: Change | None = Field(
        default=None, description="More above what is usual than this, as a share or in the KPI's unit"
    )
    down: Change | None = Field(
        default=None, description="More below what is usual than this, as a share or in the KPI's unit"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = [amount for amount in (self.up, self.down) if amount is not None]
        if not given:
            raise refuse(
                "change", expected="`up`, `down` or both", found="neither", mend="add for instance `down: 20%`"
            )
        if len({amount.relative for amount in given}) > 1:
            raise refuse(
                "change",
                expected="`up` and `down` both as a percentage or both as a number",
                found="one of each",
                mend="write both the same way, or make two rules",
                at="down",
            )
        return self


class TrendBreakSpec(Spec):
    """The level or the slope of a series has broken for good. All fields may be left out: `trend_break: {}`."""

    of: Literal["level", "slope"] | None = Field(default=None, description="Both unless said")
    direction: Literal["up", "down"] | None = Field(default=None, description="Both unless said")
    at_least: Change | None = Field(default=None, description="A smaller break does not count", examples=["5%"])
    sensitivity: Literal["low", "normal", "high"] = Field(default="normal", description="How readily it says something")
    learn: int | None = Field(
        default=None, ge=8, le=10_000, description="Windows before it judges; 24 and two seasons unless said"
    )


class AnomalySpec(Spec):
    """A window is outside the band that is usual of its series. All fields may be left out: `anomaly: {}`."""

    direction: Literal["up", "down"] | None = Field(default=None, description="Both unless said")
    season: Literal["day", "week", "none"] | None = Field(default=None, description="Found in the series unless said")
    at_least: Change | None = Field(default=None, description="A smaller deviation does not count", examples=["5%"])
    sensitivity: Literal["low", "normal", "high"] = Field(default="normal", description="How readily it says something")
    learn: int | None = Field(
        default=None, ge=24, le=10_000, description="Windows before it judges; 24 and two seasons unless said"
    )


class MissingDataSpec(Spec):
    """A series has been silent for longer than `after`, which is the KPI's cadence unless said."""

    after: Span | None = Field(default=None, description="The KPI's cadence unless said")


class JudgeSpec(Spec):
    """When a side of a conflict has moved: by a share of its usual level, or past a fixed level."""

    by: Share | None = Field(default=None, description="By so large a share of what is usual")
    against: AgainstSpec | None = Field(default=None, description="What is usual")
    noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        default=None, description="And by so many times the usual scatter"
    )
    hold: bool | None = Field(default=None, description="What is usual stays as it was when it began to hold")
    above: Number | None = Field(default=None, description="Past this level, instead of against what is usual")
    below: Number | None = Field(default=None, description="Past this level, instead of against what is usual")

    @property
    def level(self) -> float | None:
        """The fixed level, if there is one."""
        return self.above if self.above is not None else self.below

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.level is None and self.against is None:
            raise refuse(
                "judge",
                expected="`against` what is usual, or a level `above` or `below`",
                found="neither",
                mend="add for instance `against: {median_of: 8, same: weekdays}`",
            )
        if self.above is not None and self.below is not None:
            raise refuse("judge", expected="one level", found="two", mend="keep `above` or `below`", at="below")
        self._check_level_is_alone()
        return self

    def _check_level_is_alone(self) -> None:
        relative = [name for name in ("by", "against", "noise", "hold") if getattr(self, name) is not None]
        if self.level is not None and relative:
            raise refuse(
                "judge",
                expected="either a level or a change `by` a share",
                found=f"a level and `{relative[0]}`",
                mend=f"leave out `{relative[0]}`, or the level",
                at=relative[0],
            )


class ConflictSpec(Spec):
    """The rule's KPI improves while one of its counterparts worsens."""

    improves: JudgeSpec = Field(
        description="When the rule's KPI has improved", examples=["{by: 5%, against: {median_of: 8, same: weekdays}}"]
    )
    worsens: JudgeSpec = Field(
        description="When a counterpart has worsened; `by` is its minimum effect unless said",
        examples=["{by: 10%, against: {median_of: 8, same: weekdays}}"],
    )
    counterparts: list[Id] | None = Field(default=None, min_length=1, description="All of the KPI's unless said")
    over: int = Field(default=1, ge=1, le=1000, description="Windows merged into one value")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.improves.level is None and self.improves.by is None:
            raise refuse(
                "judge",
                expected="how much an improvement is",
                found="no `by`",
                mend="add for instance `by: 5%`",
                at="improves",
            )
        return self


class ConditionSpec(Spec):
    """Exactly one condition."""

    threshold: ThresholdSpec | None = Field(default=None, description="A value past a fixed limit")
    change: ChangeSpec | None = Field(default=None, description="A window far from what is usual")
    trend_break: TrendBreakSpec | None = Field(default=None, description="A lasting shift of level or slope")
    anomaly: AnomalySpec | None = Field(
        default=None, description="A window outside the band that is usual of its series"
    )
    control_chart: ControlChartSpec | None = Field(
        default=None, description="A process out of control: run rules, EWMA or CUSUM"
    )
    missing_data: MissingDataSpec | None = Field(default=None, description="A declared series is silent")
    counterpart_conflict: ConflictSpec | None = Field(
        default=None, description="One KPI improves while its counterpart worsens"
    )
    reconciliation: ReconciliationSpec | None = Field(
        default=None, description="What is reported departs from its system of record"
    )
    off_track: OffTrackSpec | None = Field(default=None, description="The forecast for the target's date misses it")
    composite: CompositeSpec | None = Field(
        default=None, description="Several rules together: all, any, so many, or in order"
    )
    burn_rate: BurnRateSpec | None = Field(default=None, description="An error budget is spent too fast")
    governance: GovernanceSpec | None = Field(default=None, description="How the KPI is looked after")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        exactly_one(self, "condition", tuple(type(self).model_fields))
        return self


def _check_recovery(above: float | None, below: float | None, recover_at: float) -> None:
    if above is None and below is None:
        raise refuse(
            "recover-at",
            expected="`recover_at` only with `above` or `below`",
            found="it with two limits",
            mend="leave it out, or make two rules",
            at="recover_at",
        )
    if above is not None and recover_at > above:
        raise refuse(
            "recover-at",
            expected=f"`recover_at` not above the limit {above:g}",
            found=f"{recover_at:g}",
            mend="a rule that fires above a limit recovers at or below it",
            at="recover_at",
        )
    if below is not None and recover_at < below:
        raise refuse(
            "recover-at",
            expected=f"`recover_at` not below the limit {below:g}",
            found=f"{recover_at:g}",
            mend="a rule that fires below a limit recovers at or above it",
            at="recover_at",
        )
