"""Owners, objectives and KPIs as written."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from engine.model.aggregation import NAMED, QUANTILE_PATTERN, quantile_of
from engine.model.formula import FormulaError, formula_of
from engine.rules.resolved.timing import Period  # noqa: TC001 (pydantic reads it)
from engine.rules.spec.due import Due, check_calendar
from engine.rules.spec.scalars import (
    DURATION,
    Date,
    Deadline,
    Duration,
    Id,
    Number,
    OneOwner,
    Share,
    Span,
    Spec,
    Text,
    Zone,
    refuse,
    span,
)
from engine.rules.wording import shown, suggestion


class OwnerSpec(Spec):
    """A person or team that answers for something."""

    kind: Literal["owner"]
    id: Id = Field(description="What others refer to", examples=["ops"])
    name: Text = Field(description="For people", examples=["Operations"])
    contact: Text | None = Field(default=None, description="An address, for people")
    noise_budget: int | None = Field(
        default=None, ge=0, le=100_000, description="Notifications of warnings a week; what is beyond is bundled"
    )


class ObjectiveSpec(Spec):
    """What a KPI is for."""

    kind: Literal["objective"]
    id: Id = Field(description="What others refer to", examples=["punctuality"])
    title: Text = Field(description="For people", examples=["Passengers arrive when we said"])
    owner: OneOwner = Field(description="Exactly one", examples=["ops"])
    sponsor: Id | None = Field(default=None, description="Who hears of an overdue review after the KPI's owner")
    board: Id | None = Field(default=None, description="Who hears of it last")


def _every(value: object) -> int | str:
    return "day" if value == "day" else span(value)


Every = Annotated[
    int | Literal["day"],
    PlainValidator(_every),
    WithJsonSchema({"anyOf": [{"const": "day"}, {"type": "string", "pattern": DURATION}]}),
]


class WindowSpec(Spec):
    """How event time is cut: `{every: 60s}`, `{size: 1h, every: 5m}` or `{every: day, zone: Europe/Berlin}`."""

    every: Every = Field(description="A new one so often: a length, or `day`", examples=["60s"])
    size: Span | None = Field(default=None, description="How long each is, where they overlap")
    zone: Zone | None = Field(default=None, description="Whose days are meant")
    since: Period | None = Field(
        default=None, description="Each day's window begins with the first day of its week, month, quarter or year"
    )

    @model_validator(mode="after")
    def _fits(self) -> WindowSpec:
        if self.every == "day":
            _check_days(self)
        elif self.zone is not None:
            raise refuse(
                "zone-without-day",
                expected="`zone` only with `every: day`",
                found="a window of fixed length",
                mend="leave `zone` out, or write `every: day`",
                at="zone",
            )
        elif self.since is not None:
            raise refuse(
                "since-without-day",
                expected="`since` only with `every: day`",
                found="a window of fixed length",
                mend="leave `since` out, or write `every: day` with a `zone`",
                at="since",
            )
        elif self.size is not None and (self.size < self.every or self.size % self.every):
            raise refuse(
                "window-size",
                expected="a `size` that is a multiple of `every`",
                found="one that is not",
                mend="make `size` twice, three times, ... of `every`",
                at="size",
            )
        return self


class TargetSpec(Spec):
    """A value to reach, by when, from where, last reviewed when."""

    value: Number = Field(description="To be reached", examples=[0.02])
    by: Deadline = Field(
        description="A date, or at the end of each month, quarter or year", examples=["2026-12-31", "quarter-end"]
    )
    start: Number | None = Field(default=None, description="Where it began")
    reviewed: Date | None = Field(default=None, description="When it was last looked at")


class CounterpartSpec(Spec):
    """The metric that would pay for an improvement of this one."""

    kpi: Id = Field(description="The KPI that would pay", examples=["support.tickets"])
    minimum_effect: Share = Field(description="A worsening below it does not count", examples=["5%"])
    lag: int = Field(default=0, ge=0, le=1000, description="In whole windows")
    per: Id | None = Field(default=None, description="The KPI that it is divided by")


def _check_days(window: WindowSpec) -> None:
    if window.zone is None:
        raise refuse(
            "day-without-zone",
            expected="a time zone beside `every: day`",
            found="none",
            mend="add `zone: UTC`, or the zone whose days are meant",
        )
    if window.size is not None:
        raise refuse(
            "window-size", expected="no `size` beside `every: day`", found="one", mend="leave it out", at="size"
        )


def _none_or_mapping(value: object) -> object:
    if value == "none":
        return None
    if not isinstance(value, dict):
        raise refuse(
            "target",
            expected="a target `{value: ..., by: ...}` or an explicit `none`",
            found=shown(value),
            mend="write `target: none` if there is none; the KPI is then unjudged",
        )
    return value


Target = Annotated[
    TargetSpec | None, BeforeValidator(_none_or_mapping, json_schema_input_type=TargetSpec | Literal["none"])
]


_VERSION_LENGTH = 40


def _version(value: object) -> int | str:
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str) and value.strip() == value and 0 < len(value) <= _VERSION_LENGTH:
        return value
    raise refuse(
        "version",
        expected=f"a whole number like 2, or a text of up to {_VERSION_LENGTH} characters like `2026-03`",
        found=shown(value),
        mend="count versions: 1, 2, 3, or put what you write in quotes",
    )


Version = Annotated[
    int | str,
    PlainValidator(_version),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1, "maxLength": _VERSION_LENGTH}]}
    ),
]


class CadenceFields(Spec):
    """How often a KPI is reviewed, and what a missed review opens."""

    every: Span = Field(description="Called when no review of the KPI was answered for so long", examples=["90d"])
    due_in: Due | None = Field(default=None, description="How long the owner then has for an answer")
    calendar: Id | None = Field(default=None, description="Whose business time", examples=["office"])
    question: Text | None = Field(default=None, description="What is to be answered")
    participants: list[Id] = Field(default_factory=list, description="Owners who are told as well")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_calendar(self.calendar, due_in=self.due_in)
        return self


def _aggregation(value: object) -> str:
    if isinstance(value, str) and (value in NAMED or quantile_of(value) is not None):
        return value
    raise refuse(
        "aggregation",
        expected=f"one of {', '.join(NAMED)}, median, or a quantile such as p95",
        found=shown(value),
        mend=suggestion(value, (*NAMED, "median"), "choose how the measurements of a window become one value"),
    )


Aggregation = Annotated[
    str,
    PlainValidator(_aggregation),
    WithJsonSchema({"anyOf": [{"enum": list(NAMED)}, {"type": "string", "pattern": QUANTILE_PATTERN}]}),
]


def _formula(value: object) -> str:
    """The formula as everybody would write it."""
    try:
        return formula_of(value if isinstance(value, str) else shown(value)).text
    except FormulaError as error:
        mend = "write ids of KPIs, numbers, + - * / and brackets, with spaces around each sign"
        raise refuse("formula", expected=error.expected, found=error.found, mend=mend) from error


Formula = Annotated[str, PlainValidator(_formula), WithJsonSchema({"type": "string", "minLength": 1})]

DERIVED_AGGREGATION: Final = "last"
"""How the values of a KPI with a formula are kept: there is one a window."""


def _aggregation_or_formula(schema: dict[str, Any]) -> None:
    del schema["properties"]["aggregation"]["default"]
    schema["oneOf"] = [{"required": ["aggregation"]}, {"required": ["formula"]}]


class KpiSpec(Spec):
    """A catalogued definition."""

    model_config = ConfigDict(json_schema_extra=_aggregation_or_formula)

    kind: Literal["kpi"]
    id: Id = Field(description="What measurements carry as `kpi`", examples=["support.tickets"])
    title: Text = Field(description="For people", examples=["Support tickets"])
    owner: OneOwner = Field(description="Exactly one", examples=["support"])
    objective: Id = Field(description="The objective that it serves", examples=["punctuality"])
    definition: Text = Field(description="What is counted, for people", examples=["Tickets opened by customers"])
    decision: Text = Field(description="What is done when it moves, or an explicit none", examples=["none"])
    direction: Literal["higher_is_better", "lower_is_better", "in_band"] = Field(
        description="Which way is better", examples=["lower_is_better"]
    )
    role: Literal["leading", "lagging"] = Field(description="It leads, or what is led to", examples=["lagging"])
    unit: Text = Field(description="For people", examples=["tickets"])
    aggregation: Aggregation = Field(
        default=DERIVED_AGGREGATION,
        description="How the measurements of a window become one value",
        examples=["sum"],
    )
    formula: Formula | None = Field(
        default=None, description="Worked out from other KPIs, window by window", examples=["orders / sessions"]
    )
    window: WindowSpec = Field(description="How event time is cut", examples=["{every: 60s}"])
    lateness: Duration = Field(default=0, description="How long a window waits past its end")
    grace: Duration = Field(default=0, description="How long it can be amended after that")
    idle: Span | None = Field(
        default=None,
        description="How long a series may be silent before its open windows close; one window unless said",
    )
    cadence: Span | None = Field(default=None, description="Expected time between measurements of a series")
    sources: list[Text] = Field(
        default_factory=list, description="Names that may stand in a measurement's `source`; any unless said"
    )
    dimensions: list[Text] = Field(default_factory=list, max_length=16, description="Those that it may have")
    series: list[dict[str, str]] = Field(
        default_factory=list, description="Series that exist whether or not they were seen, by their dimension values"
    )
    rolls_up_to: Id | None = Field(default=None, description="The KPI above it")
    target: Target = Field(description="Or an explicit none", examples=["none"])
    counterparts: list[CounterpartSpec] = Field(
        default_factory=list, description="The KPIs that would pay for an improvement of this one"
    )
    version: Version = Field(
        default=1,
        description="Raised when the definition changes, so that values jump for a good reason",
        examples=[2, "2026-03"],
    )
    publish: bool = Field(default=False, description="Write closed windows to the topic `kpi-state`")
    sensitive: list[Text] = Field(default_factory=list, description="Dimensions whose values are not for messages")
    review: CadenceFields | None = Field(
        default=None, description="How often it is looked at, whether or not anything fires", examples=["{every: 90d}"]
    )
