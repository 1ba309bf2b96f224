"""Calendars as written: on which days and between which times people work."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from engine.model.time import DAY, HOUR, MINUTE, Micros
from engine.rules.spec.scalars import Date, Id, Spec, Text, Zone, refuse
from engine.rules.wording import choices, shown, suggestion

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_STRETCH: Final = re.compile(r"([0-9]{2}):([0-9]{2})\s*-\s*([0-9]{2}):([0-9]{2})\Z")
_HOURS: Final = "09:00-12:00, 13:00-17:00"

Week = tuple[tuple[tuple[Micros, Micros], ...], ...]
"""For each weekday, Monday first, stretches of local time since midnight."""


def _week(value: object) -> Week:
    if not isinstance(value, dict) or not value:
        raise refuse(
            "hours",
            expected="hours by weekday",
            found=shown(value),
            mend=f'write for instance `{{mon-fri: "{_HOURS}"}}`',
        )
    week: dict[int, tuple[tuple[Micros, Micros], ...]] = {}
    for key, text in value.items():
        days = _days(str(key))
        stretches = _stretches(text, str(key))
        for day in days:
            if day in week:
                raise refuse(
                    "hours",
                    expected="each weekday once",
                    found=f"{WEEKDAYS[day]} again",
                    mend="leave it out of one of the two; several stretches of a day stand in one text, with commas",
                    at=str(key),
                )
            week[day] = stretches
    return tuple(week.get(day, ()) for day in range(len(WEEKDAYS)))


def _days(key: str) -> list[int]:
    """`mon-fri`, `sat`, or several of them with commas."""
    days: list[int] = []
    for part in key.lower().split(","):
        first, _, last = (piece.strip() for piece in part.partition("-"))
        for name in filter(None, (first, last)) if first else (part,):
            if name not in WEEKDAYS:
                raise refuse(
                    "hours",
                    expected=f"a weekday ({choices(WEEKDAYS)}), or two like mon-fri",
                    found=shown(name),
                    mend=suggestion(name, WEEKDAYS, "use one of these"),
                    at=key,
                )
        days.extend(weekdays_from(first, last or first))
    return days


def weekdays_from(first: str, last: str) -> tuple[int, ...]:
    """From one weekday to another, Monday 0: `fri`, `mon` is Friday to Monday."""
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
    return tuple(day % len(WEEKDAYS) for day in range(begin, end + 1 + (len(WEEKDAYS) if end < begin else 0)))


def _stretches(text: object, key: str) -> tuple[tuple[Micros, Micros], ...]:
    pieces = text.split(",") if isinstance(text, str) else []
    found = [_stretch(piece.strip()) for piece in pieces]
    if not found or None in found:
        raise refuse(
            "hours",
            expected=f'times of day like "{_HOURS}"',
            found=shown(text),
            mend="write from-to in hours and minutes, up to 24:00; what goes past midnight is two stretches",
            at=key,
        )
    stretches = sorted(stretch for stretch in found if stretch is not None)
    if any(later[0] < earlier[1] for earlier, later in pairwise(stretches)):
        raise refuse(
            "hours", expected="stretches that do not overlap", found=shown(text), mend="make one of the two", at=key
        )
    return tuple(stretches)


def _stretch(text: str) -> tuple[Micros, Micros] | None:
    found = _STRETCH.match(text)
    if found is None:
        return None
    hour, minute, until_hour, until_minute = (int(digits) for digits in found.groups())
    start, end = hour * HOUR + minute * MINUTE, until_hour * HOUR + until_minute * MINUTE
    sound = max(minute, until_minute) * MINUTE < HOUR and start < end <= DAY
    return (start, end) if sound else None


class HolidaySpec(Spec):
    """A day on which nobody works, with its name for people."""

    date: Date = Field(description="On which nobody works", examples=["2026-12-25"])
    name: Text | None = Field(default=None, description="For people")


def _holiday(value: object) -> object:
    return value if isinstance(value, dict) else {"date": value}


Hours = Annotated[
    Week, PlainValidator(_week), WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}})
]
Holiday = Annotated[
    HolidaySpec,
    BeforeValidator(_holiday),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date"},
                {
                    "type": "object",
                    "properties": {
                        "date": {"type": "string", "format": "date", "description": "On which nobody works"},
                        "name": {"type": "string", "description": "For people"},
                    },
                    "required": ["date"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class CalendarSpec(Spec):
    """When people work: due times in business hours and days follow it."""

    kind: Literal["calendar"]
    id: Id = Field(description="What others refer to", examples=["office"])
    title: Text | None = Field(default=None, description="For people")
    zone: Zone = Field(description="Whose clock the hours are of", examples=["Europe/Berlin"])
    hours: Hours = Field(description="By weekday", examples=['{mon-fri: "09:00-12:00, 13:00-17:00"}'])
    holidays: list[Holiday] = Field(default_factory=list, description="Dates on which nobody works")
