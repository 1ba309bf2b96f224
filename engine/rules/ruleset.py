"""The rule set: everything that was declared, checked and resolved, as one immutable value with a hash.

It is what the log activates and what a worker stores; nothing in it refers to a file. It does not know where state is
kept.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from engine.model.formula import formula_of
from engine.model.identity import digest_of
from engine.rules.resolved.catalogue import Initiative, Kpi, Objective, Owner, formula_in
from engine.rules.resolved.rule import Rule
from engine.rules.resolved.source import Source
from engine.rules.resolved.timing import Calendar, ZoneTransition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.rules.excerpt import Excerpt


class RuleSet(msgspec.Struct, frozen=True, dict=True):
    """Immutable; everything is sorted by id, so that the same declarations give the same bytes."""

    owners: tuple[Owner, ...]
    objectives: tuple[Objective, ...]
    kpis: tuple[Kpi, ...]
    rules: tuple[Rule, ...]
    sources: tuple[Source, ...]
    zones: dict[str, tuple[ZoneTransition, ...]]
    calendars: tuple[Calendar, ...] = ()
    initiatives: tuple[Initiative, ...] = ()

    @cached_property
    def encoded(self) -> bytes:
        """The set as canonical JSON: what is stored."""
        return msgspec.json.encode(self, order="sorted")

    @cached_property
    def hash(self) -> str:
        """Names the set: a digest of its canonical JSON."""
        return digest_of(self)

    @classmethod
    def decode(cls, data: bytes) -> RuleSet:
        """The inverse of `encoded`; msgspec.ValidationError when the bytes are not a rule set."""
        return msgspec.json.decode(data, type=cls)

    @cached_property
    def kpi_by_id(self) -> dict[str, Kpi]:
        """Look-up by id."""
        return {kpi.id: kpi for kpi in self.kpis}

    @cached_property
    def excerpts(self) -> dict[str, Excerpt]:
        """By rule, those that are the same at any time, as far as `rules.excerpt` has made them."""
        return {}

    @cached_property
    def rule_by_id(self) -> dict[str, Rule]:
        """Look-up by id, the engine's own rules (`cadence:KPI`, `precision:RULE`) included."""
        from engine.rules.own_rules import own_rules  # noqa: PLC0415 - it makes what this module defines

        return {rule.id: rule for rule in (*own_rules(self), *self.rules)}

    @property
    def has_formulas(self) -> bool:
        """Whether some KPI is worked out from others."""
        return bool(self._derived_by_part)

    def derived_from(self, kpi: str) -> tuple[Kpi, ...]:
        """The KPIs with a formula that this one is in."""
        return self._derived_by_part.get(kpi, ())

    def measured(self, kpis: Iterable[str]) -> tuple[str, ...]:
        """The same KPIs, those in its formula for each that has one."""
        found: dict[str, None] = {}
        for name in kpis:
            formula = formula_in(self.kpi_by_id[name])
            found |= dict.fromkeys((name,) if formula is None else formula_of(formula).kpis)
        return tuple(found)

    @cached_property
    def _derived_by_part(self) -> dict[str, tuple[Kpi, ...]]:
        found: dict[str, tuple[Kpi, ...]] = {}
        for kpi in self.kpis:
            formula = formula_in(kpi)
            for part in formula_of(formula).kpis if formula is not None else ():
                found[part] = (*found.get(part, ()), kpi)
        return found
