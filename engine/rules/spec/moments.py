"""Times in rule tests: written out, or counted from the start of the test."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from engine.errors import WireError
from engine.model.time import Micros
from engine.rules.spec.scalars import duration, refuse
from engine.rules.wording import shown
from engine.wire.times import parse_time

EXAMPLE = "2026-01-05T00:00:00Z"
_PART: Final = "[0-9]{1,9}[smhdw]"
SINCE: Final = rf"^({_PART})+$"
"""Since the start of a test, added up: `3d12h`."""


class Moment(NamedTuple):
    """A time as written: microseconds since the start of the test, or since the epoch."""

    micros: Micros
    relative: bool

    def at(self, start: Micros) -> Micros:
        """The time that it is in a test that starts at `start`."""
        return start + self.micros if self.relative else self.micros


def _time(value: object) -> Micros:
    try:
        if isinstance(value, str):
            return parse_time(value)
    except WireError:
        pass  # said below, with what is no text at all
    raise refuse(
        "time",
        expected=f"a time with its offset, like {EXAMPLE}",
        found=shown(value),
        mend="write RFC 3339: date, T, time, and Z or an offset such as +01:00",
    )


def _moment(value: object) -> Moment:
    if isinstance(value, str) and value[:4].isdigit() and value[4:5] == "-":
        return Moment(_time(value), relative=False)
    parts = re.findall(_PART, value) if isinstance(value, str) and re.match(SINCE, value) else [value]
    try:
        return Moment(sum(duration(part) for part in parts), relative=True)
    except PydanticCustomError as error:
        raise refuse(
            "time",
            expected="a duration since the start like `2h` or `3d12h`, or a time",
            found=shown(value),
            mend=f"write a whole number and a unit, or RFC 3339 like {EXAMPLE}",
        ) from error


Time = Annotated[Micros, PlainValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
AtMoment = Annotated[
    Moment,
    PlainValidator(_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": SINCE}, {"type": "string", "format": "date-time"}]}),
]
