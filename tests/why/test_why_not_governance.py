"""Why a governance rule did not fire: on a thousand questions the limit that a twin over whole lists does not pass."""

from __future__ import annotations

import json
import random
import re
from calendar import monthrange
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import naive_governance as naive
import naive_governed
import pytest
from governed_world import CATALOGUE, WEEK, Driven, merged, restated, rules_of, week, with_target
from naive_governed import Shut
from typer.testing import CliRunner

from engine.cli.main import app
from engine.model.records import Signal
from engine.model.time import DAY, HOUR, format_time, parse_own_time
from engine.offline.why.of_governance import governance_stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.offline.why.gates import Stop

WORLDS = 8
LONG = 40
GRACED = ("unit: visits\naggregation: sum", "unit: visits\ngrace: 70d\naggregation: sum")
Asked = tuple["Stop | None", "Shut | None", bool]
"""What is answered, what the twin says, and whether the alert is on."""


def asked(driven: Driven, number: int) -> Stop | None:
    return governance_stop(driven.rules.rule_by_id["told"], driven.rules, driven.watch, week(number) + HOUR)


def level(chance: random.Random, usual: float, scatter: float) -> list[float]:
    return [usual + chance.gauss(0, scatter) for _ in range(LONG)]


def is_on(verdicts: dict[int, bool | None], number: int) -> bool:
    found = naive.turns({at: verdict for at, verdict in verdicts.items() if at <= number})
    return len(found.begins) > len(found.ends)


def of_always_green(chance: random.Random) -> Iterator[Asked]:
    count, target = 10, chance.choice([85.0, 92.0, 97.0])
    driven = Driven(with_target(rules_of("{always_green: {windows: 10}}"), value=target))
    values = level(chance, 100.0, chance.choice([0.5, 2.0, 4.0]))
    own = merged(values)
    for number in range(LONG):
        driven.week(number, {"visits": values[number]})
        shut = naive_governed.always_green(own[: number + 1], target, count)
        yield asked(driven, number), shut, is_on(naive.always_green(own, target, count), number)


def of_green_over_falling(chance: random.Random) -> Iterator[Asked]:
    driven = Driven(rules_of("{green_over_falling: {windows: 12}}", kpi="kept"))
    loss, count = chance.choice([0.0, 0.3, 0.8, 2.0]), 12
    outcome = [value - loss * at for at, value in enumerate(level(chance, 100.0, chance.choice([0.1, 2.0])))]
    board = {"visits": level(chance, chance.choice([105.0, 130.0, 130.0]), 4.0), "trials": level(chance, 50.0, 4.0)}
    own, cells = merged(outcome), {100.0: merged(board["visits"]), 40.0: merged(board["trials"])}
    verdicts = naive.green_over_falling(own, cells, count)
    for number in range(LONG):
        driven.week(number, {"kept": outcome[number], **{kpi: values[number] for kpi, values in board.items()}})
        seen = {target: values[: number + 1] for target, values in cells.items()}
        shut = naive_governed.green_over_falling(own[: number + 1], seen, count, 0.9)
        yield asked(driven, number), shut, is_on(verdicts, number)


def of_vanity(chance: random.Random) -> Iterator[Asked]:
    driven = Driven(rules_of("{vanity: {windows: 24, outcome: kept, lag: 1, below: 0.5}}"))
    visits, apart = level(chance, 100.0, 3.0), level(chance, 50.0, 1.5)
    led = chance.choice([0.0, 0.3, 0.8])
    kept = [value + led * (visits[max(0, at - 1)] - 100) for at, value in enumerate(apart)]
    own, followed = merged(visits), merged(kept)
    verdicts = naive.vanity(own, followed, 24, 1, 0.5)
    for number in range(LONG):
        driven.week(number, {"visits": visits[number], "kept": kept[number]})
        shut = naive_governed.vanity(own[: number + 1], followed[: number + 1], 24, 1, 0.5)
        yield asked(driven, number), shut, is_on(verdicts, number)


def of_restated(chance: random.Random) -> Iterator[Asked]:
    near = None
    fields = "windows: 30, changed: 8"
    if chance.random() < 0.5:
        fields += ", period: month, near: 7d"
        begins = [date.fromisoformat(format_time(week(number) - WEEK)[:10]) for number in range(LONG)]
        near = {number for number, day in enumerate(begins) if monthrange(day.year, day.month)[1] - day.day < 7}
    driven = Driven(rules_of(f"{{restated_in_favour: {{{fields}}}}}", "visits", GRACED))
    values, better, size = level(chance, 100.0, 3.0), chance.choice([0.5, 0.8, 1.0]), chance.choice([0.005, 0.1])
    said = [
        naive.Said(window + chance.randrange(1, 8), window, values[window] * size * sign)
        for window in range(LONG)
        if chance.random() < 0.5
        for sign in [1 if chance.random() < better else -1]
    ]
    verdicts = naive.restated_in_favour(values, said, 30, near, least=8)
    now, revisions = list(values), dict.fromkeys(range(LONG), 0)
    for number in range(LONG):
        records = []
        for each in said:
            if each.at == number:
                now[each.window] += each.change
                revisions[each.window] += 1
                records += restated("visits", each.window, now[each.window], revisions[each.window])
        driven.week(number, {"visits": values[number]}, records)
        shut = naive_governed.restated_in_favour(values[: number + 1], said, 30, near, 8)
        yield asked(driven, number), shut, is_on(verdicts, number)


def of_set_and_forget(chance: random.Random) -> Iterator[Asked]:
    rules = rules_of("{set_and_forget: {after: 90d}}")
    dated = chance.random() < 0.5
    driven = Driven(with_target(rules, reviewed="2025-12-20") if dated else rules)
    looked = parse_own_time("2025-12-20T00:00:00Z") if dated else None
    for number in range(LONG):
        driven.week(number, {"visits": 120.0})
        now = week(number) + HOUR
        looked = now if looked is None else looked
        shut = naive_governed.set_and_forget(looked, now, 90 * DAY)
        yield asked(driven, number), shut, shut is None
        if chance.random() < 0.08:
            reviews = dated or chance.random() < 0.5
            changes = {"reviewed": format_time(now)[:10]} if reviews else {"value": 200.0 + number}
            looked, dated = (now // DAY * DAY if reviews else now), reviews
            driven.activate(number, with_target(driven.rules, **changes))


def of_milestones(chance: random.Random) -> Iterator[Asked]:
    step = "{title: Half more visits, by: 2027-07-01, kpi: visits, value: 150}"
    due, proof = format_time(week(chance.randrange(5, 50)))[:10], chance.choice([110.0, 140.0])
    done = format_time(week(chance.randrange(5, 50)))[:10] if chance.random() < 0.5 else None
    mine = f"title: Some more, by: {due}, kpi: visits, value: {proof}" + (f", done: {done}" if done else "")
    driven = Driven(rules_of("{unproven_milestone: {}}", "visits", (step, f"{step}\n  - {{{mine}}}")))
    values = [value + 1.2 * at for at, value in enumerate(level(chance, 100.0, 6.0))]
    own = merged(values)
    for number in range(LONG):
        driven.week(number, {"visits": values[number]})
        steps = [("2027-07-01", 150.0, None), (due, proof, done)]
        shut = naive_governed.unproven_milestone(own[: number + 1], steps, week(number) + HOUR)
        yield asked(driven, number), shut, shut is None


def of_goalposts(chance: random.Random) -> Iterator[Asked]:
    driven, firing, on = Driven(rules_of("{moved_goalposts: {}}")), False, False
    for number in range(LONG):
        turns = chance.random() < 0.3
        firing ^= turns
        state = "firing" if firing else "inactive"
        said = [Signal("told", "{}", "low", "visits{}", f"f{number}", state, format_time(week(number)), 0, revision=0)]
        driven.week(number, {}, said if turns else [])
        on = on and firing
        yield asked(driven, number), Shut("within_bounds", float(firing), 0.0), on
        if chance.random() < 0.15:
            driven.activate(number, with_target(driven.rules, value=200.0 + number))
            on = on or firing


CONDITIONS = {
    "always_green": of_always_green,
    "green_over_falling": of_green_over_falling,
    "vanity": of_vanity,
    "restated_in_favour": of_restated,
    "set_and_forget": of_set_and_forget,
    "unproven_milestone": of_milestones,
    "moved_goalposts": of_goalposts,
}


def test_it_is_the_limit_that_a_brute_force_evaluator_stops_at():
    asked_of: Counter[str] = Counter()
    gates: dict[str, set[str]] = {}
    for name, world in CONDITIONS.items():
        for seed in range(WORLDS):
            for stop, shut, on in world(random.Random(f"{name} {seed}")):
                asked_of[name] += 1
                gates.setdefault(name, set()).add("on" if on else str(stop and stop.gate))
                assert (stop is None) is on, (name, stop, shut)
                if stop is None:
                    continue
                assert shut is not None, (name, stop)
                assert stop.gate == shut.gate, (name, stop, shut)
                assert stop.number == pytest.approx(shut.number, rel=1e-6, abs=1e-9), (name, stop, shut)
                if name != "moved_goalposts":
                    assert stop.limit == pytest.approx(shut.limit, rel=1e-6), (name, stop, shut)
                assert stop.value
                assert stop.needed
    assert asked_of.total() >= 1_000
    assert gates == {
        "always_green": {"warm_up", "within_bounds", "minimum_effect", "on"},
        "green_over_falling": {"warm_up", "within_bounds", "minimum_effect", "on"},
        "vanity": {"warm_up", "within_bounds", "on"},
        "restated_in_favour": {"warm_up", "within_bounds", "minimum_effect", "on"},
        "set_and_forget": {"within_bounds", "on"},
        "unproven_milestone": {"within_bounds", "on"},
        "moved_goalposts": {"within_bounds", "on"},
    }


GOLDEN = Path(__file__).parent / "golden" / "governance.txt"
RULES = {
    "board-green": ("kept", "{green_over_falling: {windows: 12}}"),
    "cannot-miss": ("visits", "{always_green: {windows: 12}}"),
    "corrected-up": ("visits", "{restated_in_favour: {windows: 12, changed: 8}}"),
    "forgotten": ("visits", "{set_and_forget: {after: 365d}}"),
    "leads-nowhere": ("visits", "{vanity: {windows: 24, outcome: kept}}"),
    "moved": ("visits", "{moved_goalposts: {}}"),
    "unproven": ("visits", "{unproven_milestone: {}}"),
}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    catalogue = CATALOGUE.replace(*GRACED).replace("by: 2030-12-31}", "by: 2030-12-31, reviewed: 2025-12-01}", 1)
    rules = "".join(
        f"---\nkind: rule\nid: {name}\ntitle: {name}\nkpi: {kpi}\ncondition: {{governance: {condition}}}\n"
        for name, (kpi, condition) in RULES.items()
    )
    (tmp_path / "rules.yaml").write_text(catalogue + rules, "utf-8")
    chance = random.Random("rows")
    rows = [
        {"kpi": kpi, "time": format_time(week(number) - DAY), "value": value, "dimensions": {"shop": shop}}
        for number in range(26)
        for kpi, usual in (("visits", 57.0), ("trials", 30.0), ("kept", 50.0))
        for shop in ("a", "b")
        for value in [round(usual + chance.gauss(0, 4), 1)]
    ]
    (tmp_path / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return ["--rules", str(tmp_path / "rules.yaml"), "--input", str(tmp_path / "rows.ndjson"), "--ticks", "1d"]


def test_answers_are_those_of_the_golden_file(files: list[str], *, update_golden: bool):
    asked = [*((name, "2026-07-10T00:00:00Z") for name in RULES), ("leads-nowhere", "2026-03-20T00:00:00Z")]
    told = []
    for name, at in asked:
        done = CliRunner().invoke(app, ["why-not", name, "{}", "--at", at, *files])
        assert done.exit_code == 0, done.output
        told.append(f"$ counterpoint why-not {name} {{}} --at {at}\n{done.output}".rstrip() + "\n\n")
    text = re.sub(r" +$", "", "".join(told), flags=re.MULTILINE)
    if update_golden:
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")
