"""The condition off_track as written."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from engine.rules.resolved.condition import FORECAST_WINDOWS
from engine.rules.spec.scalars import Share, Spec, Text, refuse

_LOOSEST, _STRICTEST = 0.5, 0.99


class OffTrackSpec(Spec):
    """The KPI will miss its target. All fields may be left out: `off_track: {}`."""

    confidence: Share = Field(default=0.9, description="What share of intervals hold what comes", examples=["90%"])
    learn: int = Field(default=28, ge=16, le=FORECAST_WINDOWS, description="Windows before it judges")
    scope: list[Text] = Field(default_factory=list, description="Dimensions; each of their values has a forecast")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not _LOOSEST <= self.confidence <= _STRICTEST:
            raise refuse(
                "confidence",
                expected="a confidence from 50% to 99%",
                found=f"{self.confidence:.6g}",
                mend="write for instance `90%`",
                at="confidence",
            )
        return self
