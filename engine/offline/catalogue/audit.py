"""The audit of a catalogue: what is declared and of no use, too much for one person, or not to be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import format_time
from engine.offline.catalogue.audit_kpis import remarks_on_kpi
from engine.offline.catalogue.audit_people import remarks_on_objective, remarks_on_owner
from engine.offline.catalogue.remarks import CODES, Remark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros
    from engine.offline.catalogue.remarks import AuditLimits
    from engine.offline.catalogue.seen import Seen
    from engine.rules.ruleset import RuleSet
    from engine.rules.tables import Table


class CatalogueAudit(msgspec.Struct, frozen=True):
    """The remarks in order of code and subject. `note` says why no reviews were read, where none were."""

    time: str
    note: str | None
    kpis: int
    remarks: tuple[Remark, ...]


def audit_of(rules: RuleSet, tables: Sequence[Table], seen: Seen, limits: AuditLimits, now: Micros) -> CatalogueAudit:
    """Every remark there is to make."""
    remarks: list[Remark] = []
    for kpi in rules.kpis:
        remarks.extend(remarks_on_kpi(kpi, rules, tables, seen, limits, now))
    for owner in rules.owners:
        remarks.extend(remarks_on_owner(owner, rules, seen, limits))
    for objective in rules.objectives:
        remarks.extend(remarks_on_objective(objective, rules))
    order = list(CODES)
    remarks.sort(key=lambda remark: (order.index(remark.code), remark.subject))
    return CatalogueAudit(format_time(now), seen.note, len(rules.kpis), tuple(remarks))
