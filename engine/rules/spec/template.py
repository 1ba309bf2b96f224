"""Templates as written: one rule for each of several sets of values, or for each of several KPIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from engine.rules.resolved.selector import selects
from engine.rules.spec.scalars import Id, Spec, Text
from engine.rules.spec.selector import Chosen  # noqa: TC001 - pydantic reads annotations at run time

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | int | float | bool


class KpisSpec(Spec):
    """Which KPIs are meant, by what the catalogue says of them; all that is written must hold."""

    id: Chosen | None = Field(default=None, description="KPIs with such an id")
    owner: Chosen | None = Field(default=None, description="KPIs of such an owner")
    objective: Chosen | None = Field(default=None, description="KPIs of such an objective")
    role: Chosen | None = Field(default=None, description="KPIs of such a role")
    direction: Chosen | None = Field(default=None, description="KPIs of such a direction")
    unit: Chosen | None = Field(default=None, description="KPIs of such a unit")
    aggregation: Chosen | None = Field(default=None, description="KPIs of such an aggregation")

    def mean(self, kpi: Mapping[str, Any]) -> bool:
        """Whether all that is written holds of a KPI, given by its fields; one that it lacks holds of nothing."""
        chosen = {name: getattr(self, name) for name in self.model_fields_set}
        return selects(chosen, {name: str(kpi[name]) for name in chosen if name in kpi})


class TemplateSpec(Spec):
    """A rule with `${name}` in it. Exactly one of `for_each` and `kpis` says for what."""

    kind: Literal["template"]
    id: Id = Field(description="What others refer to", examples=["errors-of-services"])
    title: Text | None = Field(default=None, description="For people")
    for_each: list[dict[str, Value]] | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="Sets of values, a rule for each",
        examples=["[{service: shop, limit: 0.02}]"],
    )
    kpis: KpisSpec | None = Field(default=None, description="KPIs, a rule for each", examples=["{role: leading}"])
    rule: dict[str, Any] = Field(description="As a document of kind rule", examples=["{id: ..., title: ...}"])
