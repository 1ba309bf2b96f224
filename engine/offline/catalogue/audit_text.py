"""The audit of the catalogue for people. Library: rich's Table, which wraps the sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from engine.offline.catalogue.remarks import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.offline.catalogue.audit import CatalogueAudit
    from engine.offline.catalogue.remarks import Remark


_SUBJECT_MAX = 28


def show_audit(audit: CatalogueAudit) -> Iterator[Table | Text]:
    """The remarks by code, and a summary."""
    width = min(max((len(remark.subject) for remark in audit.remarks), default=0), _SUBJECT_MAX)
    for code, meaning in CODES.items():
        remarks = [remark for remark in audit.remarks if remark.code == code]
        if remarks:
            yield Text.assemble((code, "bold yellow"), f": {meaning}")
            yield _table(remarks, width)
            yield Text()
    total = len(audit.remarks)
    yield Text(f"{audit.kpis} KPIs as of {audit.time}: {total} remark{'' if total == 1 else 's'}")
    if audit.note is not None:
        yield Text(f"No reviews were read: {audit.note}", style="yellow")


def _table(remarks: list[Remark], width: int) -> Table:
    table = Table.grid(padding=(0, 2), pad_edge=False)
    table.add_column(width=2)
    table.add_column(width=width, overflow="fold", style="bold")
    table.add_column(ratio=1)
    for remark in remarks:
        table.add_row("", remark.subject, Text(f"{remark.sentence}\n{remark.mend}"))
    return table
