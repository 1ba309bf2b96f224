"""Evidence of a reconciliation, recomputed by the arithmetic that judged it: both sums, and how far they are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.reconcile import SAID, Reconcile, added, judge, state_of
from engine.model.finding import Episode
from engine.model.trigger import TurnName
from engine.offline.explain.account import Line, Step, alike, same, shown
from engine.offline.explain.aligned import EVIDENCE, SideLines, lasting, sound_run, window_line
from engine.offline.explain.often import recent_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.correlate.judge import Judged
    from engine.model.trigger import ReconciledSide, ReconciliationEvidence
    from engine.offline.explain.account import Check
    from engine.offline.explain.case import Case


def reconciliation_steps(case: Case, evidence: ReconciliationEvidence) -> Iterator[Step]:
    """The window, each side of it, and the verdict on both."""
    rule, index = Reconcile(case.rule, case.rules), evidence.window.index
    windows = [(evidence.reported.windows, 0), (evidence.record.windows, 0)]
    yield Step("What was looked at", (window_line(case, rule.over, evidence.window, windows),))
    named = ("reported", evidence.reported), ("record", evidence.record)
    values = []
    for side, (name, said) in zip(rule.aligned, named, strict=True):
        lines = SideLines(case, rule.over, side, said, f"{EVIDENCE}.{name}", index)
        value = _value(lines, said)
        values.append(value)
        titles = ", ".join(case.rules.kpi_by_id[kpi].title for kpi in side.kpis)
        yield Step(f"What is {name}: {titles}", tuple(_side(lines, said, value, side.kpis)))
    judged = judge(values[0], values[1], rule.condition)
    yield Step("The verdict", tuple(_verdict(case, rule, evidence, judged)))


def _value(lines: SideLines[ReconciledSide], said: ReconciledSide) -> float | None:
    """None where members were still waited for, or the ring was only starting, as well as where nothing came."""
    waits = bool(said.missing) or len(said.windows) < lines.over
    if not lines.whole or (said.value is None and waits):
        return said.value
    return added(lines.values())


def _side(
    lines: SideLines[ReconciledSide], said: ReconciledSide, value: float | None, kpis: tuple[str, ...]
) -> Iterator[Line]:
    yield Line("KPIs", ", ".join(said.kpis), alike(f"{lines.path}.kpis", said.kpis, kpis))
    yield lines.windows_line()
    yield lines.shares_line()
    text = "not known" if value is None else shown(value)
    checks = [same(f"{lines.path}.value", said.value, value)]
    if lines.whole:
        count = sum(share.parts.count for share in said.shares)
        checks.append(same(f"{lines.path}.count", said.count, count))
    yield Line("value", f"{text}, of {said.count} measurements", tuple(checks))
    if said.missing:
        yield Line("missing", f"nothing for this window came of {', '.join(said.missing)}")


def _verdict(case: Case, rule: Reconcile, evidence: ReconciliationEvidence, judged: Judged) -> Iterator[Line]:
    condition, path = rule.condition, EVIDENCE
    known = judged.value is not None and judged.usual is not None
    difference = (judged.value or 0.0) - (judged.usual or 0.0) if known else None
    text = "not known" if difference is None else f"{shown(judged.value)} - {shown(judged.usual)} = {shown(difference)}"
    yield Line("difference", text, (same(f"{path}.difference", evidence.difference, difference),))
    share = " of the record" if condition.relative else ""
    text = "not known" if judged.effect is None else f"{shown(judged.effect)}{share}"
    yield Line("departure", text, (same(f"{path}.departure", evidence.departure, judged.effect),))
    allowed = (
        same(f"{path}.tolerance", evidence.tolerance, condition.tolerance),
        same(f"{path}.relative", evidence.relative, condition.relative),
    )
    yield Line("tolerance", f"{shown(condition.tolerance)}{share}, either way", allowed)
    on = judged.verdict == "worsened"
    verdict = SAID[state_of((judged, None), on=on, waiting=False)]
    yield Line("together", verdict, (same(f"{path}.verdict", evidence.verdict, verdict),))
    yield from recent_lines(case, evidence, on={"departs": True, "agrees": False}.get(verdict))
    yield from _lasted(case, rule, evidence, judged, on=on)


def _lasted(
    case: Case, rule: Reconcile, evidence: ReconciliationEvidence, judged: Judged, *, on: bool
) -> Iterator[Line]:
    """The run that the window belongs to."""
    episode, moved_by = case.data.episode, case.data.moved_by
    if episode is None or not isinstance(moved_by, TurnName):
        return
    worse = {rule.reported.kpi: judged.effect or 0.0} if on else {}
    checks: list[Check] = [
        *sound_run(episode, evidence.window, worse, moved_by.turn),
        *lasting(case, episode, evidence.window, moved_by.turn),
    ]
    checks += alike("data.moved_by.taking_part", moved_by.taking_part, sorted(rule.record.kpis))
    if moved_by.turn == "began" and episode.points == 1:
        bounds = case.bounds(case.join_view(), evidence.window.index)
        checks += alike("data.episode", episode, Episode(1, bounds.start, bounds.end, judged.effect or 0.0))
    windows = f"{episode.points} window{'' if episode.points == 1 else 's'}"
    yield Line(
        "lasted", f"{windows}, {episode.first} to {episode.last}; at worst {shown(episode.worst)}", tuple(checks)
    )
