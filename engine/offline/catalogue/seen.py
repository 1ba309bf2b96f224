"""What the topics say of a catalogue: newest values by KPI, and reviews with the last word of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.correlate.judge import aggregate
from engine.model.time import Micros, parse_own_time
from engine.rules.own_rules import is_own
from engine.rules.resolved.catalogue import formula_in
from engine.rules.resolved.condition import CounterpartConflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.model.outputs import KpiState
    from engine.model.records import Verdict
    from engine.model.trigger import ReviewTrigger
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.ruleset import RuleSet

_ENDED = ("resolved", "withdrawn")


class Reading(NamedTuple):
    """The newest value of a KPI: `series` of its series with what each last said, the newest of it at `time` (the end
    of its window). `behind` have said nothing for too long and are no part of it.
    """

    value: float
    time: Micros
    series: int = 1
    behind: int = 0


class ReviewSeen(NamedTuple):
    """A review as its last transition left it. `told`: somebody was to hear of it, as it was not historical."""

    id: str
    rule: str
    kpi: str | None
    owner: str
    opened: Micros
    state: str
    verdict: Verdict | None
    conflict: bool
    own: bool
    told: bool

    @property
    def ended(self) -> bool:
        """Whether nobody has to answer any more."""
        return self.state in _ENDED


class Seen(NamedTuple):
    """What was read. `note` says why nothing was, where nothing was."""

    readings: Mapping[str, Reading]
    reviews: tuple[ReviewSeen, ...] = ()
    note: str | None = None


def fresh_for(kpi: Kpi) -> Micros:
    """How old the newest window of a KPI may be: until the next should be there (`cadence`, else one window), plus what
    a window takes to close after its end (`lateness`, and `idle` where nothing follows).
    """
    return (kpi.cadence or kpi.window.step) + kpi.lateness + kpi.idle


def readings_of(rules: RuleSet, states: Iterable[KpiState], now: Micros) -> dict[str, Reading]:
    """The newest value of each KPI that has any, as of `now`: of each series its newest window, rolled up."""
    newest: dict[str, dict[str, KpiState]] = {}
    for state in states:
        if parse_own_time(state.window.end) <= now:
            series = newest.setdefault(state.kpi, {})
            series[state.series] = max(series.get(state.series, state), state, key=_place)
    found = {}
    for kpi in rules.kpis:
        reading = _rolled_up(kpi, list(newest.get(kpi.id, {}).values()), now)
        if reading is not None:
            found[kpi.id] = reading
    return found


def _place(state: KpiState) -> tuple[int, int]:
    return parse_own_time(state.window.end), state.revision


def _rolled_up(kpi: Kpi, states: list[KpiState], now: Micros) -> Reading | None:
    """Of the series that are fresh; where none is, of those with the newest window. Values that a formula has for
    several series are none of all of them.
    """
    if not states:
        return None
    ends = [parse_own_time(state.window.end) for state in states]
    oldest = min(max(ends), now - fresh_for(kpi))
    taking_part = [state for state, end in zip(states, ends, strict=True) if end >= oldest]
    if formula_in(kpi) is not None and len(taking_part) > 1:
        return None
    parts = [state.parts for state in taking_part]
    value = aggregate(parts, kpi.aggregation, {state.window for state in taking_part})
    if value is None:
        return None
    return Reading(value, max(ends), len(taking_part), len(states) - len(taking_part))


def reviews_of(rules: RuleSet, triggers: Iterable[ReviewTrigger], now: Micros) -> tuple[ReviewSeen, ...]:
    """Each review as it stood at `now`, by id; repeats of a trigger change nothing."""
    last: dict[str, ReviewTrigger] = {}
    verdicts: dict[str, tuple[int, Verdict]] = {}
    for trigger in triggers:
        if parse_own_time(trigger.time) > now:
            continue
        data = trigger.data
        known = last.get(data.review)
        if known is None or data.ordinal >= known.data.ordinal:
            last[data.review] = trigger
        if data.verdict is not None:
            verdicts[data.review] = max(verdicts.get(data.review, (-1, data.verdict)), (data.ordinal, data.verdict))
    return tuple(
        _review(rules, trigger, verdicts[name][1] if name in verdicts else None)
        for name, trigger in sorted(last.items())
    )


def _review(rules: RuleSet, trigger: ReviewTrigger, verdict: Verdict | None) -> ReviewSeen:
    data = trigger.data
    rule = rules.rule_by_id.get(data.rule)
    happening = trigger.type.split(".")[2]
    return ReviewSeen(
        id=data.review,
        rule=data.rule,
        kpi=None if data.kpi is None else data.kpi.id,
        owner=data.owner,
        opened=parse_own_time(data.opened),
        state=happening if happening in _ENDED else data.state,
        verdict=verdict,
        conflict=rule is not None and isinstance(rule.condition, CounterpartConflict),
        own=":" in data.rule if rule is None else is_own(rule),
        told=not data.historical,
    )
