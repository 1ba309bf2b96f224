"""The page of reviews shows the engine's own table: its picture, its transitions, its refusals."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from engine.model.trigger import Happening, event_type
from engine.review import command
from engine.review.lifecycle import CLOCK, COMMANDS, OPEN, transitions

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reviews.md"


def diagram() -> str:
    """What moves a review from one state to another; what leaves it where it is stands in the table only."""
    edges: dict[tuple[str, str], list[str]] = defaultdict(list)
    ends: dict[str, set[str]] = defaultdict(set)
    for state, event, made in transitions():
        if state == made.state:
            continue
        if state in OPEN and made.state in ("resolved", "withdrawn"):
            ends[made.state].add(event)
        elif event not in edges[state, made.state]:
            edges[state, made.state].append(event)
    lines = ["stateDiagram-v2", "    [*] --> owed: fire", "    state owed {", "        [*] --> open"]
    owed = {pair: events for pair, events in edges.items() if pair[0] in OPEN and pair[1] in OPEN}
    lines += [f"        {one} --> {other}: {', '.join(events)}" for (one, other), events in owed.items()]
    lines.append("    }")
    lines += [f"    owed --> {state}: {', '.join(sorted(events))}" for state, events in ends.items()]
    rest = {pair: events for pair, events in edges.items() if pair not in owed}
    # Mermaid draws no arrow from outside to a state within: those who come back begin where the new ones begin.
    names = {"open": "owed"}
    lines += [f"    {one} --> {names.get(other, other)}: {', '.join(events)}" for (one, other), events in rest.items()]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def table() -> str:
    """Every legal transition, by event."""
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for state, event, made in transitions():
        rows[event, made.happening].append(state if state == made.state else f"{state} → {made.state}")
    text = "| event | by | told as | from → to |\n|---|---|---|---|\n"
    for (event, happening), moves in rows.items():
        by = "person" if event in COMMANDS else "clock" if event in CLOCK else "finding"
        text += f"| {event} | {by} | `{happening}` | {', '.join(dict.fromkeys(moves))} |\n"
    return text


def types() -> str:
    return ", ".join(f"`{event_type(happening)}`" for happening in get_args(Happening))


@pytest.mark.parametrize("made", [diagram, table, types])
def test_the_page_shows_what_the_code_says(made: Callable[[], str]):
    expected = made()
    assert expected in PAGE.read_text(encoding="utf-8"), f"put this in:\n{expected}"


def test_every_reason_for_which_a_command_is_refused_is_explained():
    text = PAGE.read_text(encoding="utf-8")
    source = Path(command.__file__).read_text(encoding="utf-8")
    reasons = set(re.findall(r'Refused\(\s*"(\w+)"', source))
    assert {"stale", "incomplete", "out_of_range", "no_change", "illegal", "too_long"} <= reasons
    for reason in {*reasons, "unknown_review"}:
        assert f"| `{reason}` |" in text, reason
