"""The reference decoder: what it remembers of messages changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from reference_messages import Rows, decode

from engine.wire.columns import Rejected

NUMBERS = st.sampled_from(
    ["1", "-0", "-0.0", "1e5", "0.1", "1e400", "NaN", "true", "null", '"1"', "01", "1.", "9" * 30]
)
TIMES = st.sampled_from(
    [
        '"2013-02-08T05:00:00Z"',
        '"2013-02-08T05:00:07Z"',
        '"2013-02-08t05:00:07z"',
        '"2013-02-08T05:00:07.5+01:00"',
        "1360299600",
        "1360299600.5",
        "1e12",
        '"2013-02-08T05:00:07"',
        "null",
        '"2013-02-08T05:00:61Z"',
    ]
)
NAMES = st.sampled_from(["a", "b", "\\u0061", "é", "\\ud800", "x y", '\\"'])
PAIRS = st.lists(st.tuples(NAMES, NAMES), max_size=3)
MEMBERS = st.lists(
    st.one_of(
        st.tuples(st.just("kpi"), st.sampled_from(['"k"', '"\\u006b"', '"l"', "1", '""'])),
        st.tuples(st.just("time"), TIMES),
        st.tuples(st.just("value"), NUMBERS),
        st.tuples(st.just("dimensions"), PAIRS.map(lambda p: "{" + ",".join(f'"{n}": "{v}"' for n, v in p) + "}")),
        st.tuples(st.just("id"), st.sampled_from(['"i"', '""', "null", "3", '"é"', f'"{"x" * 257}"'])),
        st.tuples(st.just("source"), st.sampled_from(['"s"', "null", "3"])),
        st.tuples(st.just("provenance"), st.sampled_from(['"automated"', '"self_reported"', '"x"', "null"])),
        st.tuples(st.just("revision"), st.sampled_from(["0", "7", "-1", "1.0", "1.5", "3000000000"])),
        st.tuples(st.sampled_from(["", "x", "\\u0076alue"]), NUMBERS),
    ),
    max_size=4,
)
START = [("kpi", '"k"'), ("time", '"2013-02-08T05:00:00Z"'), ("value", "1")]


def written(members: list[tuple[str, str]]) -> bytes:
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in members) + "}").encode()


@given(st.lists(st.tuples(st.booleans(), MEMBERS), min_size=1, max_size=12))
def test_what_was_seen_before_never_changes_what_a_message_means(drawn: list[tuple[bool, list[tuple[str, str]]]]):
    """The quick way and the careful way agree: one decoder with a memory, and a new one for each message."""
    messages = []
    for complete, members in drawn:
        names = {name for name, _ in members}
        kept = [pair for pair in START if pair[0] not in names] if complete else START
        messages += [written(kept + members)] * 2
    rows = Rows()
    together = decode(*messages, rows=rows)[0]
    found: dict[int, Any] = {}
    for place, row in enumerate(zip(*(column.tolist() for column in together.columns[:8]), strict=True)):
        found[row[6] - 100] = (*row[:6], together.columns.id_length[place])
    for aside in together.asides:
        assert isinstance(aside, Rejected)
        found[aside.offset - 100] = (aside.error.reason, aside.error.path)
    for number, message in enumerate(messages):
        (alone,) = decode(message, rows=rows)
        if alone.asides:
            (aside,) = alone.asides
            assert isinstance(aside, Rejected)
            assert found[number] == (aside.error.reason, aside.error.path)
        else:
            columns = [column.tolist()[0] for column in alone.columns[:6]]
            assert repr(found[number]) == repr((*columns, alone.columns.id_length[0]))
