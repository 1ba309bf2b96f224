"""Another rule set takes effect: what stays keeps its state, what goes takes its findings back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from engine.evaluate.findings import scope_of
from engine.evaluate.revise import withdrawn
from engine.model.finding import Episode, Evidence, Finding
from engine.model.identity import finding_id, scope_key
from engine.model.records import Signal
from engine.model.time import format_time
from engine.rules.compiler import compile_plan
from engine.rules.own_rules import version_rule_id
from engine.rules.versions import renewed, why_changed
from engine.state.migrate import Lost, firing_of, migrated

if TYPE_CHECKING:
    from engine.model.records import Activate
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet
    from engine.state.partition import PartitionState

WITHDRAWN_BY_RULE_SET = 1_000_000
"""Added to the revision of what a rule set takes back, so that it cannot meet a revision that late data made."""


def note_activation(state: PartitionState, record: Activate) -> None:
    """Remember what is to take effect; a number not above the last is a repeat or came too late."""
    if record.number > state.activation:
        state.activation = record.number
        state.pending = [*state.pending, record]


def activated(state: PartitionState, rule_set: RuleSet) -> tuple[PartitionState, list[Finding], list[Signal]]:
    """The state under `rule_set`, the withdrawals of what was firing under rules that are gone or changed, and word of
    all that was firing on KPIs with another version, for the notice of it.

    A partition's first activation names the set that it began with: there is nothing to move.
    """
    if rule_set.hash == state.plan.rule_set.hash:
        state.pending = state.pending[1:]
        return state, [], []
    new, lost = migrated(state, compile_plan(rule_set))
    new.pending = state.pending[1:]
    return new, [_withdrawal(state, item, rule_set) for item in lost], _fired_before(state, lost, rule_set)


def _fired_before(state: PartitionState, lost: list[Lost], rule_set: RuleSet) -> list[Signal]:
    kpis = set(renewed(state.plan.rule_set, rule_set))
    if not kpis:
        return []
    ended = {each.instance for each in lost}
    told = [(state.plan.rule_of[int(state.tables.instances[each.instance]["rule"])], each) for each in firing_of(state)]
    return [
        _word(state, rule, each, ended=each.instance in ended)
        for rule, each in told
        if rule.mode == "on" and rule.kpi in kpis
    ]


def _word(state: PartitionState, rule: Rule, firing: Lost, *, ended: bool) -> Signal:
    """That an instance was firing; it names the finding that opened its alert."""
    instance = state.tables.instances[firing.instance]
    series = state.series[firing.row]
    opened, revision = int(instance["opened"]), int(instance["opened_revision"])
    return Signal(
        correlation=version_rule_id(str(rule.kpi)),
        scope=scope_key({}),
        rule=rule.id,
        series=series.key,
        finding=finding_id(rule.id, series.key, opened, "firing", revision),
        state="inactive" if ended else "firing",
        event_time=format_time(opened),
        tick=-1 if state.tick_number is None else state.tick_number,
        revision=revision,
    )


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
        storm=rule.storm or UNSET,
    )
    why = why_changed(rule, state.plan.rule_set, rule_set)
    return withdrawn(state, finding, revision + WITHDRAWN_BY_RULE_SET, why)
