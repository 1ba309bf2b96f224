"""The files: catalogue, mapping, rule, rule test and settings, with comments for whoever goes on from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY
from engine.propose.rule_test_document import rule_test_document
from engine.propose.written import duration, flow, listed, number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.propose.draft import Draft, KpiDraft


def documents(draft: Draft) -> dict[str, str]:
    """Every file by its name below the folder of rules."""
    return {
        f"{draft.base}.yaml": _catalogue(draft),
        f"{draft.base}-{'source' if draft.sample.topic else 'table'}.yaml": _mapping(draft),
        f"{draft.rule_id}.yaml": _rule(draft),
        f"{draft.rule_id}_test.yaml": rule_test_document(draft),
    }


def settings(folder: str, brokers: Sequence[str], prefix: str, partitions: int, *, history: bool) -> str:
    """A settings file to begin with; for a `history` the clock is that of the data."""
    domain = (
        "domain: replay # the clock goes with the data that is sent; `live` for what happens now\n" if history else ""
    )
    return f"""\
# Every command reads this file where it stands; `counterpoint config` shows each setting and where it comes from.
brokers: [{", ".join(brokers)}]
prefix: {text(prefix)} # what stands before the names of our own topics
measurement_partitions: {partitions} # as many as there may ever be workers; cannot be changed under running state
rules: {listed([folder])}
{domain}"""


def _catalogue(draft: Draft) -> str:
    owner, objective = draft.answers.owner, draft.answers.objective
    parts = []
    if owner.title is not None:
        parts.append(f"kind: owner\nid: {owner.id}\nname: {text(owner.title)}\n")
    if objective.title is not None:
        parts.append(f"kind: objective\nid: {objective.id}\ntitle: {text(objective.title)}\nowner: {owner.id}\n")
    parts += [_kpi(kpi, draft, first=place == 0) for place, kpi in enumerate(draft.kpis)]
    return "---\n".join(parts)


def _kpi(kpi: KpiDraft, draft: Draft, *, first: bool) -> str:
    answers, rhythm = draft.answers, draft.rhythm
    window = flow({"every": "day", "zone": answers.zone} if rhythm.every == DAY else {"every": duration(rhythm.every)})
    where = (
        f"{draft.sample.name}, column {kpi.column}"
        if kpi.column
        else f"each {draft.sample.noun} of {draft.sample.name}"
    )
    lines = [
        "kind: kpi",
        f"id: {kpi.id}",
        f"title: {text(kpi.title)}",
        f"owner: {answers.owner.id} # exactly one: whoever answers for it",
        f"objective: {answers.objective.id}",
        f"definition: {text(f'{kpi.title}, from {where}')} # say what is counted, so that others count the same",
        f"decision: {text(answers.decision or 'none')}"
        + (
            ""
            if answers.decision not in (None, "none")
            else " # what is done when it moves? Without one it is a candidate for retirement"
        ),
        f"direction: {kpi.direction} # or {_other_directions(kpi.direction)}",
        "role: leading" if first else "role: lagging # leading, once a rule watches it",
        f"unit: {text(kpi.unit)}",
        f"aggregation: {kpi.aggregation} # {kpi.why}; also count, sum, mean, min, max, last, share",
        f"window: {window} # {rhythm.why}",
    ]
    if draft.lateness:
        lines.append(f"lateness: {duration(draft.lateness)} # so late came what came late in the sample")
    if rhythm.cadence is not None:
        lines.append(f"cadence: {duration(rhythm.cadence)}")
    lines += [
        f"sources: {listed([draft.base])}",
        f"dimensions: {listed(draft.dimensions)}",
        "target: none # or {value: ..., by: quarter-end}: without one it is unjudged, never green",
    ]
    return "\n".join(lines) + "\n"


def _other_directions(direction: str) -> str:
    return ", ".join(each for each in ("higher_is_better", "lower_is_better", "in_band") if each != direction)


def _mapping(draft: Draft) -> str:
    return _source(draft) if draft.sample.topic else _table(draft)


def _source(draft: Draft) -> str:
    unit = {"date": "local"}.get(draft.choice.time_format, draft.choice.time_format)
    time = {"path": text(draft.choice.time), "unit": unit}
    if draft.choice.zone_needed:
        time["zone"] = draft.answers.zone
    lines = [
        "# How the messages of a topic of others become measurements. Nothing is written to it.",
        f"# `counterpoint try-source {draft.base}` shows what becomes of the newest of them.",
        "kind: source",
        f"id: {draft.base}",
        f"topic: {text(draft.sample.name)}",
        "map:",
    ]
    for kpi in draft.kpis:
        value = flow({"path": text(kpi.column)}) if kpi.column else "1 # each message counts"
        lines += [f"  - kpi: {kpi.id}", f"    value: {value}", f"    time: {flow(time)}"]
        if draft.choice.dimensions:
            lines.append("    dimensions:")
            lines += [f"      {text(name)}: {flow({'path': text(path)})}" for name, path in draft.dimensions.items()]
        if draft.choice.id:
            lines.append(f"    id: {listed(draft.choice.id)} # the same message written twice counts once")
        lines.append("    # filter: [{path: status, in: [new]}] # all must hold; also equals, not_in, exists")
    return "\n".join(lines) + "\n"


def _table(draft: Draft) -> str:
    choice = draft.choice
    time = {"column": text(choice.time)}
    if choice.zone_needed:
        time["zone"] = draft.answers.zone
    elif choice.time_format not in ("rfc3339", "s"):
        time["unit"] = choice.time_format
    lines = [
        f"# Which column is what: `counterpoint send {draft.sample.name} --table {draft.base}` goes by this.",
        "kind: table",
        f"id: {draft.base}",
        "map:",
    ]
    for kpi in draft.kpis:
        value = flow({"column": text(kpi.column)}) if kpi.column else "1 # each row counts"
        lines += [f"  - kpi: {kpi.id}", f"    value: {value}", f"    time: {flow(time)}"]
        if choice.dimensions:
            lines.append("    dimensions:")
            lines += [
                f"      {text(name)}: {flow({'column': text(column)})}" for name, column in draft.dimensions.items()
            ]
        if choice.id:
            lines.append(f"    id: {listed(choice.id)}")
        else:
            lines.append("    # id: [COLUMN] # without one, rows that agree in time and dimensions count once")
    return "\n".join(lines) + "\n"


def condition_of(draft: Draft) -> str:
    """The condition in one line."""
    limit = draft.limit
    if limit.usual is not None:
        against = flow({"median_of": str(limit.usual.of), "same": limit.usual.same})
        sides = {"up": limit.high, "down": limit.low}
        shares = {name: f"{share * 100:.0f}%" for name, share in sides.items() if share is not None}
        return flow({"change": flow({"against": against, **shares})})
    if limit.low is not None and limit.high is not None:
        return flow({"threshold": flow({"outside": f"[{number(limit.low)}, {number(limit.high)}]"})})
    threshold = {"above": number(limit.high)} if limit.high is not None else {"below": number(limit.low or 0.0)}
    if limit.recover_at is not None:
        threshold["recover_at"] = number(limit.recover_at)
    return flow({"threshold": flow(threshold)})


def _rule(draft: Draft) -> str:
    kpi = draft.kpis[0]
    low, high = draft.limit.low, draft.limit.high
    turn = "out of its range" if low is not None and high is not None else "too high" if low is None else "too low"
    return f"""\
kind: rule
id: {draft.rule_id}
title: {text(f"{kpi.title} {turn}")}
kpi: {kpi.id}
# Proposed from a sample, of which nobody said that it was a good one:
# {draft.limit.why}.
condition: {condition_of(draft)}
severity: warning # or info, critical
mode: shadow # evaluated and counted, nobody is told: `counterpoint triggers --shadow`. Then `on`
review:
  due_in: 1d
  participants: [] # owners who must be there beside the KPI's own
  question: What happened, and what do we do about it?
"""
