"""How every rule fares: on how many series it is in which state, what it said last, and what keeps it from judging."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Literal

import msgspec

from engine.kernels.layout import DISABLED, SILENCE, UNSET
from engine.model.outputs import DeadLetter
from engine.model.time import format_time, parse_own_time
from engine.model.topics import DEAD_LETTERS, FINDINGS, SHADOW_TRIGGERS, TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.notify.happenings import happening_of
from engine.offline.why.evaluations import Dated, Evaluation, Evaluations, newest
from engine.offline.why.evaluations_joined import JoinedEvaluations
from engine.offline.why.health_joined import state_of
from engine.offline.why.health_silence import Ticks, silence_of
from engine.offline.why.of_series import STATES
from engine.offline.why.watch import Watch, is_declared
from engine.rules.resolved.condition import Composite, JoinedCondition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.model.time import Micros
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output
    from engine.runtime.stage1 import Stage1
    from engine.runtime.stage2 import Stage2
    from engine.state.partition import PartitionState
    from engine.wire.columns import Chunk

Problem = Literal["no_series", "only_dead_letters", "never_evaluated"]

PROBLEMS: dict[Problem, str] = {
    "no_series": "no series of its KPI that it selects is declared or was measured",
    "only_dead_letters": "nothing of its KPI was accepted, and rows were refused",
    "never_evaluated": "there are series, and no point of them was judged",
}


class Transition(msgspec.Struct, frozen=True):
    """What a rule said: when in event time, of which series (of a rule that joins: scope), and with which value."""

    time: str
    series: str
    happening: str
    value: float | None = None


class RuleHealth(msgspec.Struct, frozen=True):
    """One rule. `series`: by state, those that it looks at; of a rule that joins, scopes. `evaluated`: the time of its
    newest evaluation, of a rule that joins the newest that came to a verdict; null: there is none. `last` are its last
    transitions, `evaluations` its last evaluations, the newest first.
    """

    rule: str
    mode: str
    condition: str
    series: dict[str, int]
    evaluated: str | None
    last: tuple[Transition, ...]
    evaluations: tuple[Evaluation, ...] = ()
    problems: tuple[Problem, ...] = ()


class Health(msgspec.Struct, frozen=True):
    """All rules at `at`; `refused` counts what was refused by reason."""

    at: str
    rule_set: str
    refused: dict[str, int]
    rules: tuple[RuleHealth, ...]


class _Said(msgspec.Struct, tag_field="type", tag="finding"):
    rule: str
    series: str
    transition: str
    status: str
    event_time: str
    value: float | None = None


_read_finding = msgspec.json.Decoder(_Said).decode
_read_trigger = msgspec.json.Decoder(ReviewTrigger).decode
_read_letter = msgspec.json.Decoder(DeadLetter).decode
_FINDING = b'{"type":"finding",'


class Rounds(Watch):
    """Follows all rules: their last `keep` transitions and evaluations, and dead letters by KPI."""

    def __init__(self, keep: int) -> None:
        super().__init__("", "")
        self.keep = keep
        self.letters: Counter[str] = Counter()
        self.ticks = Ticks()
        self.joined = JoinedEvaluations(keep)
        self._last: dict[tuple[str, int], deque[Transition]] = defaultdict(lambda: deque(maxlen=keep))
        self._evaluations: dict[int, Evaluations] = defaultdict(lambda: Evaluations(keep))

    def take(self, stage: Stage1, chunk: Chunk) -> Iterator[Output]:
        """See `Watch`."""
        self._evaluations[stage.state.partition].follow(stage.state)
        self.ticks.take(stage.state, chunk)
        for output in stage.take(chunk):
            value = output.record.value or b""
            if output.topic == FINDINGS and value.startswith(_FINDING):
                self._finding(_read_finding(value), stage.state.partition)
            elif output.topic == DEAD_LETTERS:
                self._refused(stage.state, chunk, _read_letter(value))
            yield output

    def follow(self, stage: Stage2) -> None:
        """Be told of what rules that join judge: before the stage has taken anything."""
        stage.correlator.trace = self.joined

    def hear(self, outputs: Iterable[Output], rules: RuleSet) -> None:
        """What rules that join have said: their reviews tell it."""
        for output in outputs:
            if output.topic in (TRIGGERS, SHADOW_TRIGGERS):
                trigger = _read_trigger(output.record.value or b"")
                rule = rules.rule_by_id.get(trigger.data.rule)
                if rule is not None and isinstance(rule.condition, JoinedCondition):
                    data = trigger.data
                    told = Transition(data.event_time, data.scope, happening_of(trigger))
                    self._last[rule.id, 0].append(told)

    def newest(self, rule: str) -> tuple[Transition, ...]:
        """The last transitions of a rule, the newest first; of several partitions by their time."""
        parts = [told for (name, _), told in sorted(self._last.items()) if name == rule]
        found = list(parts[0]) if len(parts) == 1 else sorted((each for part in parts for each in part), key=_time_of)
        return tuple(reversed(found))[: self.keep]

    def evaluations(self, rule: str) -> Iterator[Dated]:
        """The last evaluations of a rule on single series but silence, in each partition."""
        for each in self._evaluations.values():
            yield from each.of(rule)

    def _finding(self, said: _Said, partition: int) -> None:
        happening = said.transition if said.status == "new" else f"{said.transition} ({said.status})"
        self._last[said.rule, partition].append(Transition(said.event_time, said.series, happening, said.value))

    def _refused(self, state: PartitionState, chunk: Chunk, letter: DeadLetter) -> None:
        columns = chunk.columns
        for row in columns.row[columns.offset == letter.offset].tolist()[:1]:
            self.letters[state.plan.rule_set.kpis[int(state.tables.series[row]["kpi"])].id] += 1


def _time_of(told: Transition) -> Micros:
    return parse_own_time(told.time)


class Tally:
    """What the partitions' states come to, rule by rule, after what `rounds` has followed."""

    def __init__(self, rules: RuleSet, rounds: Rounds) -> None:
        self.rules = rules
        self.rounds = rounds
        self.states: dict[str, Counter[str]] = {rule.id: Counter() for rule in rules.rules}
        self.evaluations: dict[str, list[Dated]] = {rule.id: list(rounds.evaluations(rule.id)) for rule in rules.rules}
        self.accepted: set[str] = set()

    def first(self, state: PartitionState) -> None:
        """Rules on single series, in one partition of stage 1."""
        plan, tables = state.plan, state.tables
        known = [row for row in range(len(state.series)) if self._is_known(state, row)]
        for slot in (slot for row in known for slot in state.slots_of(row)):
            for instance in tables.instances[state.instances_of(slot)]:
                rule, phase = plan.rule_of[int(instance["rule"])].id, int(instance["phase"])
                if phase != DISABLED and rule in self.states:
                    self.states[rule][STATES[phase]] += 1
                    if plan.views[int(tables.slots[slot]["view_row"])]["kind"] == SILENCE:
                        self.evaluations[rule] += silence_of(state, self.rounds.ticks, slot, instance)
        measured = tables.series[: len(state.series)]
        self.accepted |= {self.rules.kpis[int(row["kpi"])].id for row in measured if row["newest"] != UNSET}

    def _is_known(self, state: PartitionState, row: int) -> bool:
        """Files are read ahead: a series may have its rows before anything of it has come."""
        return state.tables.series[row]["newest"] != UNSET or is_declared(self.rules, state.series[row].key)

    def second(self, stage: Stage2) -> None:
        """Rules that join, in one partition of stage 2."""
        for (rule, scope), joined in stage.correlator.joined.items():
            if rule not in self.states or self._is_single(rule):
                continue
            self.states[rule][state_of(joined)] += 1
            self.evaluations[rule] += self.rounds.joined.of(stage.correlator, rule, scope)

    def _is_single(self, rule: str) -> bool:
        return not isinstance(self.rules.rule_by_id[rule].condition, JoinedCondition)

    def health(self, at: Micros, refused: dict[str, int]) -> Health:
        """All of it at `at`."""
        rules = tuple(self._of(rule, refused) for rule in self.rules.rules)
        return Health(format_time(at), self.rules.hash, refused, rules)

    def _of(self, rule: Rule, refused: dict[str, int]) -> RuleHealth:
        found = self.evaluations[rule.id]
        judged = [each for each in found if self._is_single(rule.id) or each.evaluation.outcome == "judged"]
        return RuleHealth(
            rule=rule.id,
            mode=rule.mode,
            condition=str(rule.condition.__struct_config__.tag),
            series={name: self.states[rule.id][name] for name in STATES.values() if name != "disabled"},
            evaluated=next((each.time for each in newest(judged, 1)), None),
            last=self.rounds.newest(rule.id),
            evaluations=newest(found, self.rounds.keep),
            problems=self._problems(rule, refused),
        )

    def _problems(self, rule: Rule, refused: dict[str, int]) -> tuple[Problem, ...]:
        if rule.mode == "off":
            return ()
        joins, there = not self._is_single(rule.id), self.states[rule.id].total() > 0
        if rule.kpi is not None and rule.kpi not in self.accepted and (self.rounds.letters[rule.kpi] or refused):
            return ("only_dead_letters",)
        if isinstance(rule.condition, Composite):
            return ()
        if not there:
            return ("never_evaluated",) if joins and rule.kpi in self.accepted else ("no_series",)
        return () if joins or self.evaluations[rule.id] else ("never_evaluated",)
