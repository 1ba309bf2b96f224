"""What a KPI comes to over several series and windows: by its aggregation, or where it has a formula, from the KPIs in
it, each by its own. A ratio is so one of sums, never a mean of ratios.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.formula import formula_of
from engine.rules.resolved.catalogue import formula_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.rules.resolved.catalogue import Aggregation, Kpi


class Term:
    """One KPI. `rolled`: the KPIs whose shares are merged for it, with their aggregations; of a plain ratio the one
    above the line first.
    """

    def __init__(self, kpi: Kpi, kpis: Mapping[str, Kpi]) -> None:
        self.name = kpi.id
        self.text = formula_in(kpi)
        self.formula = None if self.text is None else formula_of(self.text)
        self.ratio = None if self.formula is None else self.formula.ratio
        parts = (kpi.id,) if self.formula is None else self.ratio or self.formula.kpis
        self.rolled: dict[str, Aggregation] = {name: kpis[name].aggregation for name in parts}

    def value(self, values: Mapping[str, float | None]) -> float | None:
        """Its value where those KPIs have these; None unless all have one."""
        there = {name: value for name in self.rolled if (value := values[name]) is not None}
        if len(there) < len(self.rolled):
            return None
        return there[self.name] if self.formula is None else self.formula.value(there)
