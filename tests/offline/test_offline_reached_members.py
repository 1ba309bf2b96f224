"""What a test reaches of a composite: a table by hand of who fires when, and the members that decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.offline.episodes import Episode
from engine.offline.reached_members import OUT_OF_ORDER, members_reached, members_to_reach
from engine.rules.resolved.condition import Composite

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL = Composite("all", ("a", "b"), ("site",))
ANY = Composite("any", ("a", "b"), ("site",))
TWO = Composite("at_least", ("a", "b", "c"), ("site",), count=2)
NOT = Composite("all", ("a",), ("site",), without=("w",))
ABSENT = Composite("all", ("a",), ("site",), absent=("x",), within=9)
SEQUENCE = Composite("sequence", ("a", "b"), ("site",), without=("w",), within=9)


def drawn(rows: Mapping[str, str], scope: str = '{"site":"s"}') -> dict[tuple[str, str], list[Episode]]:
    """A row a rule, a column a moment: `#` where it fires."""
    found: dict[tuple[str, str], list[Episode]] = {}
    for rule, row in rows.items():
        turns = [(at, now) for at, (was, now) in enumerate(zip(f".{row}", f"{row}.", strict=True)) if was != now]
        begins, ends = [at for at, now in turns if now == "#"], [at for at, now in turns if now == "."]
        if begins:
            found[rule, scope] = [Episode(one, other, "") for one, other in zip(begins, ends, strict=True)]
    return found


@pytest.mark.parametrize(
    ("condition", "rows", "reached"),
    [
        (ALL, {"a": ".....", "b": "....."}, set()),
        (ALL, {"a": ".##..", "b": "....."}, {"b off"}),
        (ALL, {"a": ".##..", "b": "...#."}, {"b off", "a off"}),
        (ALL, {"a": ".##..", "b": "..##."}, {"b off", "a off", "a on", "b on"}),
        (ALL, {"a": ".##..", "b": ".##.."}, {"a on", "b on"}),
        (ANY, {"a": ".....", "b": "....."}, {"a off", "b off"}),
        (ANY, {"a": ".##..", "b": ".##.."}, {"a off", "b off"}),
        (ANY, {"a": ".###.", "b": ".##.."}, {"a off", "b off", "a on"}),
        (TWO, {"a": ".#...", "b": ".#...", "c": "....."}, {"a on", "b on"}),
        (TWO, {"a": ".#...", "b": ".....", "c": "....."}, {"b off", "c off"}),
        (TWO, {"a": ".#...", "b": ".#...", "c": ".#..."}, set()),
        (NOT, {"a": ".##..", "w": "....."}, {"a on", "a off", "w off"}),
        (NOT, {"a": ".##..", "w": ".##.."}, {"a off", "w on"}),
        (NOT, {"a": ".....", "w": ".##.."}, {"a off"}),
        (ABSENT, {"a": ".##..", "x": ".....", "told": "..#.."}, {"a on", "a off", "x off"}),
        (ABSENT, {"a": ".##..", "x": "..#.."}, {"a on", "a off", "x on"}),
        (ABSENT, {"a": ".....", "x": "..#.."}, {"a off"}),
        (SEQUENCE, {"a": ".##..", "b": "..##.", "told": "..##."}, {"a on", "b on", "w off"}),
        (SEQUENCE, {"a": "..##.", "b": ".##.."}, {OUT_OF_ORDER}),
        (SEQUENCE, {"a": ".##..", "b": "....."}, {"b off"}),
        (SEQUENCE, {"a": ".....", "b": "....."}, set()),
        (SEQUENCE, {"a": ".##..", "b": "..##.", "w": ".####"}, {"w on"}),
    ],
)
def test_a_member_is_reached_where_it_decides(condition: Composite, rows: Mapping[str, str], reached: set[str]):
    assert set(members_reached("told", condition, ['{"site":"s"}'], drawn(rows))) == reached
    assert reached <= set(members_to_reach(condition))


def test_members_in_different_scopes_do_not_fire_together():
    found = {**drawn({"a": ".##.."}), **drawn({"b": ".##.."}, '{"site":"t"}')}
    assert set(members_reached("told", ALL, (), found)) == {"a off", "b off"}


def test_any_series_of_a_scope_will_do():
    found = {**drawn({"a": ".##.."}, '{"page":"p","site":"s"}'), **drawn({"b": ".##.."}, '{"page":"q","site":"s"}')}
    assert set(members_reached("told", ALL, (), found)) == {"a on", "b on"}
