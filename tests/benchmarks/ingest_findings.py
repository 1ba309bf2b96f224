"""What the engine said, in the words of the brute-force answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from ingest_answer import Found

from engine.model.finding import Finding
from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from collections.abc import Iterable

_decoder = msgspec.json.Decoder(Finding)


def found_in(values: Iterable[bytes]) -> Counter[Found]:
    """The findings among the values of the findings topic. AssertionError for one that takes another back."""
    found: Counter[Found] = Counter()
    for value in values:
        if value.startswith(b'{"type":"finding"'):
            finding = _decoder.decode(value)
            assert finding.status == "new", finding
            time = parse_own_time(finding.event_time)
            found[Found(finding.rule, finding.transition, finding.dimensions["host"], time, finding.value)] += 1
    return found


def require_equal(found: Counter[Found], expected: Counter[Found]) -> None:
    """AssertionError, with a few of each, when something is missing or too much."""
    missing, extra = expected - found, found - expected
    assert not missing + extra, (
        f"{missing.total()} of {expected.total()} transitions were not found, {extra.total()} others were; "
        f"missing {list(missing)[:3]}, extra {list(extra)[:3]}"
    )
