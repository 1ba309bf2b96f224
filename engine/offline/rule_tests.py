"""Rule tests run: measurements through both stages in process, and what the rules said against what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.identity import series_key
from engine.model.measurement import Measurement
from engine.model.outputs import DeadLetter
from engine.model.time import Micros, format_time
from engine.model.topics import DEAD_LETTERS
from engine.offline.episodes import Episode, Place, episodes
from engine.offline.reached import reached_by
from engine.offline.replay import replay
from engine.rules.resolved.condition import Composite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.offline.reached import Reached
    from engine.offline.replay import Replayed
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
    branches of rules that it went through.
    """

    test: RuleTest
    differences: tuple[Difference, ...]
    refused: tuple[str, ...]
    reached: frozenset[Reached]

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.differences and not self.refused


def run_test(test: RuleTest, rule_set: RuleSet) -> Verdict:
    """Evaluate the rules that the test names, and nothing else of `rule_set`, over its measurements.

    They are evaluated as if their mode were `on` and their reviews closed on recovery, so that a rule in shadow is
    tested as what it will be.
    """
    tested = _as_tested(test, rule_set)
    timed = sorted(_measurements(test), key=lambda pair: pair[0])
    replayed = replay(tested, timed, every=test.ticks, begin=test.start, until=test.until)
    found = episodes(replayed, tested)
    reached = reached_by(test, found, replayed, tested)
    return Verdict(test, tuple(_differences(test, found, tested)), tuple(_refused(replayed)), reached)


def _as_tested(test: RuleTest, rule_set: RuleSet) -> RuleSet:
    named = {expectation.rule for expectation in test.expect}
    for name in sorted(named):
        condition = rule_set.rule_by_id[name].condition
        if isinstance(condition, Composite):
            named.update(condition.members)
    return msgspec.structs.replace(
        rule_set, rules=tuple(_switched_on(rule) for rule in rule_set.rules if rule.id in named)
    )


def _switched_on(rule: Rule) -> Rule:
    review = msgspec.structs.replace(rule.review, close="on_recovery")
    if rule.maintenance:  # then each alert is told by a review of its own
        review = msgspec.structs.replace(review, reopen_within=0)
    return msgspec.structs.replace(rule, mode="on", review=review)


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
        expected[each.rule, each.scope] = each if known is None else known._replace(firing=known.firing + each.firing)
    named = {rule for rule, _ in expected}
    for place, expectation in expected.items():
        severity = rules.rule_by_id[expectation.rule].severity
        differs = expectation.severity not in (None, severity)
        there = tuple(found.get(place, ()))
        if differs or not _agree(expectation.firing, there):
            told = (str(expectation.severity), severity) if differs else None
            yield Difference(*place, expectation.line, expectation.firing, there, told)
    for place, there_too in found.items():
        if place not in expected and place[0] in named:
            yield Difference(*place, None, (), tuple(there_too))


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
