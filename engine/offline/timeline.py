"""The timeline of reviews, for a terminal: a table where there is room, paragraphs where there is not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.model.trigger import ConflictEvidence, ReconciliationEvidence
from engine.offline.reviews import to_minute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from engine.offline.reviews import ReviewStory
    from engine.rules.resolved.rule import Rule

TABLE_COLUMNS_MIN = 110
"""A narrower terminal gets paragraphs."""

_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def show_timeline(stories: Sequence[ReviewStory], console: Console) -> None:
    """Every review: when, which KPI and where, whose, why, due when, and what became of it."""
    if not stories:
        console.print("No review was raised.")
        return
    if console.width >= TABLE_COLUMNS_MIN:
        console.print(_table(stories))
        return
    for story in stories:
        _paragraph(story, console)


def _table(stories: Sequence[ReviewStory]) -> Table:
    table = Table(box=None, padding=(0, 2, 1, 0), header_style="bold", expand=True)
    table.add_column("When", no_wrap=True, min_width=10)
    table.add_column("What, where", ratio=4)
    table.add_column("Whose", ratio=3, overflow="fold")
    table.add_column("Why", ratio=7)
    table.add_column("Due (UTC)", no_wrap=True)
    for story in stories:
        table.add_row(_when(story), _what(story), _whose(story), _why(story), _due(story))
    return table


def _paragraph(story: ReviewStory, console: Console) -> None:
    head = Text.assemble((story.when, "bold"), "  ", _title(story), f" ({story.where})")
    console.print(head)
    details: list[RenderableType] = [
        Text(f"{_kpi(story)}; owner {_whose(story).plain}".replace("\n", "; ")),
        _why(story),
        Text(f"due {_due(story)} UTC; {_end(story)}"),
    ]
    for detail in details:
        console.print(Padding(detail, (0, 0, 0, 4)))
    console.print()


def _title(story: ReviewStory) -> Text:
    return Text(story.opening.title, style=_STYLES[story.opening.severity])


def _when(story: ReviewStory) -> Text:
    return Text.assemble((story.when, "bold"), "\n", (_end(story).replace(", ", "\n"), "dim"))


def _what(story: ReviewStory) -> Text:
    return Text.assemble(_title(story), "\n", (f"{_kpi(story)}, {story.where}", "dim"))


def _whose(story: ReviewStory) -> Text:
    text = Text(story.opening.owner)
    if story.opening.participants:
        text.append(f"\nwith {', '.join(story.opening.participants)}")
    for when, names in story.joined:
        text.append(f"\nfrom {when} {', '.join(names)}")
    return text


def _why(story: ReviewStory) -> Text:
    text = Text(story.opening.explanation)
    if story.opening.question:
        text.append(f" {story.opening.question}", style="italic")
    for line in story.life:
        text.append(f"\n{line}", style="dim")
    return text


def _kpi(story: ReviewStory) -> str:
    kpi = story.opening.kpi
    evidence = story.opening.evidence
    if kpi is None:
        return story.opening.rule
    if isinstance(evidence, ConflictEvidence):
        against = [side.kpi for side in evidence.sides[1:] if side.verdict == "worsened"]
        return f"{kpi.id} against {', '.join(against)}" if against else kpi.id
    if isinstance(evidence, ReconciliationEvidence):
        return f"{kpi.id} against {', '.join(evidence.record.kpis)}"
    return kpi.id


def _due(story: ReviewStory) -> str:
    return to_minute(story.opening.due) if story.opening.due else "no date"


def _end(story: ReviewStory) -> str:
    if story.last is None:
        return "still open"
    if story.withdrawn:
        return f"withdrawn {story.last}"
    return f"over {story.last}, {story.points} in a row" if story.points > 1 else f"over {story.last}"


def show_counts(stories: Sequence[ReviewStory], rules: Sequence[Rule], console: Console) -> None:
    """Reviews by rule, the silent ones of `rules` included."""
    raised = Counter(story.opening.rule for story in stories)
    still_open = Counter(story.opening.rule for story in stories if story.last is None)
    triggers = Counter[str]()
    for story in stories:
        triggers[story.opening.rule] += story.triggers
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Rule")
    for name in ("Reviews", "Still open", "Triggers"):
        table.add_column(name, justify="right")
    for rule in rules:
        label = rule.id if rule.mode == "on" else f"{rule.id} ({rule.mode})"
        table.add_row(label, str(raised[rule.id]), str(still_open[rule.id]), str(triggers[rule.id]))
    console.print(table)
