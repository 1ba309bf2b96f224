"""Which gate stopped a rule: on a thousand questions the answer is that of a twin that judges everything anew."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from naive_why import NaiveWhy
from why_world import RULES, Row, answers, history

from engine.model.time import MINUTE, format_time
from engine.offline.why.gates import GATES, MEANINGS
from engine.offline.why.named import Named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros
    from engine.offline.why.gates import Answer

    Wanted = tuple[str | None, float | None, Micros | None]

RARE = (
    *("anomaly", "anomaly", "anomaly-large", "flaps", "grouped", "long", "settles", "settles"),
    *("conflict-often", "conflict-often", "flaps", "flaps", "flaps", "limited", "often", "often", "shadowed"),
)
"""Of some gates it takes more questions until one is shut."""
NAMES = (*(rule.id for rule in RULES), "nix", *RARE) * 3 + RARE * 3
REVIEWED = (
    "flaps",
    "goes-on",
    "grouped",
    "limited",
    "settles",
    "hushed",
    "inhibited",
    "missing",
    "conflict",
    "conflict-often",
)
"""Their reviews are looked at: late rows would change what was said of them."""
BUSY = ("flaps", "goes-on", "grouped", "settles")
"""Of these alerts come and go, and the questions follow at once."""
PARTS, STOPS = 4, 9
PAGE = Path(__file__).parents[2] / "docs" / "why-not.md"


def question(random: Random, name: str) -> tuple[Named, list[Row], list[Micros]]:
    """A series, a history, and times within and after it."""
    host = random.choice(["a", "a", "a", "b", "silent", "nix"] if random.random() < 0.3 else ["a", "b"])
    kpi = "pay" if random.random() < 0.04 else "load"
    if name.startswith("conflict"):
        host = random.choice("ab")
    rows = history(
        random,
        late=name not in REVIEWED and not name.startswith("composite"),
        least=60 if name.startswith("anomaly") else 3,
        turns=0.4 if name in BUSY else 0.01 if name.startswith("anomaly") else 0.12,
    )
    own = [row.time for row in rows if (row.kpi, row.host) == (kpi, host)] or [row.time for row in rows]
    after = [1, 1, 2] if name in BUSY else [1, 4, 7, 11, 19, 70]
    stops = sorted(random.choice(own) + random.choice(after) * MINUTE for _ in range(STOPS))
    return Named(kpi, {"host": host}), rows, stops


def expected(rows: Sequence[Row], name: str, series: Named, stops: Sequence[Micros], variant: str) -> list[Wanted]:
    twin, done, found = NaiveWhy(name, variant), 0, []
    for stop in stops:
        upto = next((place for place, row in enumerate(rows) if row.time > stop), len(rows))
        for number in range(done, upto):
            twin.row(number, rows[number])
        done = upto
        twin.until(stop)
        found.append(twin.gate(str(series.kpi), series.dimensions["host"], stop))
    return found


def assert_same(found: Answer, wanted: Wanted) -> None:
    gate, number, since = wanted
    assert found.gate == gate, found
    if number is not None:
        assert found.number == pytest.approx(number, rel=1e-6, abs=1e-9), found
    if since is not None:
        assert found.since == format_time(since), found


@pytest.mark.slow
def test_it_is_the_gate_that_a_brute_force_evaluator_stops_at_and_every_gate_is_among_them():
    hits: Counter[str] = Counter()
    for part in range(PARTS):
        random = Random(f"why-{part}")
        for name in NAMES[part::PARTS]:
            variant = random.choice(["plain", "plain", "plain", "full", "historical", "poor"])
            if name in BUSY or (variant == "historical" and name in REVIEWED):
                variant = "plain"
            series, rows, stops = question(random, name)
            wanted = expected(rows, name, series, stops, variant)
            for found, each in zip(answers(rows, name, series, stops, variant), wanted, strict=True):
                assert_same(found, each)
                hits[str(found.gate)] += 1
    assert hits.total() >= 1_000
    assert set(hits) - {"None"} == set(GATES)


def test_every_gate_has_its_meaning_and_its_line_in_the_documentation():
    assert tuple(MEANINGS) == GATES
    table = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert table[: len(GATES)] == list(MEANINGS.items())
