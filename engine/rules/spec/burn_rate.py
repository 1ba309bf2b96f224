"""`burn_rate` as written: an error budget that is spent too fast, over a long window and a short one."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from engine.rules.spec.scalars import Share, Span, Spec, refuse


class BurnRateSpec(Spec):
    """The error budget is spent `factor` times as fast as it may be, over `long` and over `short`."""

    objective: Share = Field(description="The share that must be good", examples=["99.9%"])
    factor: float = Field(gt=0, description="How many times too fast", examples=[14.4])
    long: Span = Field(description="What makes it matter", examples=["1h"])
    short: Span = Field(description="What ends it soon after; a part of `long`", examples=["5m"])

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not 0 < self.objective < 1:
            raise refuse(
                "unreachable",
                expected="a share below 100 % that must be good",
                found=f"{self.objective:.0%}",
                mend="leave a budget, for instance `99.9%`",
                at="objective",
            )
        if self.long % self.short or self.long == self.short:
            raise refuse(
                "window-size",
                expected="a `short` that `long` is a multiple of",
                found="one that it is not",
                mend="write for instance `long: 1h, short: 5m`",
                at="short",
            )
        if self.limit >= 1:
            raise refuse(
                "unreachable",
                expected=f"a `factor` of less than {1 / (1 - self.objective):g}, with which everything is bad",
                found=f"{self.factor:g}",
                mend="lower it",
                at="factor",
            )
        return self

    @property
    def limit(self) -> float:
        """The share of bad ones that spends the budget so fast."""
        return round(self.factor * (1 - self.objective), 12)
