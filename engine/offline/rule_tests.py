"""Rule tests run: measurements through both stages in process, and what the rules said against what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.identity import series_key
from engine.model.measurement import Measurement
from engine.model.outputs import DeadLetter
from engine.model.time import Micros, format_time
from engine.model.topics import DEAD_LETTERS
from engine.offline.command_tests import acts_of, command_differences
from engine.offline.episodes import Episode, Place, episodes, triggers_of
from engine.offline.reached import reached_by
from engine.offline.replay import replay
from engine.offline.review_tests import lives, review_differences, type_of
from engine.rules.resolved.condition import Composite, JoinedCondition
from engine.rules.resolved.governance import MovedGoalposts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from engine.offline.command_tests import CommandDifference
    from engine.offline.reached import Reached
    from engine.offline.replay import Replayed
    from engine.offline.review_tests import ReviewDifference
    from engine.rules.resolved.rule import Rule
    from engine.rules.rule_tests import Expectation, Firing, Measured, RuleTest
    from engine.rules.ruleset import RuleSet


class Difference(NamedTuple):
    """Something that was not as expected, at one place.

    `line` is the expectation's; null where the rule was expected somewhere else only. `severity` is (expected, found)
    where they differ.
    """

    rule: str
    scope: str
    line: int | None
    expected: tuple[Firing, ...]
    found: tuple[Episode, ...]
    severity: tuple[str, str] | None = None


class Verdict(NamedTuple):
    """What came of a test. `refused` are measurements that the engine does not take, with why; `reached` are the
    branches of rules that it went through. `reviews` and `commands` are what differed there.
    """

    test: RuleTest
    differences: tuple[Difference, ...]
    refused: tuple[str, ...]
    reached: frozenset[Reached]
    reviews: tuple[ReviewDifference, ...] = ()
    commands: tuple[CommandDifference, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not (self.differences or self.refused or self.reviews or self.commands)


def run_test(test: RuleTest, rule_set: RuleSet) -> Verdict:
    """Evaluate the rules that the test names, and nothing else of `rule_set`, over its measurements.

    They are evaluated as if their mode were `on`, so that a rule in shadow is tested as what it will be.
    """
    tested = _tested(test, rule_set, rule_set, _as_declared)
    lived = _replayed(test, rule_set, _as_declared)
    apart = _flaps(lived, tested) or any(rule.maintenance for rule in tested.rules)
    replayed = _replayed(test, rule_set, _apart) if apart else lived
    found = episodes(replayed)
    return Verdict(
        test=test,
        differences=tuple(_differences(test, found, tested)),
        refused=tuple(_refused(replayed)),
        reached=reached_by(test, found, replayed, tested),
        reviews=tuple(review_differences(test, lives(lived))),
        commands=tuple(command_differences(test, lived)),
    )


def _flaps(lived: Replayed, rules: RuleSet) -> bool:
    """Whether a joined rule had a flapping review, so that not all of its alerts were told."""
    flapping = {each.data.rule for each in triggers_of(lived.outputs) if type_of(each) == "flapping"}
    return any(rule.id in flapping and isinstance(rule.condition, JoinedCondition) for rule in rules.rules)


def _replayed(test: RuleTest, rules: RuleSet, as_: Callable[[Rule], Rule]) -> Replayed:
    return replay(
        _tested(test, rules, rules, as_),
        sorted(_measurements(test), key=lambda pair: pair[0]),
        every=test.ticks,
        begin=test.start,
        until=test.until,
        until_least=test.heard_until,
        activated=[(edit.at, _tested(test, edit.rule_set, rules, as_)) for edit in test.edits],
        acts=acts_of(test) if as_ is _as_declared else (),
    )


def _tested(test: RuleTest, rules: RuleSet, first: RuleSet, as_: Callable[[Rule], Rule]) -> RuleSet:
    """Of `rules` those that the test is about, with those that these look at. A mode is `on` unless an edit has made it
    another than in the `first` set.
    """
    named = _rules_of(test)
    for name in sorted(named):
        named.update(_looked_at(rules.rule_by_id[name]))
    kept = [as_(rule) for rule in rules.rules if rule.id in named]
    edited = {rule.id for rule in kept if rule.mode != first.rule_by_id[rule.id].mode}
    kept = [rule if rule.id in edited else msgspec.structs.replace(rule, mode="on") for rule in kept]
    return msgspec.structs.replace(rules, rules=tuple(kept))


def _rules_of(test: RuleTest) -> set[str]:
    return {*(each.rule for each in test.expect), *(each.rule for each in test.commands)}


def _looked_at(rule: Rule) -> tuple[str, ...]:
    match rule.condition:
        case Composite() as condition:
            return condition.members
        case MovedGoalposts() as condition:
            return condition.rules
        case _:
            return ()


def _apart(rule: Rule) -> Rule:
    """Every alert has a review of its own, which ends with it."""
    review = msgspec.structs.replace(rule.review, close="on_recovery", reopen_within=0)
    return msgspec.structs.replace(rule, review=review, limit=msgspec.UNSET)


def _as_declared(rule: Rule) -> Rule:
    return rule


def _measurements(test: RuleTest) -> Iterator[tuple[Micros, Measurement]]:
    """With the times at which they were sent. Each has an id of its own: two that agree in everything are two here;
    one with a revision has that of what it restates.
    """
    names: dict[tuple[str, Micros], str] = {}
    for series, measured in enumerate(test.measured):
        key = series_key(measured.kpi, measured.dimensions)
        for step, value in enumerate(measured.values):
            if value is not None:
                time, name = measured.start + step * measured.every, f"{series + 1}-{step + 1}"
                if measured.revision:
                    name = names.get((key, time), name)
                names.setdefault((key, time), name)
                yield time if measured.sent is None else measured.sent, _measurement(measured, time, value, name)


def _measurement(measured: Measured, time: Micros, value: float, name: str) -> Measurement:
    return Measurement(
        kpi=measured.kpi,
        time=format_time(time),
        value=value,
        dimensions=measured.dimensions,
        id=name,
        source=measured.source,
        revision=measured.revision,
    )


def _differences(test: RuleTest, found: Mapping[Place, list[Episode]], rules: RuleSet) -> Iterator[Difference]:
    expected: dict[Place, Expectation] = {}
    for each in test.expect:
        known = expected.get((each.rule, each.scope))
        expected[each.rule, each.scope] = each if known is None else _both(known, each)
    named = {each.rule for each in test.expect if each.of_firing}
    for place, expectation in expected.items():
        severity = rules.rule_by_id[expectation.rule].severity
        differs = expectation.severity not in (None, severity)
        there = tuple(found.get(place, ()))
        if not expectation.of_firing:
            there = ()
        if differs or not _agree(expectation.firing, there):
            told = (str(expectation.severity), severity) if differs else None
            yield Difference(*place, expectation.line, expectation.firing, there, told)
    for place, there_too in found.items():
        if place not in expected and place[0] in named:
            yield Difference(*place, None, (), tuple(there_too))


def _both(one: Expectation, other: Expectation) -> Expectation:
    return one._replace(firing=one.firing + other.firing, of_firing=one.of_firing or other.of_firing)


def _agree(expected: tuple[Firing, ...], found: tuple[Episode, ...]) -> bool:
    return len(expected) == len(found) and all(map(matches, expected, found))


def matches(expected: Firing, found: Episode) -> bool:
    """Whether a stretch of firing is the expected one."""
    same = (expected.begin, expected.to) == (found.begin, found.to)
    return same and (expected.says is None or expected.says in found.says)


def _refused(replayed: Replayed) -> Iterator[str]:
    for output in replayed.outputs:
        if output.topic == DEAD_LETTERS:
            letter = msgspec.json.decode(output.record.value or b"", type=DeadLetter)
            yield f"{letter.reason}: {letter.detail}"
