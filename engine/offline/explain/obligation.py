"""What a trigger obliges to, recomputed from its rule: ids, owner, due time, and the sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import msgspec

from engine.model.finding import Evidence, Finding, RawPoint, WindowPoint
from engine.model.identity import finding_id, review_id, trigger_id
from engine.model.judgement import Judgement
from engine.model.records import ReviewCommand
from engine.model.time import format_time
from engine.model.trigger import (
    CONTENT_TYPE,
    SOURCE,
    SPEC_VERSION,
    AnyEvidence,
    ClockName,
    FindingName,
    Happening,
    TurnName,
    event_type,
)
from engine.offline.explain.account import Check, Line, Step, alike, either, holds, same, shown
from engine.offline.explain.case import micros
from engine.review.explain import explain_finding
from engine.review.explain_judgement import explain_judgement
from engine.review.lifecycle import transitions
from engine.review.people import notified, owner_of
from engine.review.spans import due_words, duration
from engine.review.trigger import command_key, dimensions_of, summary_of
from engine.review.words import sentence_of_clock, sentence_of_command
from engine.rules.due import due_at
from engine.rules.own_rules import is_own
from engine.rules.resolved.catalogue import how_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.offline.explain.case import Case
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.timing import Window

_NEVER_EMPTY = "(none)"


def rule_step(case: Case) -> Step:
    """Which rule spoke, of which KPI."""
    return Step("Who spoke", tuple(_rule(case)))


def _rule(case: Case) -> Iterator[Line]:
    data, rule = case.data, case.rule
    said = [same(f"data.{name}", getattr(data, name), getattr(rule, name)) for name in ("title", "severity")]
    mode = "" if rule.mode == "on" else f", mode {rule.mode}"
    yield Line("rule", f"{rule.id}: {rule.title} ({rule.severity}{mode})", tuple(said))
    evidence = data.evidence
    written: tuple[Check, ...] = ()
    rule_sets: tuple[Check, ...] = ()
    if evidence is not None and not _taken_away(evidence):
        written = alike("data.evidence.condition", evidence.condition, rule.declared)
        rule_sets = either(("data.evidence.rule_set", evidence.rule_set), ("data.rule_set", data.rule_set))
    yield Line("condition", shown(rule.declared), written)
    kpi = None if rule.kpi is None else case.rules.kpi_by_id[rule.kpi]
    summary = None if kpi is None else summary_of(kpi)
    checks = alike("data.kpi", data.kpi, summary)
    if kpi is not None:
        yield Line("KPI", f"{kpi.id}: {kpi.title} ({kpi.unit}){_looked_at(rule, kpi)}", checks)
    else:
        yield Line("KPI", "none: a composite", checks)
    yield Line("rule set", data.rule_set, rule_sets)


def _looked_at(rule: Rule, kpi: Kpi) -> str:
    """What of the KPI a rule sees; the engine's own rules see its reviews."""
    if is_own(rule):
        return ""
    return "; each measurement" if rule.points == "raw" else f"; {how_of(kpi)} of {_window(rule.window)}"


def _window(window: Window) -> str:
    if window.zone is not None:
        return f"{f'the {window.since} up to each day' if window.since else 'a day'} in {window.zone}"
    every = "" if window.size == window.step else f", every {duration(window.step)}"
    return f"{duration(window.size)}{every}"


def _taken_away(evidence: AnyEvidence) -> bool:
    """A rule set that changed a rule, or dropped it, took the finding back: its condition is the one before."""
    return isinstance(evidence, Evidence) and evidence.point is None


def ids_step(case: Case) -> Step:
    """Everything that is named by what it is made of, and what is fixed in every event."""
    return Step("The names", tuple(_ids(case)))


def _ids(case: Case) -> Iterator[Line]:
    trigger, data = case.trigger, case.data
    if isinstance(data.moved_by, FindingName):
        yield _finding(case, data.moved_by)
    made = review_id(data.rule, data.scope, micros(data.first_event_time))
    named = f"of rule, scope and {data.first_event_time}: {made}"
    yield Line("review", named, (same("data.review", data.review, made), *_first_event_time(case)))
    identifier = trigger_id(made, data.ordinal)
    checks = (
        same("id", trigger.id, identifier),
        holds("data.ordinal", data.ordinal, true=(data.ordinal == 1) == (case.happening == "opened"), why="1 opens"),
    )
    yield Line("trigger", f"number {data.ordinal} of it: {identifier}", checks)
    types = [event_type(happening) for happening in get_args(Happening)]
    fixed = (
        holds("type", trigger.type, true=trigger.type in types, why=f"one of {', '.join(types)}"),
        same("specversion", trigger.specversion, SPEC_VERSION),
        same("source", trigger.source, SOURCE),
        same("subject", trigger.subject, data.scope),
        same("datacontenttype", trigger.datacontenttype, CONTENT_TYPE),
    )
    yield Line("event", f"{trigger.type} about {data.scope}", fixed)
    about = (
        same("data.command_key", data.command_key, command_key(case.rule, data.scope)),
        *alike("data.dimensions", data.dimensions, dimensions_of(data.scope)),
    )
    yield Line("commands", f"to the findings with the key {data.command_key}", about)


def _finding(case: Case, name: FindingName) -> Line:
    data = case.data
    time = micros(data.event_time)
    made = finding_id(data.rule, name.series, time, name.transition, name.revision)
    opened = micros(name.opened_event_time)
    in_order = opened == time if name.transition == "firing" else opened <= time
    checks = (
        same("data.moved_by.id", name.id, made),
        *either(("data.moved_by.series", name.series), ("data.scope", data.scope)),
        holds("data.moved_by.opened_event_time", name.opened_event_time, true=in_order, why="the alert began at it"),
        holds("data.moved_by.status", name.status, true=_is_amended(name), why="an amended one has a higher revision"),
    )
    return Line("finding", f"{name.status}, {name.transition}, revision {name.revision}: {made}", checks)


def _is_amended(name: FindingName) -> bool:
    return name.status == "new" or name.revision > 0


def _first_event_time(case: Case) -> Iterator[Check]:
    """An alert that opens a review names it."""
    data, moved_by = case.data, case.data.moved_by
    named = "data.first_event_time", data.first_event_time
    if data.ordinal == 1 and isinstance(moved_by, FindingName):
        yield from either(named, ("data.moved_by.opened_event_time", moved_by.opened_event_time))
    elif data.ordinal == 1 and isinstance(moved_by, TurnName):
        yield from either(named, ("data.moved_by.opened", moved_by.opened))


def obligation_step(case: Case) -> Step:
    """Whose it is, until when, and the sentence that all of this leads to."""
    return Step("What it leads to", (*_owed(case), _sentence(case)))


def _owed(case: Case) -> Iterator[Line]:
    data, rule = case.data, case.rule
    owner = owner_of(rule, case.rules)
    objective = None if data.kpi is None or rule.kpi is None else case.rules.kpi_by_id[rule.kpi].objective
    whose = (same("data.owner", data.owner, owner), same("data.objective", data.objective, objective))
    yield Line("owner", owner, whose)
    yield Line("participants", ", ".join(data.participants) or _NEVER_EMPTY, tuple(_participants(case, owner)))
    asked = (
        same("data.question", data.question, rule.review.question),
        same("data.runbook", data.runbook, rule.review.runbook),
    )
    yield Line("question", rule.review.question or _NEVER_EMPTY, asked)
    yield Line("due", *_due(case))
    yield Line("state", f"{data.state}, its alert is {data.alert}", tuple(_state(case)))
    told = notified(
        case.happening, rule, case.rules, assignee=data.assignee, participants=data.participants, step=data.step
    )
    yield Line("tells", ", ".join(told), alike("data.notify", data.notify, told))


def _state(case: Case) -> Iterator[Check]:
    """The states and alerts that the table of the lifecycle has for what happened."""
    data, happening = case.data, case.happening
    made = [each for _, _, each in transitions() if each.happening == happening]
    states = {each.state for each in made} or {"open"}
    alerts = {each.alert for each in made} - {None}
    yield holds("data.state", data.state, true=data.state in states, why=f"a review that was {happening}")
    wanted = data.alert in alerts if alerts else data.alert in ("on", "over", "never")
    yield holds("data.alert", data.alert, true=wanted, why=f"the alert of a review that was {happening}")


def _participants(case: Case, owner: str) -> Iterator[Check]:
    """The rule's, and the owners of the KPIs that take part; those who came earlier stay."""
    data, moved_by = case.data, case.data.moved_by
    kpis = moved_by.taking_part if isinstance(moved_by, TurnName) else ()
    owners = {case.rules.kpi_by_id[kpi].owner for kpi in kpis if kpi in case.rules.kpi_by_id}
    least = sorted({*case.rule.review.participants, *owners} - {owner})
    path, there = "data.participants", data.participants
    if data.ordinal == 1:
        yield from alike(path, there, least)
        return
    complete = set(least) <= set(there) and owner not in there and list(there) == sorted(set(there))
    yield holds(path, there, true=complete, why=f"at least {', '.join(least) or 'nobody'}, without the owner, sorted")


def _due(case: Case) -> tuple[str, tuple[Check, ...]]:
    """Counted from the opening tick; a later trigger repeats what the rule said then."""
    data, due_in = case.data, case.rule.review.due_in
    if data.ordinal != 1:
        after = micros(data.opened) <= micros(case.trigger.time) or isinstance(data.moved_by, ReviewCommand)
        checks = (holds("data.opened", data.opened, true=after, why="a review opens before it is changed"),)
        return f"{data.due or 'no date'}, as said when it opened at {data.opened}", checks
    opened = either(("data.opened", data.opened), ("time", case.trigger.time))
    expected = None if due_in is None else format_time(due_at(micros(data.opened), due_in, case.rules))
    counted = "the rule says none" if due_in is None else f"{due_words(due_in)} after {data.opened}: {expected}"
    return counted, (*opened, same("data.due", data.due, expected))


def _sentence(case: Case) -> Line:
    made, data = sentence_of(case), case.data
    checks = [same("data.explanation", data.explanation, made)]
    if isinstance(data.moved_by, FindingName | TurnName):
        checks.append(same("data.about", data.about, made))
    return Line("sentence", made, tuple(checks))


def sentence_of(case: Case) -> str:
    """The plain sentence by the function that wrote it; ValueError when the trigger does not say what moved it."""
    data, moved_by = case.data, case.data.moved_by
    match moved_by:
        case ReviewCommand():
            return sentence_of_command(moved_by)
        case ClockName():
            return sentence_of_clock(moved_by, data.about, data.notify[0] if data.notify else "", data.step)
        case FindingName() if isinstance(data.evidence, Evidence):
            found = _as_finding(case, moved_by, data.evidence)
            awaits_answer = case.rule.review.close == "on_answer" and not data.historical and data.verdict is None
            return explain_finding(found, case.happening, case.rules, awaits_answer=awaits_answer)
        case TurnName() if not isinstance(data.evidence, Evidence):
            judgement = Judgement(
                rule=data.rule,
                scope=data.scope,
                rule_set=data.rule_set,
                turn=moved_by.turn,
                opened=moved_by.opened,
                event_time=data.event_time,
                evidence=data.evidence,
                taking_part=moved_by.taking_part,
                episode=data.episode,
                cause=data.cause,
            )
            return explain_judgement(judgement, case.happening, case.rules)
    raise ValueError("expected a finding, a turn or a command in moved_by, and evidence of its kind")


def _as_finding(case: Case, name: FindingName, evidence: Evidence) -> Finding:
    data, point = case.data, evidence.point
    kpi, brace, dimensions = name.series.partition("{")
    return Finding(
        id=name.id,
        rule=data.rule,
        kpi=kpi,
        series=name.series,
        dimensions=msgspec.json.decode(brace + dimensions, type=dict[str, str]),
        transition=name.transition,
        status=name.status,
        revision=name.revision,
        event_time=data.event_time,
        opened_event_time=name.opened_event_time,
        scope=data.scope,
        value=point.value if isinstance(point, RawPoint | WindowPoint) else None,
        evidence=evidence,
        episode=data.episode,
        tick=0,
        tick_time=case.trigger.time,
        cause=data.cause,
    )
