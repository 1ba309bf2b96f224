"""Rule tests as written: measurements, and what rules must say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from engine.rules.series_notation import Values, parse_values
from engine.rules.spec.moments import EXAMPLE, AtMoment, Time
from engine.rules.spec.rule_test_reviews import (  # noqa: TC001 - pydantic reads annotations at run time
    CommandSpec,
    EditSpec,
    Reviews,
    Triggers,
)
from engine.rules.spec.scalars import Id, Span, Spec, Text, refuse
from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.spec.moments import Moment


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


SeriesValues = Annotated[
    Values, PlainValidator(_values), WithJsonSchema({"type": ["string", "number"], "examples": ["1 2 3x5 _ 9"]})
]


class MeasuredSpec(Spec):
    """One series: a value each `every` from `start` on."""

    kpi: Id = Field(description="Of which KPI", examples=["support.tickets"])
    dimensions: dict[str, str] = Field(default_factory=dict, description="Of which series")
    values: SeriesValues = Field(
        description="One step apart: `_` is a gap, `3x5` five threes, `10+2x4` 10 12 14 16", examples=["1 2 3x5 _ 9"]
    )
    every: Span | None = Field(default=None, description="The test's unless said")
    start: AtMoment | None = Field(default=None, description="The test's unless said")
    source: Text | None = Field(default=None, description="The first of the KPI's sources unless said")
    sent: AtMoment | None = Field(default=None, description="All of them late, at this time; as they come unless said")
    revision: int = Field(default=0, ge=0, le=1000, description="Above 0: instead of the values measured before")


class FiringSpec(Spec):
    """A stretch during which the rule fires, in event time; without `to` it lasts until the end of the test."""

    from_: AtMoment = Field(alias="from", description="When it begins to fire, in event time", examples=["2h"])
    to: AtMoment | None = Field(default=None, description="When it ends; at the end of the test unless said")
    says: Text | None = Field(default=None, description="A part of the sentence that the review opens with")


Firings = Annotated[
    list[FiringSpec], BeforeValidator(_never, json_schema_input_type=list[FiringSpec] | Literal["never"])
]


class ExpectationSpec(Spec):
    """What one rule must say of one series (of a joined rule: of one scope), and nothing beside it."""

    rule: Id = Field(description="Of which something is expected", examples=["tickets-high"])
    dimensions: dict[str, str] = Field(
        default_factory=dict, description="Those of the series; of a joined rule those of its scope"
    )
    firing: Firings | None = Field(default=None, description="Or `never`", examples=["never"])
    reviews: Reviews | None = Field(default=None, description="Or `never`: none in all the test")
    triggers: Triggers | None = Field(default=None, description="All of them, or `never`")
    severity: Literal["info", "warning", "critical"] | None = Field(default=None, description="Which it must have")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.firing is None and self.reviews is None and self.triggers is None:
            raise refuse(
                "missing-field",
                expected="the field `firing`, `reviews` or `triggers`",
                found="none of them",
                mend="add `firing: never` if the rule is to keep silent",
            )
        return self


class RuleTestSpec(Spec):
    """Measurements, what people do meanwhile, and what rules must say of it."""

    kind: Literal["test"]
    id: Id = Field(description="For people and reports", examples=["tickets-high-fires"])
    title: Text | None = Field(default=None, description="What it shows")
    start: Time = Field(description="The time of the first values, with its offset", examples=[EXAMPLE])
    every: Span = Field(description="Between two values of a series", examples=["1d"])
    ticks: Span | None = Field(default=None, description="`every`, at most 1h, unless said")
    until: AtMoment | None = Field(default=None, description="Until the last windows have closed unless said")
    measurements: list[MeasuredSpec] = Field(
        min_length=1, description="What is measured, by series", examples=["[{kpi: ..., values: ...}]"]
    )
    commands: list[CommandSpec] = Field(default_factory=list, description="What people do meanwhile")
    edits: list[EditSpec] = Field(default_factory=list, description="How what is declared changes meanwhile")
    expect: list[ExpectationSpec] = Field(
        min_length=1, description="All that the rules named here may say", examples=["[{rule: ..., firing: never}]"]
    )

    def moments(self) -> Iterator[tuple[tuple[str | int, ...], Moment]]:
        """Every time of which it says something beside firing, with its place."""
        yield from ((("commands", place, "at"), each.at) for place, each in enumerate(self.commands))
        yield from ((("edits", place, "at"), each.at) for place, each in enumerate(self.edits))
        for place, expected in enumerate(self.expect):
            here = ("expect", place)
            yield from (((*here, "reviews", index, "at"), one.at) for index, one in enumerate(expected.reviews or ()))
            yield from (((*here, "triggers", index, "at"), one.at) for index, one in enumerate(expected.triggers or ()))
