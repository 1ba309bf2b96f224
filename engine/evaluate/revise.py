"""Judging again: what arrived late but in time changes verdicts that were put out; only the differences leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from engine.evaluate.findings import finding_of, renumbered, same_content
from engine.kernels import layout
from engine.kernels.layout import EVALUATED, RAW, RESULTS, TRANSITION, Tables
from engine.kernels.slots import replay
from engine.kernels.windows import start_of
from engine.model.time import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.model.finding import Finding, Status
    from engine.state.partition import EmittedKey, PartitionState

LATE = "late measurement"
RESTATED = "restated measurement"


def remember(state: PartitionState, result: Any, finding: Finding) -> None:
    """Note a finding that can still change, so that a revision knows what it replaces."""
    number = int(result["slot"])
    if _is_provisional(state, number):
        entries = _not_final(state, number)
        entries[_key(entries, result)] = finding
        state.emitted[number] = entries


def _is_provisional(state: PartitionState, number: int) -> bool:
    slot = state.tables.slots[number]
    view = state.plan.views[int(slot["view_row"])]
    return bool(view["lateness"] > 0) if view["kind"] == RAW else bool(slot["provisional"])


def _not_final(state: PartitionState, number: int) -> dict[EmittedKey, Finding]:
    """The findings of a slot that can still change; the others are let go of."""
    slot = state.tables.slots[number]
    view = state.plan.views[int(slot["view_row"])]
    settled = int(slot["final"])
    if view["kind"] != RAW:
        settled = int(start_of(view, state.tables.calendars, settled))
    return {key: finding for key, finding in state.emitted.pop(number, {}).items() if key[2] > settled}


def _key(entries: Iterable[EmittedKey], result: Any) -> EmittedKey:
    """The first free key for this transition: the same one may happen twice at one event time."""
    repeat = 0
    while (key := (int(result["instance"]), int(result["transition"]), int(result["time"]), repeat)) in entries:
        repeat += 1
    return key


def revise(state: PartitionState, number: int, cause: str) -> Iterator[Finding]:
    """Judge again what is not final of slot `number`; yields withdrawn findings first, then amended and new ones in
    order, all with their `cause`.
    """
    before = _not_final(state, number)
    revision = _next_revision(state, number)
    after: dict[EmittedKey, Finding] = {}
    for result, finding in _replayed(state, number, cause):
        after[_key(after, result)] = finding
    for key, finding in before.items():
        if key not in after:
            yield withdrawn(state, finding, revision, cause)
    for key, finding in after.items():
        known = before.get(key)
        if known is not None and same_content(known, finding):
            after[key] = known
        else:
            status: Status = "new" if known is None else "amended"
            after[key] = renumbered(finding, revision, status, cause, None if known is None else known.id)
            yield after[key]
        if finding.transition == "firing":
            state.tables.instances[key[0]]["opened_revision"] = after[key].revision
    if after:
        state.emitted[number] = after
    _settle_revisions(state, number, revision)


def withdrawn(state: PartitionState, finding: Finding, revision: int, cause: str) -> Finding:
    """The finding that takes back `finding`, said now."""
    return msgspec.structs.replace(
        renumbered(finding, revision, "withdrawn", cause, finding.id),
        tick=-1 if state.tick_number is None else state.tick_number,
        tick_time=None if state.tick_time is None else format_time(state.tick_time),
    )


def _next_revision(state: PartitionState, number: int) -> int:
    """One above every revision that this slot has used."""
    rows = state.tables.instances[state.instances_of(number)]
    slot = state.tables.slots[number]
    used: list[int] = [int(slot["revision"]), *rows["fired_revision"].tolist(), *rows["resolved_revision"].tolist()]
    slot["revision"] = max(used) + 1
    return max(used) + 1


def _settle_revisions(state: PartitionState, number: int, revision: int) -> None:
    """A further transition at an event time that was judged again gets a revision above it."""
    rows = state.instances_of(number)
    state.tables.instances["fired_revision"][rows] = revision
    state.tables.instances["resolved_revision"][rows] = revision


def _replayed(state: PartitionState, number: int, cause: str) -> Iterator[tuple[Any, Finding]]:
    """Every transition of the stretch that is not final, with its finding."""
    slot = state.tables.slots[number]
    view = state.plan.views[int(slot["view_row"])]
    stretch = int(slot["points"]) if view["kind"] == RAW else int(slot["closed"]) - int(slot["final"])
    room = (stretch + 1) * (int(view["rules"]) * (1 if state.trace is None else 2) + 1) + 1
    deepest = max([int(row["count"]) for row in state.plan.rules], default=0)
    tables: Tables = state.tables._replace(
        results=np.zeros(room, layout.RESULT),
        result_sketches=np.zeros(room if view["sketches"] else 1, layout.SKETCH),
        evidence_index=np.zeros(room * deepest + 1, np.int64),
        evidence_value=np.zeros(room * deepest + 1, np.float64),
        counters=np.zeros(layout.COUNTERS, np.int64),
    )
    replay(tables, number)
    results = tables.results[: int(tables.counters[RESULTS])]
    if state.trace is not None:
        state.trace.judged_again(number, results[results["code"] == EVALUATED], more=cause == LATE)
    for place in np.flatnonzero(results["code"] == TRANSITION).tolist():
        yield results[place], finding_of(state, tables, results[place])
