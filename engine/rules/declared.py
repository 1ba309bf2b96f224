"""Declarations: documents whose shape has been checked, by kind and id, with what is not sound in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from engine.rules.spec import (
    KINDS,
    CalendarSpec,
    InitiativeSpec,
    KpiSpec,
    MaintenanceSpec,
    ObjectiveSpec,
    OwnerSpec,
    RuleSpec,
    RuleTestSpec,
    SourceSpec,
    Spec,
    TableSpec,
    TemplateSpec,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.problems import Level, Problem
    from engine.rules.source import Document, Path_

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True)
class Declared(Generic[S]):
    """One document and its model.

    `unsound` are the top-level fields that are missing or wrong; the model does not have them. A check that needs a
    field asks `has` first, so that one mistake is said once.
    """

    document: Document
    spec: S
    unsound: frozenset[str]

    @property
    def id(self) -> str:
        """The declared id; only of documents that have a sound one."""
        return cast("str", self.data["id"])

    @property
    def data(self) -> dict[str, Any]:
        """The document as read."""
        return cast("dict[str, Any]", self.document.data)

    def has(self, *fields: str) -> bool:
        """Whether these fields (named as in the file) are sound."""
        return self.unsound.isdisjoint(fields)

    def problem(
        self,
        path: Path_,
        code: str,
        *,
        expected: str,
        found: str,
        mend: str,
        severity: Level = "error",
        at_key: bool = False,
    ) -> Problem:
        """A problem at a place of this document."""
        return self.document.problem(
            path, code, expected=expected, found=found, mend=mend, severity=severity, at_key=at_key
        )


@dataclass(frozen=True)
class Declarations:
    """Everything declared, by kind and id; of two with one id the first.

    `known` are all ids, those of unreadable documents included. A kind is `incomplete` when there may be more of it
    than `known` says; then a reference to something unknown is not held against anyone.
    """

    owners: dict[str, Declared[OwnerSpec]] = field(default_factory=dict)
    calendars: dict[str, Declared[CalendarSpec]] = field(default_factory=dict)
    objectives: dict[str, Declared[ObjectiveSpec]] = field(default_factory=dict)
    kpis: dict[str, Declared[KpiSpec]] = field(default_factory=dict)
    initiatives: dict[str, Declared[InitiativeSpec]] = field(default_factory=dict)
    rules: dict[str, Declared[RuleSpec]] = field(default_factory=dict)
    templates: dict[str, Declared[TemplateSpec]] = field(default_factory=dict)
    maintenance: dict[str, Declared[MaintenanceSpec]] = field(default_factory=dict)
    sources: dict[str, Declared[SourceSpec]] = field(default_factory=dict)
    tables: dict[str, Declared[TableSpec]] = field(default_factory=dict)
    tests: dict[str, Declared[RuleTestSpec]] = field(default_factory=dict)
    known: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in KINDS})
    incomplete: set[str] = field(default_factory=set)

    def of_kind(self, kind: str) -> dict[str, Declared[Any]]:
        """The declarations of one kind."""
        kinds: dict[str, dict[str, Declared[Any]]] = {
            "owner": cast("dict[str, Declared[Any]]", self.owners),
            "calendar": cast("dict[str, Declared[Any]]", self.calendars),
            "objective": cast("dict[str, Declared[Any]]", self.objectives),
            "kpi": cast("dict[str, Declared[Any]]", self.kpis),
            "initiative": cast("dict[str, Declared[Any]]", self.initiatives),
            "rule": cast("dict[str, Declared[Any]]", self.rules),
            "template": cast("dict[str, Declared[Any]]", self.templates),
            "maintenance": cast("dict[str, Declared[Any]]", self.maintenance),
            "source": cast("dict[str, Declared[Any]]", self.sources),
            "table": cast("dict[str, Declared[Any]]", self.tables),
            "test": cast("dict[str, Declared[Any]]", self.tests),
        }
        return kinds[kind]

    def everything(self) -> Iterator[tuple[str, Declared[Any]]]:
        """Each declaration with its kind."""
        for kind in KINDS:
            for declared in self.of_kind(kind).values():
                yield kind, declared
