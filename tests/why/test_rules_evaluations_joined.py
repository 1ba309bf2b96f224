"""The last evaluations of rules that join are those of slow twins, as many as are asked for, whatever came late."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import naive_governance
import pytest
from stage2_world import World, conflict, rule, rule_set, share

from engine.model.identity import scope_key
from engine.model.time import HOUR, format_time, parse_own_time
from engine.offline.backtest.items import Destination, ItemBlock
from engine.offline.why.evaluations_joined import JoinedEvaluations
from engine.offline.why.files import History
from engine.offline.why.health import Rounds, Tally
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.wire.item import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.offline.why.evaluations import Evaluation
    from engine.rules.ruleset import RuleSet

BEGIN = parse_own_time("2026-01-05T00:00:00Z")
HOURS = 70
REACH = 8 * HOUR
SHOPS = ("a", "b")
KPI = """\
---
kind: kpi
id: {name}
title: {name}
owner: web
objective: growth
definition: {name} of a shop
decision: Act
direction: higher_is_better
role: leading
unit: events
aggregation: sum
window: {{every: 1h}}
lateness: 1h
grace: 8h
dimensions: [shop]
target: {{value: 1, by: 2030-12-31}}
"""
RULES = """\
---
kind: rule
id: books
title: What is booked
kpi: visits
condition: {reconciliation: {against: booked, tolerance: 2}}
for: 1h
keep_firing_for: 1h
---
{kind: rule, id: both, title: Both, condition: {composite: {all: [many-visits, many-booked]}}}
---
{kind: rule, id: after, title: After, condition: {composite: {sequence: [many-booked, many-visits], within: 6h}}}
---
{kind: rule, id: easy, title: Easy, kpi: visits, condition: {governance: {always_green: {windows: 8, margin: 0.5}}}}
---
{kind: rule, id: many-visits, title: Many, kpi: visits, condition: {threshold: {above: 9}}}
---
{kind: rule, id: many-booked, title: Many, kpi: booked, condition: {threshold: {above: 9}}}
"""
Values = dict[tuple[str, str, int], float]
"""By KPI, shop and hour."""


class Told(NamedTuple):
    time: str
    series: str
    state: str
    outcome: str
    value: float | None
    statistic: float | None
    limit: float | None
    usual: float | None


def rules() -> RuleSet:
    text = "kind: owner\nid: web\nname: Web\n---\nkind: objective\nid: growth\ntitle: Growth\nowner: web\n"
    text += "".join(KPI.format(name=name) for name in ("visits", "booked"))
    loaded = load_read(read_text("all.yaml", text + RULES))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems]
    return loaded.rule_set


PACK = rules()


def drawn(draw: Random) -> Values:
    """Some hours of a shop are missing; of one shop or the other there are visits in every hour."""
    found: Values = {}
    for hour in range(HOURS):
        for kpi in ("visits", "booked"):
            for shop in SHOPS:
                if draw.random() < 0.9 or (kpi, shop) == ("visits", SHOPS[hour % 2]):
                    found[kpi, shop, hour] = float(draw.choice([2, 3, 4, 5, 12]))
    return found


def told_late(values: Values, draw: Random) -> list[Item]:
    """Each as it was first said and as it was corrected, none of it later than `REACH`."""
    said = []
    for (kpi, shop, hour), value in values.items():
        time = BEGIN + hour * HOUR
        for revision in (*draw.choice([(), (), (0,), (0, 1)]), 9):
            sent = time + draw.choice([0, 0, draw.randrange(REACH)])
            number = value if revision == 9 else float(draw.randint(0, 15))
            said.append((sent, Item(kpi, time, number, {"shop": shop}, f"{kpi}{shop}{hour}", None, 0, revision)))
    return [item for _, item in sorted(said, key=lambda pair: pair[0])]


def listed(items: list[Item], keep: int) -> dict[str, tuple[Evaluation, ...]]:
    rounds = Rounds(keep)
    past = History(PACK, rounds, HOUR // 6)
    rounds.follow(past.standing.second)
    for item in items:
        block = ItemBlock(Destination(Path("rows"), 0, past.resolve, past.refusals))
        block.add(item, 0)
        past.take(block.columns())
    past.tick_until(BEGIN + (HOURS + 40) * HOUR)
    past.standing.settle()
    tally = Tally(PACK, rounds)
    tally.second(past.standing.second)
    past.standing.close()
    return {each.rule: each.evaluations for each in tally.health(0, {}).rules}


def end_of(hour: int) -> str:
    return format_time(BEGIN + (hour + 1) * HOUR)


def scope_of(shop: str) -> str:
    return f'{{"shop":"{shop}"}}'


def books(values: Values) -> Iterator[Told]:
    """What departs for two hours fires, what agrees for two is over."""
    for shop in SHOPS:
        state, since = "inactive", 0
        for hour in range(HOURS):
            own, record = values.get(("visits", shop, hour)), values.get(("booked", shop, hour))
            if own is None and record is None:
                continue
            if own is None or record is None:
                yield Told(end_of(hour), scope_of(shop), state, "not_known", own, None, None, None)
                continue
            holds, fires = abs(own - record) > 2, state in ("firing", "recovering")
            if holds == fires:
                state = "firing" if fires else "inactive"
            else:
                since = since if state in ("pending", "recovering") else hour
                lasts = hour > since
                state = {(True, False): "pending", (True, True): "firing", (False, False): "recovering"}.get(
                    (holds, lasts), "inactive"
                )
            yield Told(end_of(hour), scope_of(shop), state, "judged", own, own - record, 2.0, record)


def edges(values: Values, kpi: str, shop: str) -> dict[int, bool]:
    """The hours at which there came to be many, or no longer were."""
    found, on = {}, False
    for hour in range(HOURS):
        value = values.get((kpi, shop, hour))
        if value is not None and (value > 9) != on:
            on = found[hour] = not on
    return found


def both(values: Values) -> Iterator[Told]:
    for shop in SHOPS:
        sides = [edges(values, kpi, shop) for kpi in ("visits", "booked")]
        firing = [False, False]
        for hour in sorted({*sides[0], *sides[1]}):
            firing = [side.get(hour, was) for side, was in zip(sides, firing, strict=True)]
            state = "firing" if all(firing) else "inactive"
            yield Told(end_of(hour), scope_of(shop), state, "judged", None, float(sum(firing)), 2.0, None)


def after(values: Values) -> Iterator[Told]:
    """On from a beginning of many visits, within six hours behind the latest of many bookings, to its end."""
    for shop in SHOPS:
        visits, booked = (edges(values, kpi, shop) for kpi in ("visits", "booked"))
        began, on = -99, False
        for hour in sorted({*visits, *booked}):
            on = visits.get(hour, on) and (on or hour - began <= 6)
            began = hour if booked.get(hour) else began
            steps = 2 if on else int(hour - began <= 6)
            state = "firing" if on else "inactive"
            yield Told(end_of(hour), scope_of(shop), state, "judged", None, float(steps), 2.0, None)


def easy(values: Values) -> Iterator[Told]:
    both_shops = [sum(values.get(("visits", shop, hour), 0.0) for shop in SHOPS) for hour in range(HOURS)]
    verdicts, on = naive_governance.always_green(both_shops, 1.0, 8), False
    for hour in sorted(verdicts):
        seen = both_shops[hour - 7 : hour + 1]
        usual = naive_governance.middle(seen)
        scatter = 1.4826 * naive_governance.middle([abs(value - usual) for value in seen])
        least = min(seen) - 1.0
        verdict = (least > 0 and least >= 0.5 * scatter) or (None if least > 0 and least >= 0.25 * scatter else False)
        on = on if verdict is None else verdict
        state = "firing" if on else "inactive"
        yield Told(end_of(hour), "{}", state, "judged", both_shops[hour], least, 0.5 * scatter, 1.0)


TWINS = {"books": books, "both": both, "after": after, "easy": easy}


@pytest.mark.parametrize("keep", [1, 7, 300])
@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_the_twin_however_many_are_asked_for(seed: int, keep: int):
    draw = Random(f"joined-{seed}")
    values = drawn(draw)
    found = listed(told_late(values, draw), keep)
    for name, twin in TWINS.items():
        wanted = sorted(twin(values), key=lambda told: told.series)
        wanted.sort(key=lambda told: told.time, reverse=True)
        assert len(found[name]) == min(keep, len(wanted)), name
        for one, other in zip(found[name], wanted, strict=False):
            assert [getattr(one, field) for field in Told._fields] == pytest.approx(list(other)), name


def test_the_twins_say_something_of_everything():
    values = drawn(Random("joined-0"))
    assert {told.state for told in books(values)} == {"inactive", "pending", "firing", "recovering"}
    assert {told.outcome for told in books(values)} == {"judged", "not_known"}
    for twin in (both, after, easy):
        assert {told.state for told in twin(values)} == {"inactive", "firing"}
    assert {told.statistic for twin in (both, after) for told in twin(values)} == {0.0, 1.0, 2.0}


def test_a_rule_that_is_another_begins_anew_and_the_others_go_on():
    declared = conflict()
    before = rule_set(rule("clash", "traffic", declared), rule("other", "traffic", declared))
    changed = rule("clash", "traffic", declared, fingerprint="another")
    after_it = rule_set(changed, rule("other", "traffic", declared))
    world = World(before)
    world.sets[after_it.hash] = after_it
    told = world.stage.correlator.trace = JoinedEvaluations(100)
    for index in range(30):
        for name in ("clash", "other"):
            world.write(share("traffic", index, 100.0, name=name), 0)
            world.write(share("tickets", index, 10.0, name=name), 0)
        if index == 20:
            world.activate(1, after_it.hash, index + 1)
        world.tick(index + 1)
    world.run()
    counts = {name: len(list(told.of(world.stage.correlator, name, scope_of_c()))) for name in ("clash", "other")}
    assert counts == {"clash": 9, "other": 30}


def scope_of_c() -> str:
    return scope_key({"c": "a"})
