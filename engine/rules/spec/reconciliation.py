"""The condition reconciliation as written."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from engine.rules.spec.scalars import Change, Id, Spec, exactly_one


class ReconciliationSpec(Spec):
    """The rule's KPI departs from its system of record. Exactly one of against and children."""

    against: Id | None = Field(default=None, description="The KPI that the system of record keeps")
    children: Literal[True] | None = Field(default=None, description="Against the sum of the KPIs that roll up to it")
    tolerance: Change = Field(description="A share of the record, or a number in the KPI's unit", examples=["2%"])
    over: int = Field(default=1, ge=1, le=1000, description="Windows merged into one value")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        exactly_one(self, "reconciliation", ("against", "children"))
        return self
