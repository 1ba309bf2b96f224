"""The tree of the catalogue for people. Library: rich's Tree, which wraps and draws the branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.offline.catalogue.tree import (
        CatalogueTree,
        InitiativeNode,
        KpiNode,
        ObjectiveNode,
    )

_STYLES: Final = {
    "on track": "green",
    "off track": "bold red",
    "conflicting": "bold red",
    "stale": "yellow",
    "unjudged": "dim",
    "proven": "green",
    "done but unproven": "bold red",
    "overdue": "bold red",
    "due": "",
}


def show_tree(catalogue: CatalogueTree) -> Iterator[Tree | Text]:
    """A tree for each objective, and a summary."""
    for objective in catalogue.objectives:
        yield _objective(objective)
        yield Text()
    counted = ", ".join(f"{number} {status}" for status, number in catalogue.statuses.items() if number)
    total = sum(catalogue.statuses.values())
    yield Text(f"{total} KPI{'' if total == 1 else 's'} as of {catalogue.time}: {counted or 'none'}")
    if catalogue.note is not None:
        yield Text(f"No values were read: {catalogue.note}", style="yellow")


def _objective(objective: ObjectiveNode) -> Tree:
    people = [f"owner {objective.owner}"]
    people += [f"{role} {name}" for role, name in (("sponsor", objective.sponsor), ("board", objective.board)) if name]
    tree = Tree(_label("objective", objective.id, objective.title, ", ".join(people)))
    _add_gaps(tree, objective.gaps)
    for initiative in objective.initiatives:
        _add_initiative(tree, initiative)
    for kpi in objective.kpis:
        _add_kpi(tree, kpi)
    return tree


def _add_initiative(tree: Tree, initiative: InitiativeNode) -> None:
    branch = tree.add(_label("initiative", initiative.id, initiative.title, f"owner {initiative.owner}"))
    for milestone in initiative.milestones:
        text = Text(f"by {milestone.by}  ")
        text.append(milestone.state, style=_STYLES[milestone.state])
        branch.add(text.append(f"  {milestone.title}: {milestone.why}"))


def _add_kpi(tree: Tree, kpi: KpiNode) -> None:
    label = _label("kpi", kpi.id, kpi.title, f"owner {kpi.owner}, {kpi.role}").append("\n")
    label.append(kpi.status, style=_STYLES[kpi.status])
    branch = tree.add(label.append(f": {kpi.why}"))
    _add_gaps(branch, kpi.gaps)
    for below in kpi.kpis:
        _add_kpi(branch, below)


def _label(kind: str, id_: str, title: str, people: str) -> Text:
    return Text.assemble((f"{kind} ", "dim"), (id_, "bold"), f"  {title} ", (f"({people})", "dim"))


def _add_gaps(tree: Tree, gaps: tuple[str, ...]) -> None:
    if gaps:
        tree.add(Text.assemble(("gaps: ", "yellow"), "; ".join(gaps)))
