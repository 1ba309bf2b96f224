"""The sides of a rule over aligned windows: which KPIs each is about, and how far back it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.terms import Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.rules.resolved.catalogue import Aggregation
    from engine.rules.ruleset import RuleSet


class AlignedSide:
    """One side of a rule: the KPIs that it is about, its own first, how far it lags, and how many windows before one
    its verdict there reads (`reach`). `rolled` are the KPIs whose shares are merged for them, by aggregation; the
    windows of the `first` of them stand for all.
    """

    def __init__(self, number: int, kpis: Sequence[str], rules: RuleSet, *, lag: int = 0, reach: int = 0) -> None:
        self.number = number
        self.kpi = kpis[0]
        self.kpis = tuple(kpis)
        self.lag = lag
        self.reach = reach
        self.terms = [Term(rules.kpi_by_id[name], rules.kpi_by_id) for name in kpis]
        self.rolled = {name: how for term in self.terms for name, how in term.rolled.items()}
        self.first = next(iter(self.rolled))

    def values(self, rolled: Mapping[str, float | None]) -> list[float | None]:
        """Those of its KPIs, from the values of all that is merged for them."""
        return [term.value(rolled) for term in self.terms]

    @property
    def told_apart(self) -> Mapping[str, Aggregation]:
        """What is merged, where values of a dimension can be told apart in it: a KPI alone, or one per another."""
        plain = all(term.formula is None for term in self.terms)
        return self.rolled if plain or (len(self.terms) == 1 and self.terms[0].ratio) else {}
