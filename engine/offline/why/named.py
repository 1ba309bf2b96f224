"""The series that a command line names, and how sentences name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.errors import WireError
from engine.model.identity import scope_key, series_key
from engine.review.explain import of_dimensions
from engine.rules.resolved.condition import JoinedCondition

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet


class Named(NamedTuple):
    """A KPI (None: none was named) with dimension values."""

    kpi: str | None
    dimensions: dict[str, str]

    @property
    def key(self) -> str:
        """As it is written: of a series its canonical key, else a scope."""
        return scope_key(self.dimensions) if self.kpi is None else series_key(self.kpi, self.dimensions)

    def words(self, rules: RuleSet) -> str:
        """`Cancelled share of {origin EWR}`."""
        kpi = None if self.kpi is None else rules.kpi_by_id.get(self.kpi)
        title = self.kpi if kpi is None else kpi.title
        return f"{title}{of_dimensions(self.dimensions)}" if title else of_dimensions(self.dimensions).strip() or "{}"


def parse_series(text: str, kpi: str | None) -> Named:
    """`tickets{"site":"shop"}` as it stands in a trigger, `tickets{site=shop}`, or `site=shop` of the rule's `kpi`.

    WireError for what is none of these.
    """
    head, brace, rest = text.strip().partition("{")
    if brace and rest.endswith("}"):
        return Named(head or kpi, _dimensions(rest[:-1], text))
    if brace:
        raise _unreadable(text)
    if "=" in head:
        return Named(kpi, _dimensions(head, text))
    return Named(head or kpi, {})


def _dimensions(text: str, whole: str) -> dict[str, str]:
    if text.startswith('"'):
        try:
            return msgspec.json.decode("{" + text + "}", type=dict[str, str])
        except msgspec.MsgspecError as error:
            raise _unreadable(whole) from error
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not name.strip() or not equals for name, equals, _ in pairs):
        raise _unreadable(whole)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _unreadable(text: str) -> WireError:
    return WireError("bad_series", f"expected KPI{{NAME=VALUE,...}}, KPI or NAME=VALUE,..., found {text!r}")


def series_of(text: str, rule: str, rules: RuleSet) -> Named:
    """`parse_series` with the KPI of a rule of the set, where it is one on single series."""
    found = next((each for each in rules.rules if each.id == rule), None)
    joins = found is None or isinstance(found.condition, JoinedCondition)
    return parse_series(text, None if joins or found is None else found.kpi)
