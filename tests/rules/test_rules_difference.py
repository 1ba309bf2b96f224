from __future__ import annotations

import msgspec

from engine.rules.difference import Difference, difference
from engine.rules.resolved.catalogue import Owner
from engine.rules.resolved.timing import Calendar
from engine.rules.ruleset import RuleSet


def rules(*owners: Owner, calendars: tuple[Calendar, ...] = ()) -> RuleSet:
    return RuleSet(owners, (), (), (), (), {}, calendars=calendars)


ANN, BOB = Owner("ann", "Ann", None), Owner("bob", "Bob", None)


def test_what_came_went_and_changed_is_named_by_kind_and_id():
    before = rules(ANN, BOB)
    after = rules(msgspec.structs.replace(ANN, name="Anna"), calendars=(Calendar("ann", "UTC", ()),))
    assert difference(before, after) == Difference(("calendar ann",), ("owner bob",), ("owner ann",))
    assert difference(after, before) == Difference(("owner bob",), ("calendar ann",), ("owner ann",))


def test_the_same_set_differs_in_nothing():
    assert difference(rules(ANN), rules(ANN)) == Difference((), (), ())


def test_the_first_set_adds_everything():
    assert difference(None, rules(ANN, BOB)) == Difference(("owner ann", "owner bob"), (), ())
