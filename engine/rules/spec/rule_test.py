"""Rule tests as written: measurements, and what rules must say of them."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from engine.errors import WireError
from engine.model.time import Micros
from engine.rules.series_notation import Values, parse_values
from engine.rules.spec.scalars import DURATION, Id, Span, Spec, Text, duration, refuse
from engine.rules.wording import shown
from engine.wire.times import parse_time

_EXAMPLE = "2026-01-05T00:00:00Z"


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
        expected=f"a time with its offset, like {_EXAMPLE}",
        found=shown(value),
        mend="write RFC 3339: date, T, time, and Z or an offset such as +01:00",
    )


def _moment(value: object) -> Moment:
    if isinstance(value, str) and value[:4].isdigit() and value[4:5] == "-":
        return Moment(_time(value), relative=False)
    try:
        return Moment(duration(value), relative=True)
    except PydanticCustomError as error:
        raise refuse(
            "time",
            expected="a duration since the start like `2h`, or a time",
            found=shown(value),
            mend=f"write a whole number and a unit, or RFC 3339 like {_EXAMPLE}",
        ) from error


def _values(value: object) -> Values:
    text = str(value) if type(value) in (int, float) else value
    try:
        if isinstance(text, str):
            return parse_values(text)
        found = shown(value)
    except ValueError as error:
        found = str(error)
    raise refuse(
        "values",
        expected="values like `1 2 3x5 _ 9`",
        found=found,
        mend="write numbers, `_` for a gap and `xN` for N times, with spaces between",
    )


def _never(value: object) -> object:
    if value == "never" or isinstance(value, list):
        return value if isinstance(value, list) else []
    raise refuse(
        "values",
        expected="`never`, or a list of stretches",
        found=shown(value),
        mend="write for instance `[{from: 2h, to: 3h}]`",
    )


Time = Annotated[Micros, PlainValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
AtMoment = Annotated[
    Moment,
    PlainValidator(_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": DURATION}, {"type": "string", "format": "date-time"}]}),
]
SeriesValues = Annotated[
    Values, PlainValidator(_values), WithJsonSchema({"type": ["string", "number"], "examples": ["1 2 3x5 _ 9"]})
]


class MeasuredSpec(Spec):
    """One series: a value each `every` from `start` on."""

    kpi: Id = Field(examples=["support.tickets"])
    dimensions: dict[str, str] = Field(default_factory=dict)
    values: SeriesValues = Field(examples=["1 2 3x5 _ 9"])
    every: Span | None = Field(default=None, description="The test's unless said")
    start: AtMoment | None = Field(default=None, description="The test's unless said")
    source: Text | None = Field(default=None, description="The first of the KPI's sources unless said")
    sent: AtMoment | None = Field(default=None, description="All of them late, at this time; as they come unless said")
    revision: int = Field(default=0, ge=0, le=1000, description="Above 0: instead of the values measured before")


class FiringSpec(Spec):
    """A stretch during which the rule fires, in event time; without `to` it lasts until the end of the test."""

    from_: AtMoment = Field(alias="from", examples=["2h"])
    to: AtMoment | None = None
    says: Text | None = Field(default=None, description="A part of the sentence that the review opens with")


Firings = Annotated[
    list[FiringSpec], BeforeValidator(_never, json_schema_input_type=list[FiringSpec] | Literal["never"])
]


class ExpectationSpec(Spec):
    """What one rule must say of one series (of a joined rule: of one scope), and nothing beside it."""

    rule: Id = Field(examples=["tickets-high"])
    dimensions: dict[str, str] = Field(default_factory=dict)
    firing: Firings = Field(description="Or `never`", examples=["never"])
    severity: Literal["info", "warning", "critical"] | None = None


class RuleTestSpec(Spec):
    """Measurements, and what rules must say of them."""

    kind: Literal["test"]
    id: Id = Field(examples=["tickets-high-fires"])
    title: Text | None = None
    start: Time = Field(examples=[_EXAMPLE])
    every: Span = Field(description="Between two values of a series", examples=["1d"])
    ticks: Span | None = Field(default=None, description="`every`, at most 1h, unless said")
    until: AtMoment | None = Field(default=None, description="Until the last windows have closed unless said")
    measurements: list[MeasuredSpec] = Field(min_length=1, examples=["[{kpi: ..., values: ...}]"])
    expect: list[ExpectationSpec] = Field(min_length=1, examples=["[{rule: ..., firing: never}]"])
