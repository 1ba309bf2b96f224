"""The condition control_chart as written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from engine.rules.run_rules import RUN_RULES, SETS
from engine.rules.spec.scalars import Number, Spec, refuse
from engine.rules.wording import choices, shown, suggestion

_NAMES = (*SETS, *RUN_RULES)


def _rules(value: object) -> tuple[str, ...]:
    written = [value] if isinstance(value, str) else value
    if not isinstance(written, list) or not written:
        raise _no_rules(value)
    for name in written:
        if name not in _NAMES:
            raise _no_rules(name)
    return tuple(written)


def _no_rules(found: object) -> Exception:
    return refuse(
        "run-rule",
        expected=f"{choices(SETS)}, or a list of run rules like `[western_electric_1, nelson_3]`",
        found=shown(found),
        mend=suggestion(found, set(_NAMES), "they are western_electric_1 to 4 and nelson_1 to 8"),
    )


_NAME_SCHEMA = {"enum": list(_NAMES)}
RunRules = Annotated[
    tuple[str, ...],
    PlainValidator(_rules),
    WithJsonSchema({"anyOf": [_NAME_SCHEMA, {"type": "array", "items": _NAME_SCHEMA, "minItems": 1}]}),
]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class EwmaSpec(Spec):
    """A moving average that forgets is past its limit."""

    lambda_: float = Field(default=0.2, alias="lambda", gt=0, le=1, description="Weight of the newest point")
    limit: Positive = Field(default=3.0, description="In sigmas of the average")
    limits: Literal["varying", "steady"] = Field(
        default="varying", description="Narrow at first and widening, or at their final width from the first point on"
    )


class CusumSpec(Spec):
    """What deviations have beyond their slack adds up past the limit. All in sigmas."""

    slack: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.5, description="In sigmas; a smaller deviation adds nothing"
    )
    limit: Positive = Field(
        default=5.0, description="In sigmas; where the sum is past it, the process is out of control"
    )
    head_start: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="Where both sums begin: half the limit for a fast initial response"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.head_start > self.limit:
            raise refuse(
                "head-start",
                expected=f"`head_start` not above the limit {self.limit:g}",
                found=f"{self.head_start:g}",
                mend="half the limit is usual",
                at="head_start",
            )
        return self


class ControlChartSpec(Spec):
    """A process is out of control. Exactly one of rules, ewma and cusum; centre and sigma are learned unless said."""

    rules: RunRules | None = Field(default=None, description="Run rules", examples=["western_electric"])
    ewma: EwmaSpec | None = Field(default=None, description="A moving average that forgets")
    cusum: CusumSpec | None = Field(default=None, description="Deviations beyond their slack, added up")
    direction: Literal["up", "down"] | None = Field(default=None, description="Both unless said")
    centre: Number | None = Field(default=None, description="Learned unless said")
    sigma: Positive | None = Field(default=None, description="The scatter about the centre; learned unless said")
    sigma_from: Literal["moving_range", "deviation"] | None = Field(
        default=None, description="How sigma is learned; moving_range unless said"
    )
    learn: int | None = Field(
        default=None, ge=8, le=10_000, description="Windows that the limits are learned from; 25 unless said"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_chart()
        self._check_learning()
        without = [name for name in self.rules or () if name not in SETS and not RUN_RULES[name].sided]
        if self.direction is not None and without:
            raise refuse(
                "run-rule-side",
                expected="with `direction` only run rules that have a side",
                found=without[0],
                mend="leave it out, or the `direction`",
                at="rules",
            )
        return self

    def _check_chart(self) -> None:
        given = [name for name in ("rules", "ewma", "cusum") if getattr(self, name) is not None]
        if len(given) != 1:
            raise refuse(
                "chart",
                expected="exactly one of rules, ewma or cusum",
                found=" and ".join(given) or "none of them",
                mend=f"keep one of the {len(given)}" if given else "add for instance `rules: western_electric`",
                at=given[1] if given else None,
            )

    def _check_learning(self) -> None:
        if self.sigma is not None and self.sigma_from is not None:
            raise refuse(
                "sigma-twice",
                expected="`sigma` or `sigma_from`",
                found="both",
                mend="keep `sigma` where it is known, `sigma_from` where it is learned",
                at="sigma_from",
            )
        if self.sigma is not None and self.centre is not None and self.learn is not None:
            raise refuse(
                "nothing-to-learn",
                expected="no `learn` beside both `centre` and `sigma`",
                found=f"{self.learn}",
                mend="leave it out: there is nothing left to learn",
                at="learn",
            )
