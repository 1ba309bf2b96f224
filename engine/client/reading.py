"""Review triggers as they stand on the topic, read by a client that may be older than the engine that wrote them."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.errors import WireError
from engine.model.trigger import ReviewTrigger

_TYPE_WORDS = ("counterpoint", "review", "v1")
_KINDS = (("evidence",), ("moved_by",), ("evidence", "moved_by"))
"""Parts of `data` that are of one of several kinds: a newer engine may know more of them."""

_decoder = msgspec.json.Decoder(ReviewTrigger)


class _Event(msgspec.Struct):
    """A trigger with its data as they come."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    data: dict[str, Any]


def read_trigger(value: bytes | None) -> ReviewTrigger:
    """A trigger. Fields that this version does not know are passed over; evidence or a cause of a kind that it does not
    know is null. WireError `bad_trigger` for anything else, and for events of another type than
    `counterpoint.review.*.v1`.
    """
    try:
        trigger = _decoder.decode(value or b"")
    except msgspec.ValidationError as error:
        trigger = _without_unknown_kinds(value or b"", error)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError("bad_trigger", f"expected a review trigger: {error}") from error
    words = trigger.type.split(".")
    if len(words) != len(_TYPE_WORDS) + 1 or (*words[:2], words[3]) != _TYPE_WORDS:
        raise WireError("bad_trigger", f"expected counterpoint.review.*.v1, found {trigger.type!r}", path="$.type")
    return trigger


def _without_unknown_kinds(value: bytes, error: msgspec.ValidationError) -> ReviewTrigger:
    try:
        event = msgspec.json.decode(value, type=_Event)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # it was not looked at beyond the first fault
        raise WireError("bad_trigger", f"expected a review trigger: {error}") from error
    for names in _KINDS:
        data = event.data | dict.fromkeys(names)
        try:
            return msgspec.convert({**msgspec.structs.asdict(event), "data": data}, ReviewTrigger)
        except msgspec.ValidationError:
            continue
    raise WireError("bad_trigger", f"expected a review trigger: {error}") from error
