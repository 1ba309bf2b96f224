"""Reviews in rule tests: how they stand at a time, what was told of them, and what people did, against what was
expected.
"""

from __future__ import annotations

from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.model.identity import scope_key
from engine.model.time import Micros, parse_own_time
from engine.model.trigger import ReviewTrigger
from engine.offline.episodes import triggers_of
from engine.review.lifecycle import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engine.offline.episodes import Place
    from engine.offline.replay import Replayed
    from engine.rules.rule_tests import Expectation, Field, ReviewAt, RuleTest, TriggerAt

Life = list[ReviewTrigger]
"""Everything that was told of one review, in order."""
Fields = dict[str, "Field"]


class Told(NamedTuple):
    """Of one time what was expected and what was found, in the fields that were expected; null: nothing."""

    at: Micros
    expected: Fields | None
    found: Fields | None

    @property
    def agrees(self) -> bool:
        """Whether it was as expected."""
        if self.expected == NEVER:
            return self.found is None
        if self.expected is None or self.found is None:
            return False
        return all(_same(name, value, self.found[name]) for name, value in self.expected.items())


class ReviewDifference(NamedTuple):
    """Reviews or triggers that were not as expected at one place, in order of time, with those that were.

    `line` is the first expectation's that differs; null where nothing was expected.
    """

    rule: str
    scope: str
    line: int | None
    what: Literal["reviews", "triggers"]
    told: tuple[Told, ...]


NEVER: Fields = {"state": "never"}


def lives(replayed: Replayed) -> dict[Place, list[Life]]:
    """What was told of each review, by place, in order of opening."""
    by_review: dict[str, Life] = {}
    for trigger in triggers_of(replayed.outputs):
        by_review.setdefault(trigger.data.review, []).append(trigger)
    found: dict[Place, list[Life]] = {}
    for life in sorted(by_review.values(), key=lambda each: parse_own_time(each[0].time)):
        data = life[0].data
        found.setdefault((data.rule, scope_key(data.dimensions)), []).append(life)
    return found


def type_of(trigger: ReviewTrigger) -> str:
    """What happened: `opened`."""
    return trigger.type.rsplit(".", 2)[-2]


def review_differences(test: RuleTest, found: Mapping[Place, Sequence[Life]]) -> Iterator[ReviewDifference]:
    """What was not as `test` expects, of the rules of whose reviews it speaks."""
    spoken_of = {each.rule for each in test.expect if each.reviews is not None or each.triggers is not None}
    by_findings = {each.rule for each in test.expect if each.of_firing}
    expected = {(each.rule, each.scope) for each in test.expect}
    for each in test.expect:
        there = found.get((each.rule, each.scope), ())
        yield from _reviews(each, there)
        yield from _triggers(each, there)
    for place, there in sorted(found.items()):
        if place[0] in spoken_of - by_findings and place not in expected:
            yield ReviewDifference(*place, None, "reviews", tuple(map(_unexpected, there)))


def _reviews(expectation: Expectation, there: Sequence[Life]) -> Iterator[ReviewDifference]:
    if expectation.reviews is None:
        return
    told = [(line, each) for line, each in _compared(expectation.reviews, there)]
    if not expectation.reviews:
        told = [(expectation.line, _unexpected(life)) for life in there]
    yield from _difference(expectation, "reviews", told)


def _compared(expected: Iterable[ReviewAt], there: Sequence[Life]) -> Iterator[tuple[int, Told]]:
    """All reviews that are open at a time, else the newest one, against all that are expected then."""
    for at, group in groupby(expected, key=lambda each: each.at):
        wanted = list(group)
        line = wanted[-1].line
        for want, have in zip_longest(wanted, _standing(there, at)):
            if want is None:
                yield line, Told(at, None, have)
            else:
                yield want.line, Told(at, want.fields, have and {name: have[name] for name in want.fields})


def _standing(there: Sequence[Life], at: Micros) -> list[Fields]:
    so_far = [[each for each in life if parse_own_time(each.time) <= at] for life in there]
    known = [_as_it_stands(life) for life in so_far if life]
    return [each for each in known if each["state"] not in ENDED] or known[-1:]


def _as_it_stands(life: Life) -> Fields:
    """Every field of which a test can speak; an empty text where there is nothing."""
    data = life[-1].data
    escalated = [each.data.notify for each in life if type_of(each) == "escalated"]
    return {
        "state": data.state,
        "alert": data.alert,
        "severity": data.severity,
        "owner": data.owner,
        "participants": tuple(sorted(data.participants)),
        "opened": parse_own_time(data.opened),
        "due": "" if data.due is None else parse_own_time(data.due),
        "question": data.question or "",
        "escalated_to": ", ".join(escalated[-1]) if escalated else "",
        "assignee": data.assignee or "",
        "verdict": data.verdict or "",
        "says": data.about,
    }


def _unexpected(life: Life) -> Told:
    opened = _as_it_stands(life[:1])
    return Told(parse_own_time(life[0].time), None, {name: opened[name] for name in ("state", "owner", "says")})


def _triggers(expectation: Expectation, there: Sequence[Life]) -> Iterator[ReviewDifference]:
    if expectation.triggers is None:
        return
    said = sorted((each for life in there for each in life), key=lambda each: parse_own_time(each.time))
    yield from _difference(expectation, "triggers", [*_aligned(expectation, expectation.triggers, said)])


def _aligned(
    expectation: Expectation, expected: Sequence[TriggerAt], said: Sequence[ReviewTrigger]
) -> Iterator[tuple[int, Told]]:
    """One after the other; where they differ the earlier one stands alone."""
    wanted, found = list(expected), list(said)
    while wanted or found:
        at_wanted = wanted[0].at if wanted else None
        at_found = parse_own_time(found[0].time) if found else None
        if at_wanted is not None and (at_found is None or at_wanted < at_found):
            each = wanted.pop(0)
            yield each.line, Told(each.at, _expected(each), None)
        elif at_found is not None and (at_wanted is None or at_found < at_wanted):
            yield expectation.line, Told(at_found, None, _found(found.pop(0), ("type", "notify", "says")))
        else:
            each, other = wanted.pop(0), found.pop(0)
            yield each.line, Told(each.at, _expected(each), _found(other, _expected(each)))


def _expected(each: TriggerAt) -> Fields:
    said: dict[str, Field | None] = {"type": each.type, "notify": each.notify, "says": each.says}
    return {name: value for name, value in said.items() if value is not None}


def _found(trigger: ReviewTrigger, names: Iterable[str]) -> Fields:
    said: Fields = {
        "type": type_of(trigger),
        "notify": tuple(sorted(trigger.data.notify)),
        "says": trigger.data.explanation,
    }
    return {name: said[name] for name in names}


def _difference(
    expectation: Expectation, what: Literal["reviews", "triggers"], told: Sequence[tuple[int, Told]]
) -> Iterator[ReviewDifference]:
    differing = [line for line, each in told if not each.agrees]
    if differing:
        everything = tuple(each for _, each in told)
        yield ReviewDifference(expectation.rule, expectation.scope, differing[0], what, everything)


def _same(name: str, expected: Field, found: Field) -> bool:
    if name == "says" and isinstance(expected, str) and isinstance(found, str):
        return expected in found
    return expected == found
