"""durable_rules must match exactly what a naive join matches."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from stage2_world import facts_standing

from engine.correlate.join import Facts

steps = st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "c"]), st.integers(0, 1)), max_size=60)


@settings(max_examples=150, deadline=None)
@given(steps, st.integers(0, 60))
def test_matches_are_those_of_a_naive_join_through_retractions_and_a_rebuild(operations: Any, rebuild_at: int):
    facts, there = Facts(), set()
    for number, (puts, place, slot) in enumerate(operations):
        (facts.put if puts else facts.take)(place, slot)
        (there.add if puts else there.discard)((place, slot))
        if number == rebuild_at:
            facts.close()
            facts = Facts()
            for each in sorted(there):
                facts.put(*each)
        for where in "abc":
            assert facts.matched(where) == ({(where, 0), (where, 1)} <= there)
    assert len(facts) == len(there)
    facts.close()
    assert len(facts) == 0


def test_owners_do_not_see_each_other():
    one, other = Facts(), Facts()
    one.put("here", 0)
    other.put("here", 1)
    assert not one.matched("here")
    assert not other.matched("here")
    other.close()
    one.put("here", 1)
    assert one.matched("here")
    one.close()


def test_thousands_of_owners_leave_nothing_behind_even_when_forgotten():
    before = facts_standing()
    for number in range(3_000):
        facts = Facts()
        facts.put("here", 0)
        facts.put("here", 1)
        assert facts.matched("here")
        if number % 2:
            facts.close()
        del facts
    assert facts_standing() <= before


def test_the_library_runs_no_threads_of_its_own():
    Facts().put("here", 0)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
