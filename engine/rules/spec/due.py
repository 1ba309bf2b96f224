"""How soon something is due, as written: on the clock (`4h`), or in the working time of a calendar."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import PlainValidator, WithJsonSchema

from engine.model.time import HOUR, MINUTE, Micros
from engine.rules.spec.scalars import DURATION, refuse, span
from engine.rules.wording import shown

_BUSINESS: Final = r"^[0-9]{1,5} business (minute|hour|day)s?$"
_UNITS: Final = {"minute": MINUTE, "hour": HOUR}


class DueIn(NamedTuple):
    """`micros` on the clock, or of working time (`business`), or so many working `days`."""

    micros: Micros = 0
    days: int = 0
    business: bool = False


def _due(value: object) -> DueIn:
    found = re.match(_BUSINESS, value) if isinstance(value, str) else None
    if not isinstance(value, str) or found is None:
        return _on_the_clock(value)
    number = int(value.split(" ", 1)[0])
    if number == 0:
        raise refuse(
            "duration", expected="a time above zero", found="zero", mend="write for instance `4 business hours`"
        )
    if found[1] == "day":
        return DueIn(days=number, business=True)
    return DueIn(micros=number * _UNITS[found[1]], business=True)


def _on_the_clock(value: object) -> DueIn:
    if isinstance(value, str) and "business" in value:
        raise refuse(
            "duration",
            expected="working time like `4 business hours` or `2 business days`",
            found=shown(value),
            mend="write a whole number, the word business, and minutes, hours or days",
        )
    return DueIn(micros=span(value))


Due = Annotated[
    DueIn,
    PlainValidator(_due),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": DURATION}, {"type": "string", "pattern": _BUSINESS}],
            "examples": ["4h", "2d", "4 business hours", "2 business days"],
        }
    ),
]


def check_calendar(calendar: str | None, **dues: DueIn | None) -> None:
    """Working time needs a calendar beside it; PydanticCustomError at the first of `dues` that lacks it."""
    for name, due in dues.items():
        if due is not None and due.business and calendar is None:
            raise refuse(
                "no-calendar",
                expected="a `calendar` beside business time",
                found="none",
                mend="add `calendar: <id of a calendar>`, or write hours on the clock like `4h`",
                at=name,
            )
