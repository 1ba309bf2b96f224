"""Dimensions are those that the KPI allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.rules.checks.references import walk
from engine.rules.wording import choices, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec import KpiSpec


def check_dimensions(declarations: Declarations) -> Iterator[Problem]:
    """Names in a KPI's `series`, a rule's `where`, a source's or table's `dimensions` that the KPI does not have."""
    for kpi in declarations.kpis.values():
        if kpi.has("dimensions"):
            yield from _duplicates(kpi)
        for place, names in walk(kpi.data, ("series", "*")) if isinstance(kpi.data.get("series"), list) else ():
            yield from foreign_dimensions(kpi, place, names, kpi)
    for rule in declarations.rules.values():
        for place, names in walk(rule.data, ("where",)):
            yield from foreign_dimensions(rule, place, names, named_kpi(rule.data.get("kpi"), declarations))
    mappings: tuple[Declared[Any], ...] = (*declarations.sources.values(), *declarations.tables.values())
    for declared in mappings:
        for place, mapping in walk(declared.data, ("map", "*")):
            if isinstance(mapping, dict):
                mapped = named_kpi(mapping.get("kpi"), declarations)
                yield from foreign_dimensions(declared, (*place, "dimensions"), mapping.get("dimensions"), mapped)


def named_kpi(name: object, declarations: Declarations) -> Declared[KpiSpec] | None:
    """The KPI of that id, or null where there is none."""
    return declarations.kpis.get(name) if isinstance(name, str) else None


def foreign_dimensions(
    declared: Declared[Any], place: Path_, names: object, kpi: Declared[KpiSpec] | None
) -> Iterator[Problem]:
    """The names, in the mapping at `place`, that are no dimensions of the KPI."""
    if kpi is None or not kpi.has("dimensions") or not isinstance(names, dict):
        return
    for name in names:
        if name not in kpi.spec.dimensions:
            yield _foreign(declared, (*place, name), name, kpi, at_key=True)


def foreign_names(
    declared: Declared[Any], place: Path_, names: list[str], kpi: Declared[KpiSpec] | None
) -> Iterator[Problem]:
    """As `foreign_dimensions`, for a list; a name that stands in it twice is one too many."""
    if kpi is None or not kpi.has("dimensions"):
        return
    for index, name in enumerate(names):
        if name not in kpi.spec.dimensions:
            yield _foreign(declared, (*place, index), name, kpi)
        elif name in names[:index]:
            yield _again(declared, (*place, index), name)


def _foreign(
    declared: Declared[Any], place: Path_, name: str, kpi: Declared[KpiSpec], *, at_key: bool = False
) -> Problem:
    allowed = kpi.spec.dimensions
    return declared.problem(
        place,
        "unknown-dimension",
        expected=f"a dimension of {kpi.id}" + (f": {choices(allowed)}" if allowed else ", which has none"),
        found=shown(name),
        mend=suggestion(name, allowed, _otherwise(kpi.id, allowed)),
        at_key=at_key,
    )


def _otherwise(kpi: str, allowed: list[str]) -> str:
    return ("use one of these, or " if allowed else "") + f"add it to the dimensions of {kpi}"


def _duplicates(kpi: Declared[Any]) -> Iterator[Problem]:
    for index, name in enumerate(kpi.spec.dimensions):
        if name in kpi.spec.dimensions[:index]:
            yield _again(kpi, ("dimensions", index), name)


def _again(declared: Declared[Any], place: Path_, name: str) -> Problem:
    return declared.problem(
        place, "dimensions", expected="each dimension once", found=f"{shown(name)} again", mend="leave it out"
    )
