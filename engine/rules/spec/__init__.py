"""The shape of what users write, one pydantic model per `kind`. The running values are in `ruleset`."""

from __future__ import annotations

from typing import Final

from engine.rules.spec.calendar import CalendarSpec
from engine.rules.spec.catalogue import KpiSpec, ObjectiveSpec, OwnerSpec
from engine.rules.spec.initiative import InitiativeSpec
from engine.rules.spec.maintenance import MaintenanceSpec
from engine.rules.spec.rule import RuleSpec
from engine.rules.spec.rule_test import RuleTestSpec
from engine.rules.spec.scalars import Spec
from engine.rules.spec.source import SourceSpec
from engine.rules.spec.table import TableSpec
from engine.rules.spec.template import TemplateSpec

KINDS: Final[dict[str, type[Spec]]] = {
    "owner": OwnerSpec,
    "calendar": CalendarSpec,
    "objective": ObjectiveSpec,
    "kpi": KpiSpec,
    "initiative": InitiativeSpec,
    "rule": RuleSpec,
    "template": TemplateSpec,
    "maintenance": MaintenanceSpec,
    "source": SourceSpec,
    "table": TableSpec,
    "test": RuleTestSpec,
}
"""What may stand after `kind:`, in the order of what refers to what."""

__all__ = [
    "KINDS",
    "CalendarSpec",
    "InitiativeSpec",
    "KpiSpec",
    "MaintenanceSpec",
    "ObjectiveSpec",
    "OwnerSpec",
    "RuleSpec",
    "RuleTestSpec",
    "SourceSpec",
    "Spec",
    "TableSpec",
    "TemplateSpec",
]
