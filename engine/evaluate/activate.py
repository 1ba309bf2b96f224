"""Another rule set takes effect: what stays keeps its state, what goes takes its findings back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.evaluate.findings import scope_of
from engine.evaluate.revise import withdrawn
from engine.model.finding import Episode, Evidence, Finding
from engine.model.identity import finding_id
from engine.model.time import format_time
from engine.rules.compiler import compile_plan
from engine.state.migrate import Lost, migrated

if TYPE_CHECKING:
    from engine.model.records import Activate
    from engine.rules.ruleset import RuleSet
    from engine.state.partition import PartitionState

WITHDRAWN_BY_RULE_SET = 1_000_000
"""Added to the revision of what a rule set takes back, so that it cannot meet a revision that late data made."""


def note_activation(state: PartitionState, record: Activate) -> None:
    """Remember what is to take effect; a number not above the last is a repeat or came too late."""
    if record.number > state.activation:
        state.activation = record.number
        state.pending = [*state.pending, record]


def activated(state: PartitionState, rule_set: RuleSet) -> tuple[PartitionState, list[Finding]]:
    """The state under `rule_set`, and the withdrawals of what was firing under rules that are gone or changed.

    A partition's first activation names the set that it began with: there is nothing to move.
    """
    if rule_set.hash == state.plan.rule_set.hash:
        state.pending = state.pending[1:]
        return state, []
    new, lost = migrated(state, compile_plan(rule_set))
    new.pending = state.pending[1:]
    return new, [_withdrawal(state, item, rule_set) for item in lost]


def _withdrawal(state: PartitionState, lost: Lost, rule_set: RuleSet) -> Finding:
    instance = state.tables.instances[lost.instance]
    rule = state.plan.rule_of[int(instance["rule"])]
    series = state.series[lost.row]
    opened, revision = int(instance["opened"]), int(instance["opened_revision"])
    episode = Episode(
        points=int(instance["points"]),
        first=format_time(int(instance["first"])),
        last=format_time(int(instance["last"])),
        worst=float(instance["worst"]),
    )
    finding = Finding(
        id=finding_id(rule.id, series.key, opened, "firing", revision),
        rule=rule.id,
        kpi=str(rule.kpi),
        series=series.key,
        dimensions=series.dimensions,
        transition="firing",
        status="new",
        revision=revision,
        event_time=format_time(opened),
        opened_event_time=format_time(opened),
        scope=scope_of(state, rule, series.key, series.dimensions),
        value=None,
        evidence=Evidence(condition=rule.declared, point=None, rule_set=rule_set.hash),
        episode=episode,
        tick=-1,
        tick_time=None,
    )
    gone = rule.id not in rule_set.rule_by_id
    return withdrawn(state, finding, revision + WITHDRAWN_BY_RULE_SET, "rule removed" if gone else "rule changed")
