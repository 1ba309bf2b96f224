"""Rules as written."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from engine.kernels.often import OFTEN_MAX
from engine.model.time import HOUR
from engine.rules.spec.catalogue import WindowSpec  # noqa: TC001 - pydantic reads annotations at run time
from engine.rules.spec.conditions import ConditionSpec  # noqa: TC001 - pydantic reads annotations at run time
from engine.rules.spec.due import Due, check_calendar
from engine.rules.spec.maintenance import StretchSpec  # noqa: TC001 - pydantic reads annotations at run time
from engine.rules.spec.no_data import NoData, NoDataSpec
from engine.rules.spec.scalars import Change, Duration, Id, Span, Spec, Text, refuse
from engine.rules.spec.selector import Chosen  # noqa: TC001 - pydantic reads annotations at run time
from engine.rules.wording import shown

LIMIT_MAX = 1_000_000


class ReviewFields(Spec):
    """The obligation that a firing rule opens."""

    due_in: Due | None = Field(default=None, description="How long the owner has for an answer; never due unless said")
    escalate_after: Due | None = Field(
        default=None, description="A day unless said; a business day after business time"
    )
    calendar: Id | None = Field(default=None, description="Whose business time", examples=["office"])
    participants: list[Id] = Field(default_factory=list, description="Owners who are told as well")
    question: Text | None = Field(default=None, description="What is to be answered")
    runbook: Text | None = Field(default=None, description="Where it says what to do")
    close: Literal["on_recovery", "on_answer"] | None = Field(
        default=None, description="on_recovery for info and warning, on_answer for critical, unless said"
    )
    reopen_within: Duration = Field(default=HOUR, description="0s: what fires again is another review")
    flap_after: int = Field(default=3, ge=2, le=1000, description="Returns in a row that make it flapping")
    renotify: Change | None = Field(default=None, description="How much worse is worth another word", examples=["20%"])

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_calendar(self.calendar, due_in=self.due_in, escalate_after=self.escalate_after)
        if self.renotify is not None and self.renotify.value <= 0:
            raise refuse(
                "renotify",
                expected="a step above zero",
                found="zero",
                mend="write for instance `20%`, or leave it out",
                at="renotify",
            )
        return self


class AtLeastSpec(Spec):
    """In how many of the last points the condition must hold."""

    m: int = Field(ge=1, le=OFTEN_MAX, description="In how many the condition must hold", examples=[3])
    of: int = Field(ge=2, le=OFTEN_MAX, description="Of how many of the last points", examples=[5])

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.m > self.of:
            raise refuse(
                "at-least",
                expected=f"`m` of at most {self.of}, of which it is a part",
                found=str(self.m),
                mend="write for instance `at_least: {m: 3, of: 5}`",
                at="m",
            )
        return self


class RuleSpec(Spec):
    """A declaration of what is worth a review."""

    kind: Literal["rule"]
    id: Id = Field(description="What others refer to", examples=["tickets-high"])
    title: Text = Field(description="For people; it heads every message", examples=["Too many tickets"])
    kpi: Id | None = Field(default=None, description="Not for composite", examples=["support.tickets"])
    where: dict[str, Chosen] = Field(
        default_factory=dict,
        description="Only series with these dimension values",
        examples=['{region: eu, channel: {not: phone}, host: {matches: "web-[0-9]+"}}'],
    )
    points: Literal["window", "raw"] = Field(
        default="window", description="What a threshold sees: closed windows, or measurements as they come"
    )
    condition: ConditionSpec = Field(description="When it fires: exactly one", examples=["{threshold: {above: 100}}"])
    critical: ConditionSpec | None = Field(
        default=None, description="When it is critical", examples=["{threshold: {above: 200}}"]
    )
    for_: Duration = Field(default=0, alias="for", description="Event time that it must hold before it fires")
    keep_firing_for: Duration = Field(
        default=0, description="Event time that it goes on firing after the condition has ended"
    )
    window: WindowSpec | None = Field(default=None, description="The KPI's unless said")
    at_least: AtLeastSpec | None = Field(
        default=None, description="In how many of the last points it must hold", examples=["{m: 3, of: 5}"]
    )
    warm_up: int = Field(
        default=0, ge=0, le=10_000, description="First points of a series, or windows of a scope, that are not judged"
    )
    lateness: Duration | None = Field(
        default=None, description="How long a window waits past its end; the KPI's unless said"
    )
    grace: Duration | None = Field(
        default=None, description="How long it can be amended after that; the KPI's unless said"
    )
    idle: Span | None = Field(
        default=None, description="How long a series may be silent before its open windows close; the KPI's unless said"
    )
    group_by: list[Text] | None = Field(
        default=None, description="One review for all series alike in these dimensions; [] for all of them"
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=LIMIT_MAX,
        description="Series that may have reviews of their own at once; more are one review",
        examples=[100],
    )
    inhibited_by: list[Id] = Field(default_factory=list, description="Rules whose open reviews keep these quiet")
    no_data: NoData = Field(default=NoDataSpec(), description="When its series fall silent", examples=["firing"])
    maintenance: list[StretchSpec] = Field(
        default_factory=list, description="Times in which what begins to fire is expected"
    )
    depends_on: list[Id] = Field(default_factory=list, description="KPIs whose open reviews keep these quiet")
    notify_within: Span | None = Field(default=None, description="The worker's setting unless said", examples=["6h"])
    severity: Literal["info", "warning", "critical"] = Field(
        default="warning", description="How bad it is: what becomes of its review, and whom routes send it to"
    )
    mode: Literal["on", "shadow", "off"] = Field(
        default="on", description="shadow: evaluated and counted, nobody is told; off: not evaluated"
    )
    owner: Id | None = Field(default=None, description="The rule's author")
    review: ReviewFields = Field(default=ReviewFields(), description="The obligation that it opens when it fires")
    known_gaps: list[Text] = Field(default_factory=list, description="What it cannot see, in sentences")

    @field_validator("mode", mode="before")
    @classmethod
    def _mode_is_a_word(cls, value: object) -> object:
        if isinstance(value, bool):
            raise refuse("mode", expected="one of on, shadow or off", found=shown(value), mend="write `on` or `off`")
        return value
