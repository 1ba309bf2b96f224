"""Groups: which reports a composite takes, and which members a group has by what is said of their alerts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from stage2_world import ABOVE, World, day, finding, rule, rule_set, short, signal, standard

if TYPE_CHECKING:
    from engine.model.finding import Finding


@pytest.mark.parametrize("name", ["both", "either"])
def test_a_composite_hears_only_the_rules_that_it_names(name: str):
    """A partition of stage 1 that goes over to a rule set late still signals by the rules of the one before."""
    world = World(standard())
    world.write(signal("gone", "firing", 3, name=name), 0)
    world.tick(1)
    assert world.told() == []
    for member in ("high", "low"):
        world.write(signal(member, "firing", 4, name=name), 0)
    world.tick(2)
    [opened] = world.run()
    assert [member.rule for member in opened.data.evidence.listed] == ["high", "low"]
    assert world.stage.counters["signal_of_unknown_rule"] == 1


RULES = rule_set(rule("high", "traffic", ABOVE, group_by=()))
said = partial(finding, rules=RULES, scope="high|{}")


def took_back(one: Finding, at: int, opened: int | None = None) -> Finding:
    c = one.dimensions["c"]
    return said(one.transition, at, opened, status="withdrawn", revision=1, replaces=one, c=c)


def amended(one: Finding, at: int, opened: int | None = None) -> Finding:
    return said(one.transition, at, opened, status="amended", revision=1, replaces=one)


B2 = said("firing", 2, c="b")
F1, R2, F3, R4 = said("firing", 1), said("resolved", 2, 1), said("firing", 3), said("resolved", 4, 3)


@pytest.mark.parametrize(
    ("barriers", "happened", "since"),
    [
        ([[F1], [R2], [F3]], ["opened", "resolved", "opened"], 3),
        ([[F1, R2, F3]], ["opened", "resolved", "opened"], 3),
        # What comes late is of an alert before the one that is on.
        ([[F3], [F1, R2]], ["opened"], 3),
        ([[F1, R2], [F3], [amended(F1, 1)]], ["opened", "resolved", "opened"], 3),
        ([[F1, R2], [F3], [took_back(F1, 1), took_back(R2, 2, 1)]], ["opened", "resolved", "opened"], 3),
        # Nothing is on because something was on that never was.
        ([[F1], [R2], [took_back(F1, 1), took_back(R2, 2, 1)]], ["opened", "resolved"], None),
        ([[F1], [R2], [amended(F1, 1)]], ["opened", "resolved"], None),
        # Two turn out to be one.
        ([[F1], [R2], [F3], [took_back(R2, 2, 1), took_back(F3, 3)]],
         ["opened", "resolved", "opened", "updated"], 1),
        ([[F1], [R2], [F3], [R4], [took_back(R2, 2, 1), took_back(F3, 3), amended(R4, 4, 1)]],
         ["opened", "resolved", "opened", "resolved"], None),
        # One turns out to be two, or to have begun earlier.
        ([[F1], [R2, F3]], ["opened", "resolved", "opened"], 3),
        ([[F3], [took_back(F3, 3), F1]], ["opened", "updated"], 1),
        # It goes on when another, of which the group was told since, never was.
        ([[F3], [R4], [B2], [took_back(B2, 2), took_back(R4, 4, 3)]],
         ["opened", "resolved", "opened", "withdrawn", "reopened"], 3),
    ],
)  # fmt: skip
def test_a_member_is_the_alert_of_its_series_that_is_on(
    barriers: list[list[Finding]], happened: list[str], since: int | None
):
    world, found = World(RULES), []
    for number, each in enumerate(barriers, 1):
        for report in each:
            world.write(report, 0)
        world.tick(number)
        found += [short(trigger) for trigger in world.run()]
    assert found == happened
    group: Any = world.stage.correlator.joined["high", "high|{}"].group
    assert [member.event_time for member in group.members.values()] == ([] if since is None else [day(since)])
