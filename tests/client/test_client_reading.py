"""A client that is older than the engine reads what it can, and says of the rest why not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from review_topics import trigger

from engine.client.reading import read_trigger
from engine.errors import WireError
from engine.model.records import ReviewCommand
from engine.model.trigger import CadenceEvidence
from engine.wire.encode import encode_record

CADENCE = CadenceEvidence({}, "delay", 1, "2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z", None, "r")
COMMAND = ReviewCommand(id="c", review="review", who="ann", time="2026-01-05T10:00:00Z", action="acknowledge")


def written(event: dict[str, Any] | None = None, data: dict[str, Any] | None = None) -> bytes:
    """A trigger as a newer engine writes it: with other fields in the event, or in its data."""
    known = msgspec.to_builtins(trigger(1, evidence=CADENCE, moved_by=COMMAND))
    return msgspec.json.encode(known | (event or {}) | {"data": known["data"] | (data or {})})


def test_a_trigger_of_this_version_is_read_whole():
    whole = trigger(1, 3, "overdue", evidence=CADENCE, moved_by=COMMAND, dimensions={"origin": "EWR"})
    assert read_trigger(encode_record(whole)) == whole


def test_fields_that_are_not_known_are_passed_over():
    read = read_trigger(written({"traceparent": "00-1"}, {"mood": "calm", "digests": {"new": "1"}}))
    assert (read.data.evidence, read.data.moved_by) == (CADENCE, COMMAND)


def test_a_transition_that_is_not_known_is_a_trigger_all_the_same():
    assert read_trigger(written({"type": "counterpoint.review.applauded.v1"})).data.review == trigger(1).data.review


@pytest.mark.parametrize(
    ("data", "evidence", "moved_by"),
    [
        ({"evidence": {"type": "hunch", "strength": 3}}, None, COMMAND),
        ({"moved_by": {"type": "moon"}}, CADENCE, None),
        ({"evidence": {"type": "hunch"}, "moved_by": {"type": "moon"}}, None, None),
    ],
)
def test_evidence_and_causes_of_a_kind_that_is_not_known_are_null(
    data: dict[str, Any], evidence: CadenceEvidence | None, moved_by: ReviewCommand | None
):
    read = read_trigger(written(data=data)).data
    assert (read.evidence, read.moved_by) == (evidence, moved_by)
    assert (read.review, read.owner, read.explanation) == (trigger(1).data.review, "ops", "Review 1.")


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff",
        b"{}",
        b"[1]",
        b'{"data": 3}',
        written({"type": "overdue"}),
        written({"type": "counterpoint.review.opened.v2"}),
        written({"type": "counterpoint.invoice.opened.v1"}),
        written(data={"ordinal": "first"}) + b"]",
        written(data={"severity": "apocalyptic"}),
        written(data={"ordinal": "first"}),
    ],
)
def test_anything_else_is_refused_with_its_reason(value: bytes | None):
    with pytest.raises(WireError, match="bad_trigger") as refused:
        read_trigger(value)
    assert len(refused.value.detail) > len("expected a review trigger: ")
