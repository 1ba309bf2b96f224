"""Maintenance as written: stretches of local time that come again, in which what begins to fire is expected."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from engine.model.time import DAY, HOUR, MINUTE, Micros
from engine.rules.spec.calendar import WEEKDAYS, weekdays_from
from engine.rules.spec.scalars import Date, Id, Spec, Text, Zone, exactly_one, refuse
from engine.rules.spec.template import KpisSpec  # noqa: TC001 - pydantic reads annotations at run time
from engine.rules.wording import shown

_TIME: Final = re.compile(r"([0-9]{2}):([0-9]{2})\Z")
_PART: Final = re.compile(
    r"(?:(?P<nth>[0-9]{1,2})(?:st|nd|rd|th)|(?P<last>last))?\s*(?P<day>[a-z]{3}(?:-[a-z]{3})?)?\Z"
)
_LAST_IN_MONTH: Final = 5
_DAYS_OF_MONTH: Final = 31


class Days(NamedTuple):
    """Dates: on one of these `weekdays` (Monday 0), where `nth` is not zero the nth of its month (-1: the last); or,
    without weekdays, the nth day of the month.
    """

    weekdays: tuple[int, ...] = ()
    nth: int = 0


def _every(value: object) -> tuple[Days, ...]:
    parts = value.split(",") if isinstance(value, str) else []
    found = [_days(part.strip().lower()) for part in parts]
    if not found or None in found:
        raise refuse(
            "days",
            expected='days like "day", "sun", "mon-fri", "1st sun", "last fri", "15th" or "last day"',
            found=shown(value),
            mend="write weekdays with three letters, days of the month as 1st to 31st, several with commas",
        )
    return tuple(each for each in found if each is not None)


def _days(text: str) -> Days | None:
    if text in ("day", "last day"):
        return Days(nth=-1) if text == "last day" else Days(tuple(range(len(WEEKDAYS))))
    found = _PART.match(text) if text else None
    if found is None:
        return None
    nth = -1 if found["last"] else int(found["nth"] or 0)
    if found["day"] is None:
        return Days(nth=nth) if 1 <= nth <= _DAYS_OF_MONTH else None
    weekdays = _weekdays(found["day"])
    no_nth = nth > _LAST_IN_MONTH or found["nth"] == "0" or (nth and len(weekdays) > 1)
    return None if not weekdays or no_nth else Days(weekdays, nth)


def _weekdays(text: str) -> tuple[int, ...]:
    """Of `sun` and `fri-mon`; none of what is no weekday."""
    first, _, last = text.partition("-")
    if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
        return ()
    return weekdays_from(first, last or first)


def _time_of_day(value: object) -> Micros:
    found = _TIME.match(value) if isinstance(value, str) else None
    time = -1 if found is None else int(found[1]) * HOUR + int(found[2]) * MINUTE
    if found is None or int(found[2]) * MINUTE >= HOUR or not 0 <= time <= DAY:
        raise refuse(
            "hours",
            expected='a time of day like "02:00"',
            found=shown(value),
            mend="write hours and minutes in quotes, up to 24:00",
        )
    return time


Every = Annotated[tuple[Days, ...], PlainValidator(_every), WithJsonSchema({"type": "string"})]
TimeOfDay = Annotated[
    Micros, PlainValidator(_time_of_day), WithJsonSchema({"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"})
]


class StretchSpec(Spec):
    """When: `every` such day or `on` one date from-to in `zone`, or outside the hours of a `calendar`."""

    reason: Text = Field(description="Why that is expected, for people", examples=["The index is built anew"])
    every: Every | None = Field(default=None, description="On which days", examples=["sun", '"1st sun"'])
    on: Date | None = Field(default=None, description="On one date", examples=["2026-12-24"])
    calendar: Id | None = Field(default=None, description="Whenever nobody works by this calendar", examples=["office"])
    from_: TimeOfDay | None = Field(
        default=None, alias="from", description="The time of day at which it begins, in quotes", examples=['"02:00"']
    )
    to: TimeOfDay | None = Field(
        default=None, description="On the next day where it is not after `from`", examples=['"04:00"']
    )
    zone: Zone | None = Field(default=None, description="Whose clock is meant", examples=["Europe/Berlin"])
    since: Date | None = Field(default=None, description="The first date on which one may begin")
    until: Date | None = Field(default=None, description="The last date on which one may begin")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        exactly_one(self, "maintenance", ("every", "on", "calendar"))
        clock = {"from": self.from_, "to": self.to, "zone": self.zone}
        for name, value in clock.items():
            if (value is None) != (self.calendar is not None):
                raise refuse(
                    "maintenance",
                    expected=f"`{name}` beside `every` and `on`, and not beside `calendar`",
                    found="none" if value is None else "one",
                    mend='write for instance `{every: sun, from: "02:00", to: "04:00", zone: Europe/Berlin}`',
                    at=name if value is not None else None,
                )
        self._in_order()
        if self._is_always():
            raise refuse(
                "maintenance",
                expected="some time in which somebody is told",
                found="every day, from midnight to midnight",
                mend="write `mode: shadow` of rules that nobody is to hear of",
            )
        return self

    def _is_always(self) -> bool:
        whole = (self.from_, self.to) == (0, DAY) and self.until is None
        return whole and any(not each.nth and len(each.weekdays) == len(WEEKDAYS) for each in self.every or ())

    def _in_order(self) -> None:
        if self.from_ is not None and self.from_ == self.to:
            raise refuse(
                "maintenance",
                expected="a time other than `from`",
                found="the same",
                mend='write `from: "00:00"` and `to: "24:00"` for whole days',
                at="to",
            )
        if self.since is not None and self.until is not None and self.until < self.since:
            raise refuse(
                "maintenance", expected="a date from `since` on", found=self.until, mend="swap the two", at="until"
            )


class MaintenanceSpec(Spec):
    """What is planned, said once for many rules: those of `rules`, and those on KPIs that `kpis` means."""

    kind: Literal["maintenance"]
    id: Id = Field(description="What others refer to", examples=["index-nights"])
    title: Text | None = Field(default=None, description="For people")
    rules: list[Id] = Field(default_factory=list, description="Rules that are meant")
    kpis: KpisSpec | None = Field(default=None, description="Rules on these KPIs are meant", examples=["{owner: ops}"])
    when: list[StretchSpec] = Field(min_length=1, description="Stretches of time")
