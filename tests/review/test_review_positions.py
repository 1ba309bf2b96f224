"""Positions of triggers: which record caused them, and the how many-th of it they are."""

from __future__ import annotations

from stage2_world import ABOVE, World, finding, rule, rule_set, standard, triggers_of

RULES = standard()


def test_positions_name_the_record_and_number_its_triggers():
    world = World(rule_set(rule("high", "traffic", ABOVE)))
    world.write(finding("firing", 3, None, rules=RULES), 0)
    world.sets[RULES.hash] = RULES
    world.run()
    headers = [dict(each.record.headers)["counterpoint-position"] for each in world.outputs]
    assert headers == [b"2:0:0:0"]
    assert world.outputs[0].record.key.decode() == triggers_of(world.outputs)[0].data.review
