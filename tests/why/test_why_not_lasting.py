"""A conflict that holds, and not for as long as its `for`: the gate of the same name, with how long it has held."""

from __future__ import annotations

import msgspec
import pytest
from why_world import EVERY, START, Row, rules_with, take

from engine.model.time import MINUTE, format_time
from engine.offline.why.ask import ask
from engine.offline.why.files import History
from engine.offline.why.named import Named
from engine.offline.why.watch import Watch

LOAD, PAY = (8.0, 8.0, 4.0, 2.0, 1.0, 0.5), (1.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""From the third window on one improves and the other worsens by more than a fifth."""


@pytest.mark.parametrize(
    ("windows", "gate", "held"),
    [(2, "no_baseline", None), (3, "for", 0.0), (4, "for", 600.0), (5, "already_firing", None)],
)
def test_a_conflict_that_has_not_held_for_long_enough(windows: int, gate: str, held: float | None):
    plain = rules_with("conflict", poor=False)
    rules = tuple(
        msgspec.structs.replace(each, for_=20 * MINUTE) if each.id == "conflict" else each for each in plain.rules
    )
    series = Named("load", {"host": "a"})
    past = History(msgspec.structs.replace(plain, rules=rules), Watch("conflict", series.key), EVERY, (), None)
    rows = [
        Row(START + 10 * place * MINUTE + MINUTE, name, "a", values[place])
        for place in range(windows)
        for name, values in (("load", LOAD), ("pay", PAY))
    ]
    take(past, rows, 0)
    stop = START + (10 * windows + 25) * MINUTE
    past.tick_until(stop)
    answer = ask(past.standing, "conflict", series, stop)
    past.standing.close()
    if gate == "no_baseline":  # what it says of the usual levels is told elsewhere
        assert answer.gate not in (None, "for")
        return
    assert (answer.gate, answer.number) == (gate, held)
    if gate == "for":
        assert (answer.since, answer.limit) == (format_time(START + 30 * MINUTE), 1200.0)
        assert f"has held since {answer.since}, for " in answer.sentence
        assert answer.sentence.endswith("; it waits for 20 minutes.")
