"""A rule with a `limit` over findings of single series, and what is told of it, short."""

from __future__ import annotations

from typing import Any

from stage2_world import ABOVE, World, finding, rule, rule_set, short, spec

from engine.model.trigger import GroupEvidence, ReviewTrigger

SCOPE = "high|{}"


def limited(limit: int, **fields: Any):
    """Reviews that end with their alerts, each alert in one of its own."""
    return rule_set(rule("high", "traffic", ABOVE, limit=limit, **{"review": spec(reopen_within=0), **fields}))


def f(rules: Any, transition: str, at: int, opened: int | None = None, **fields: Any):
    """As stage 1 says it: of a series, and with the scope of the storm that it may be part of."""
    return finding(transition, at, opened, rules=rules, storm=SCOPE, **fields)


def fire(world: World, at: int, *names: str, **fields: Any) -> None:
    for name in names:
        world.write(f(world.rules, "firing", at, c=name, **fields), 0)


def end(world: World, at: int, opened: int, *names: str, **fields: Any) -> None:
    for name in names:
        world.write(f(world.rules, "resolved", at, opened, c=name, **fields), 0)


def names(count: int, first: int = 0) -> list[str]:
    return [f"s{number:04d}" for number in range(first, first + count)]


def told(triggers: list[ReviewTrigger]) -> list[tuple[str, str, int | None]]:
    """What happened, to which series or the storm, and how many series are in it."""
    found = []
    for each in triggers:
        evidence = each.data.evidence
        count = evidence.count if isinstance(evidence, GroupEvidence) else None
        found.append((short(each), "storm" if each.data.scope == SCOPE else each.data.dimensions["c"], count))
    return found
