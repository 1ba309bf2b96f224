"""Rules inhibit others without ever keeping themselves quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec


def check_inhibition(declarations: Declarations) -> Iterator[Problem]:
    """Rules that name themselves, circles (each once, at the first of its rules by id), and rules that are off."""
    above = {
        id_: [name for name in declared.spec.inhibited_by if name != id_]
        for id_, declared in declarations.rules.items()
        if declared.has("inhibited_by")
    }
    for id_ in sorted(above):
        rule = declarations.rules[id_]
        yield from _names(rule, declarations)
        circle = _circle(id_, above)
        if circle and id_ == min(circle):
            yield rule.problem(
                ("inhibited_by",),
                "inhibition-cycle",
                expected="rules that inhibit others, never each other",
                found="a circle: " + " -> ".join([*circle, id_]),
                mend="take one of them out of `inhibited_by`: in a circle nobody is told",
            )


def _names(rule: Declared[RuleSpec], declarations: Declarations) -> Iterator[Problem]:
    for index, name in enumerate(rule.spec.inhibited_by):
        place = ("inhibited_by", index)
        other = declarations.rules.get(name)
        if name == rule.id:
            yield rule.problem(
                place,
                "inhibition-cycle",
                expected="other rules",
                found=f"{shown(name)} itself",
                mend="leave it out: a rule that keeps itself quiet says nothing",
            )
        elif other is not None and other.has("mode") and other.spec.mode == "off":
            yield rule.problem(
                place,
                "member-off",
                expected="a rule that is on",
                found=f"{shown(name)}, which is off",
                mend="switch it on: what is off opens no reviews, and keeps nothing quiet",
                severity="warning",
            )


def _circle(start: str, above: dict[str, list[str]]) -> list[str]:
    """The shortest way from `start` back to it; empty where there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    for name in waiting:
        for following in above.get(name, ()):
            if following == start:
                return _way(name, start, came_from)
            if following not in came_from:
                came_from[following] = name
                waiting.append(following)
    return []


def _way(last: str, start: str, came_from: dict[str, str]) -> list[str]:
    way = [last]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]
