"""The small values of rule files: durations, shares, ids, time zones, dates; each says how it is written."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from engine.model.time import DAY, HOUR, MINUTE, SECOND
from engine.rules import calendar
from engine.rules.wording import choices, nearest, shown

_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
DURATION: Final = r"^[0-9]{1,9}[smhdw]$"
_PERCENT: Final = r"^[0-9]+(\.[0-9]+)?%$"
_LONGEST: Final = 36_525 * DAY


class Spec(BaseModel):
    """What every declaration has in common: unknown fields are errors, and text is never taken for a number."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


def refuse(code: str, *, expected: str, found: str, mend: str, at: str | None = None) -> PydanticCustomError:
    """An error that becomes a problem as it stands; `at` names a field within the refused value to point to."""
    context: dict[str, Any] = {"expected": expected, "found": found, "mend": mend, "at": at}
    return PydanticCustomError(code, "expected {expected}, found {found}; {mend}", context)


def exactly_one(spec: Spec, code: str, names: tuple[str, ...]) -> None:
    """Raise unless exactly one of these fields is there."""
    given = [name for name in names if getattr(spec, name) is not None]
    if len(given) == 1:
        return
    words = [name.rstrip("_") for name in given]
    raise refuse(
        code,
        expected=f"exactly one of {choices(name.rstrip('_') for name in names)}",
        found=" and ".join(words) or "none of them",
        mend=f"keep one of the {len(words)}" if words else "add one",
        at=words[1] if words else None,
    )


class Amount(NamedTuple):
    """A change as written: `5%` is relative and 0.05, `5` is absolute."""

    value: float
    relative: bool


def duration(value: object) -> int:
    """A duration in microseconds; PydanticCustomError for anything else."""
    if isinstance(value, str) and re.match(DURATION, value):
        micros = int(value[:-1]) * _UNITS[value[-1]]
        if micros <= _LONGEST:
            return micros
    mend = "write a whole number and one of the units s, m, h, d and w"
    if type(value) is int:
        mend = f"add a unit: `{value}s`, `{value}m`, `{value}h`, `{value}d` or `{value}w`"
    raise refuse("duration", expected="a duration like `90s`, `15m` or `2d`", found=shown(value), mend=mend)


def span(value: object) -> int:
    """A duration above zero, in microseconds; PydanticCustomError for anything else."""
    micros = duration(value)
    if micros <= 0:
        raise refuse("duration", expected="a duration above zero", found="zero", mend="write for instance `60s`")
    return micros


def _share(value: object) -> float:
    if isinstance(value, str) and re.match(_PERCENT, value):
        return float(value[:-1]) / 100
    if type(value) in (int, float) and 0 <= float(str(value)) <= 1:
        return float(str(value))
    mend = "write a percentage, or a number from 0 to 1"
    if type(value) in (int, float) and float(str(value)) > 1:
        mend = f"write `{value}%` if percent are meant"
    raise refuse("share", expected="a share like `5%` or 0.05", found=shown(value), mend=mend)


def _amount(value: object) -> Amount:
    if isinstance(value, str) and re.match(_PERCENT, value):
        return Amount(float(value[:-1]) / 100, relative=True)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return Amount(float(value), relative=False)
    raise refuse(
        "amount",
        expected="a change like `5%` (relative) or 5 (in the KPI's unit)",
        found=shown(value),
        mend="write it without a sign: `up` and `down` say the direction",
    )


def _zone(value: object) -> str:
    if isinstance(value, str) and calendar.zone_exists(value):
        return value
    names = calendar.zone_names()
    close = nearest(value, {name.lower() for name in names})
    meant = next((name for name in sorted(names) if name.lower() == close), None)
    mend = f'did you mean "{meant}"?' if meant else "use a name of the IANA time zone database"
    raise refuse("time-zone", expected="a time zone like `America/New_York`", found=shown(value), mend=mend)


def _date(value: object) -> str:
    try:
        if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass  # said below, with what is not text at all
    raise refuse("date", expected="a date like `2026-12-31`", found=shown(value), mend="write year-month-day")


PERIOD_ENDS: Final = ("month-end", "quarter-end", "year-end")
"""Deadlines that come again: the last day of each month, quarter or year."""


def _deadline(value: object) -> str:
    if isinstance(value, str) and value in PERIOD_ENDS:
        return value
    try:
        return _date(value)
    except PydanticCustomError as error:
        raise refuse(
            "date",
            expected=f"a date like `2026-12-31`, or {one_of(*PERIOD_ENDS)}",
            found=shown(value),
            mend="write year-month-day, or the period at whose end it is due",
        ) from error


def _one_owner(value: object) -> object:
    if isinstance(value, list):
        raise refuse(
            "several-owners",
            expected="exactly one owner",
            found=shown(value),
            mend="keep the one who answers for it; others can take part in a rule's review",
        )
    return value


def one_of(*names: str) -> str:
    """`one of a, b or c`, for messages."""
    return f"one of {choices(names)}"


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": DURATION, "examples": ["90s", "15m", "6h", "2d"]})
_SHARE_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": _PERCENT}]}
)
_AMOUNT_SCHEMA = WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _PERCENT}]})

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=200)]
Text = Annotated[str, Field(min_length=1)]
OneOwner = Annotated[Id, BeforeValidator(_one_owner)]
Duration = Annotated[int, PlainValidator(duration), _DURATION_SCHEMA]
Span = Annotated[int, PlainValidator(span), _DURATION_SCHEMA]
"""A duration above zero."""
Share = Annotated[float, PlainValidator(_share), _SHARE_SCHEMA]
Change = Annotated[Amount, PlainValidator(_amount), _AMOUNT_SCHEMA]
Zone = Annotated[str, PlainValidator(_zone), WithJsonSchema({"type": "string"})]
Date = Annotated[str, PlainValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
Deadline = Annotated[
    str,
    PlainValidator(_deadline),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"enum": list(PERIOD_ENDS)}]}),
]
Number = Annotated[float, Field(allow_inf_nan=False)]
