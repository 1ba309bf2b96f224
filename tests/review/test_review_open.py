"""Open reviews by rule: what a worker shows of them, also after it was started again."""

from __future__ import annotations

from test_review_stage2 import World, f, standard

from engine.runtime.stage2 import Stage2


def test_open_reviews_are_counted_by_rule_and_a_restored_stage_counts_the_same():
    rules = standard()
    world = World(rules)
    for c in "abc":
        world.write(f("firing", 3, c=c, rules=rules), 0)
    world.write(f("resolved", 5, 3, c="a", rules=rules), 0)
    world.run()
    assert {rule: count for rule, count in world.stage.open_reviews.items() if count} == {"high": 2}
    restored = Stage2(0, world.context)
    restored.restore(world.stage.all_pages())
    assert dict(restored.open_reviews) == {"high": 2}


def test_reviews_of_rules_in_shadow_mode_are_nobodys():
    shadow = standard(mode="shadow")
    world = World(shadow)
    world.write(f("firing", 3, rules=shadow), 0)
    world.run()
    assert not any(world.stage.open_reviews.values())
