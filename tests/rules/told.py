"""Whom a rule test of a page calls: its measurements through both stages, and what they say through the gate that
every notification goes through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.model.measurement import Measurement
from engine.model.records import Progress, Tick
from engine.model.time import Micros, format_time, parse_own_time
from engine.model.topics import FINDINGS, SHADOW_TRIGGERS, TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.notify.gate import SETTLE, Gate
from engine.notify.happenings import happening_of
from engine.offline.command_tests import acts_of
from engine.offline.replay import replay
from engine.runtime.context import StageContext
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.encode import decode_finding_record, encode_record
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.notify.notification import Outcome
    from engine.rules.rule_tests import RuleTest
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output

SHADOW = "shadow"
ALERT_ON, ALERT_OVER, FLAPPING = "alert on", "review open, alert over", "flapping"


class Word(NamedTuple):
    """Something that was said of a review. `to` are those who were told; where nobody was, `held` says why."""

    time: Micros
    review: str
    happening: str
    to: tuple[str, ...] = ()
    held: str = ""


class Stretch(NamedTuple):
    """How a review stood for a while; to the end of the picture where `end` is null."""

    begin: Micros
    end: Micros | None
    how: str


class Lane(NamedTuple):
    """A review from its opening on, and what was said of it."""

    rule: str
    dimensions: dict[str, str]
    stretches: tuple[Stretch, ...]
    words: tuple[Word, ...]


def lanes_of(test: RuleTest, rules: RuleSet, *, live: bool = False) -> list[Lane]:
    """The reviews of a test in order of opening, with all that was said of them. `live`: as a worker that goes by the
    clock, not as a replay.
    """
    outputs = _live(test, rules) if live else _replayed(test, rules)
    triggers = [each for topic in (TRIGGERS, SHADOW_TRIGGERS) for each in _triggers(outputs, topic)]
    words = [*_heard(_triggers(outputs, TRIGGERS), rules, test), *_unheard(_triggers(outputs, SHADOW_TRIGGERS))]
    lanes = []
    for review in dict.fromkeys(each.data.review for each in triggers):
        said = [each for each in triggers if each.data.review == review]
        of_review = sorted((word for word in words if word.review == review), key=lambda word: word.time)
        data = said[0].data
        lanes.append(Lane(data.rule, data.dimensions, tuple(_stretches(said)), tuple(of_review)))
    return sorted(lanes, key=lambda lane: (lane.stretches[0].begin, lane.rule, sorted(lane.dimensions.items())))


def events_of(test: RuleTest, rules: RuleSet, *, live: bool = False) -> list[dict[str, Any]]:
    """The triggers as they stand on their topic, with what people and edits did in between."""
    outputs = _live(test, rules) if live else _replayed(test, rules)
    return [msgspec.json.decode(each.record.value or b"") for each in outputs if each.topic == TRIGGERS]


def _stretches(said: list[ReviewTrigger]) -> Iterator[Stretch]:
    """One from each trigger to the next, but none after an end."""
    for each, following in zip(said, [*said[1:], None], strict=True):
        if each.data.state in ("resolved", "withdrawn"):
            continue
        how = ALERT_ON if each.data.alert == "on" else ALERT_OVER
        if happening_of(each) == "flapping":
            how = FLAPPING
        end = None if following is None else parse_own_time(following.time)
        yield Stretch(parse_own_time(each.time), end, how)


def told_lines(lanes: Iterable[Lane]) -> list[str]:
    """What was said, a line each, as the pages list it."""
    said = [(word.time, lane, word) for lane in lanes for word in lane.words]
    lines = []
    for time, lane, word in sorted(said, key=lambda each: each[0]):
        of = ",".join(lane.dimensions.values())
        about = f"{lane.rule}({of})" if of else lane.rule
        end = f"-> {', '.join(word.to)}" if not word.held else f"held: {word.held}"
        lines.append(f"{format_time(time)[5:16].replace('T', ' ')}  {about}  {word.happening}  {end}")
    return lines


def history_of(test: RuleTest) -> list[tuple[Micros, Measurement]]:
    """The measurements with the times at which they were sent, in that order."""
    history = []
    for each in test.measured:
        for step, value in enumerate(each.values):
            if value is not None:
                time = each.start + step * each.every
                measured = Measurement(
                    each.kpi,
                    format_time(time),
                    value,
                    each.dimensions,
                    source=each.source,
                    revision=each.revision,
                )
                history.append((time if each.sent is None else each.sent, measured))
    return sorted(history, key=lambda pair: pair[0])


def _replayed(test: RuleTest, rules: RuleSet) -> list[Output]:
    found = replay(
        rules,
        history_of(test),
        every=test.ticks,
        begin=test.start,
        until=test.until,
        until_least=test.heard_until,
        activated=[(edit.at, edit.rule_set) for edit in test.edits],
        acts=acts_of(test),
    )
    return [*found.findings, *found.outputs]


def _live(test: RuleTest, rules: RuleSet) -> list[Output]:
    """The same findings, before a stage 2 that reads the clock of its own partition."""
    found = [each.record for each in _replayed(test, rules) if each.topic == FINDINGS]
    stage = Stage2(0, StageContext({rules.hash: rules}, rules.hash, 1, 1, domain="live"))
    records = list(_with_ticks(found))
    batch = Batch(FINDINGS, 0, 0, len(records) - 1, len(records), encode_batch(records, 0))
    outputs = list(stage.apply(batch))
    stage.close()
    return outputs


def _with_ticks(records: Iterable[Record]) -> Iterator[Record]:
    """What a live worker writes beside: each tick before what stage 1 says up to it."""
    waiting: list[Record] = []
    for record in records:
        decoded = decode_finding_record(record.value)
        if isinstance(decoded, Progress):
            yield Record(b"", encode_record(Tick("live", decoded.tick, decoded.time)))
            yield from waiting
            yield record
            waiting = []
        else:
            waiting.append(record)
    yield from waiting


def _triggers(outputs: Iterable[Output], topic: str) -> list[ReviewTrigger]:
    return [
        msgspec.json.decode(each.record.value or b"", type=ReviewTrigger) for each in outputs if each.topic == topic
    ]


def _heard(triggers: list[ReviewTrigger], rules: RuleSet, test: RuleTest) -> Iterator[Word]:
    """What becomes of the triggers at the gate."""
    sets = {each.hash: each for each in (rules, *(edit.rule_set for edit in test.edits))}
    gate = Gate(sets.get)
    by_id = {each.id: each for each in triggers}
    times = {parse_own_time(each.time) for each in triggers}
    for now in sorted(times | {time + SETTLE for time in times}):
        yield from _words(gate.tick(now), by_id, now)
        for each in triggers:
            if parse_own_time(each.time) == now:
                yield from _words(gate.take(each), by_id, now)


def _words(outcome: Outcome, by_id: dict[str, ReviewTrigger], now: Micros) -> Iterator[Word]:
    for told in outcome.notifications:
        if told.trigger is not None:
            happening = "released" if told.kind == "released" else happening_of(told.trigger)
            yield Word(now, told.trigger.data.review, happening, tuple(sorted(told.to)))
    for held in outcome.held:
        yield Word(now, held.review, happening_of(by_id[held.trigger]), held=held.why)


def _unheard(triggers: list[ReviewTrigger]) -> Iterator[Word]:
    for each in triggers:
        yield Word(parse_own_time(each.time), each.data.review, happening_of(each), held=SHADOW)
