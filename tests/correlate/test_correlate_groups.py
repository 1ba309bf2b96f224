"""Groups: which reports a composite takes."""

from __future__ import annotations

import pytest
from stage2_world import World, signal, standard


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
