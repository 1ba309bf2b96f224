"""Whatever is named exists: owners, calendars, objectives, KPIs, rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.rules.wording import choices, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_

_EACH: Final = "*"
_REFERENCES: Final[tuple[tuple[str, str, Path_], ...]] = (
    ("objective", "owner", ("owner",)),
    ("objective", "owner", ("sponsor",)),
    ("objective", "owner", ("board",)),
    ("kpi", "owner", ("owner",)),
    ("kpi", "objective", ("objective",)),
    ("kpi", "kpi", ("rolls_up_to",)),
    ("kpi", "kpi", ("counterparts", _EACH, "kpi")),
    ("kpi", "kpi", ("counterparts", _EACH, "per")),
    ("kpi", "calendar", ("review", "calendar")),
    ("kpi", "owner", ("review", "participants", _EACH)),
    ("initiative", "owner", ("owner",)),
    ("initiative", "objective", ("objective",)),
    ("initiative", "kpi", ("milestones", _EACH, "kpi")),
    ("rule", "kpi", ("kpi",)),
    ("rule", "kpi", ("condition", "counterpart_conflict", "counterparts", _EACH)),
    ("rule", "kpi", ("condition", "reconciliation", "against")),
    ("rule", "kpi", ("condition", "governance", "vanity", "outcome")),
    ("rule", "rule", ("condition", "composite", "all", _EACH)),
    ("rule", "rule", ("condition", "composite", "any", _EACH)),
    ("rule", "rule", ("condition", "composite", "at_least", "of", _EACH)),
    ("rule", "rule", ("condition", "composite", "sequence", _EACH)),
    ("rule", "rule", ("condition", "composite", "not", _EACH)),
    ("rule", "rule", ("condition", "composite", "absent", _EACH)),
    ("rule", "owner", ("owner",)),
    ("rule", "owner", ("review", "participants", _EACH)),
    ("rule", "calendar", ("review", "calendar")),
    ("rule", "rule", ("inhibited_by", _EACH)),
    ("rule", "kpi", ("depends_on", _EACH)),
    ("rule", "calendar", ("maintenance", _EACH, "calendar")),
    ("maintenance", "calendar", ("when", _EACH, "calendar")),
    ("maintenance", "rule", ("rules", _EACH)),
    ("source", "kpi", ("map", _EACH, "kpi")),
    ("table", "kpi", ("map", _EACH, "kpi")),
    ("test", "kpi", ("measurements", _EACH, "kpi")),
    ("test", "rule", ("expect", _EACH, "rule")),
    ("test", "rule", ("commands", _EACH, "rule")),
    ("test", "kpi", ("edits", _EACH, "kpi")),
    ("test", "rule", ("edits", _EACH, "rule")),
    ("test", "objective", ("edits", _EACH, "objective")),
    ("test", "initiative", ("edits", _EACH, "initiative")),
)
"""(kind that refers, kind that is referred to, where the id stands)."""

_NAMED: Final = {
    "owner": "an owner",
    "calendar": "a calendar",
    "objective": "an objective",
    "kpi": "a KPI",
    "rule": "a rule",
    "initiative": "an initiative",
}


def check_references(declarations: Declarations) -> Iterator[Problem]:
    """An id that nothing declares. Read from the data, so that a mistake elsewhere in a document hides none."""
    for kind, target, path in _REFERENCES:
        if target in declarations.incomplete:
            continue
        known = declarations.known[target]
        for declared in declarations.of_kind(kind).values():
            for place, value in walk(declared.data, path):
                if isinstance(value, str) and value and value not in known:
                    yield _unknown(declared, target, place, value, known)


def walk(data: Any, path: Path_, place: Path_ = ()) -> Iterator[tuple[Path_, Any]]:  # noqa: ANN401 - what the file holds
    """Every (place, value) that `path` leads to; `*` is every item of a list, or the one value that is no list."""
    if not path:
        yield place, data
    elif path[0] == _EACH:
        items = list(enumerate(data)) if isinstance(data, list) else None
        for index, item in items or []:
            yield from walk(item, path[1:], (*place, index))
        if items is None and isinstance(data, dict):
            yield from walk(data, path[1:], place)
    elif isinstance(data, dict) and path[0] in data:
        yield from walk(data[path[0]], path[1:], (*place, path[0]))


def _unknown(declared: Declared[Any], target: str, place: Path_, value: str, known: set[str]) -> Problem:
    names = choices(sorted(known))
    otherwise = f"declare it with `kind: {target}`" + (f", or use {names}" if names else "")
    return declared.problem(
        place,
        f"unknown-{target}",
        expected=f"{_NAMED[target]} that is declared",
        found=shown(value),
        mend=suggestion(value, known, otherwise),
    )
