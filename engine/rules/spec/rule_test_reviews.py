"""What a rule test says of reviews, as written: how they stand, what is told of them, and what people do."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from engine.model.records import Action, Verdict  # noqa: TC001 - pydantic reads annotations at run time
from engine.model.trigger import AlertState, Happening, ReviewState, Severity  # noqa: TC001 - pydantic reads annotations at run time
from engine.rules.spec.moments import AtMoment  # noqa: TC001 - pydantic reads annotations at run time
from engine.rules.spec.scalars import Id, Spec, Text, refuse
from engine.rules.wording import choices, shown

_NEEDED: Final[dict[Action, str]] = {"assign": "to", "comment": "comment", "snooze": "until", "resolve": "verdict"}
_OF_ACTION: Final[dict[str, Action]] = {
    "to": "assign",
    "comment": "comment",
    "until": "snooze",
    "verdict": "resolve",
    "answer": "resolve",
}
"""The fields of a command that go with one action only."""


class ReviewAtSpec(Spec):
    """How a review stands at a time; what is not said is not looked at."""

    at: AtMoment = Field(description="When", examples=["3d"])
    state: ReviewState | Literal["never"] | None = Field(
        default=None, description="`never`: none has been opened by then"
    )
    alert: AlertState | None = Field(default=None, description="Whether what it is about still fires")
    severity: Severity | None = Field(default=None, description="Which it has")
    owner: Id | None = Field(default=None, description="Whose it is")
    participants: list[Id] | None = Field(default=None, description="All of them, in any order")
    opened: AtMoment | None = Field(default=None, description="When it was opened")
    due: AtMoment | None = Field(default=None, description="When it is due")
    question: Text | None = Field(default=None, description="What it asks")
    escalated_to: Id | None = Field(default=None, description="Whom it was escalated to last")
    assignee: Text | None = Field(default=None, description="Whom it was given to")
    verdict: Verdict | None = Field(default=None, description="Of its answer")
    says: Text | None = Field(default=None, description="A part of the sentence on what it is about")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        beside = [name for name in type(self).model_fields if name not in ("at", "state") and self._has(name)]
        if self.state == "never" and beside:
            raise refuse(
                "review",
                expected="nothing beside `state: never`, which says that there is no review",
                found=f"`{beside[0]}`",
                mend="leave one of the two out",
                at=beside[0],
            )
        if self.state is None and not beside:
            raise refuse(
                "review",
                expected="something that the review must be at this time",
                found="the time alone",
                mend="add for instance `state: open`, or `state: never` if there is to be none",
            )
        return self

    def _has(self, name: str) -> bool:
        return getattr(self, name) is not None


class TriggerSpec(Spec):
    """A trigger that a review emits."""

    at: AtMoment = Field(description="When it is emitted", examples=["3d"])
    type: Happening = Field(description="What happened to the review", examples=["opened"])
    notify: list[Id] | None = Field(default=None, description="All whom it concerns, in any order")
    says: Text | None = Field(default=None, description="A part of its sentence")


def _reviews(value: object) -> object:
    return _never(value, "[{at: 3d, state: open}]")


def _triggers(value: object) -> object:
    return _never(value, "[{at: 3d, type: opened}]")


def _never(value: object, example: str) -> object:
    if value == "never" or isinstance(value, list):
        return value if isinstance(value, list) else []
    raise refuse(
        "values",
        expected="`never`, or a list of what there is at which time",
        found=shown(value),
        mend=f"write for instance `{example}`",
    )


Reviews = Annotated[
    list[ReviewAtSpec], BeforeValidator(_reviews, json_schema_input_type=list[ReviewAtSpec] | Literal["never"])
]
Triggers = Annotated[
    list[TriggerSpec], BeforeValidator(_triggers, json_schema_input_type=list[TriggerSpec] | Literal["never"])
]


class CommandSpec(Spec):
    """What somebody does, at a time, to the newest review of a rule."""

    at: AtMoment = Field(description="When it is done", examples=["3d"])
    rule: Id = Field(description="To the newest review of this rule", examples=["tickets-high"])
    dimensions: dict[str, str] = Field(default_factory=dict, description="And of these dimension values")
    action: Action = Field(description="What is done", examples=["acknowledge"])
    who: Text = Field(description="Who does it", examples=["support"])
    to: Text | None = Field(default=None, description="With assign")
    comment: Text | None = Field(default=None, description="With comment")
    until: AtMoment | None = Field(default=None, description="With snooze")
    verdict: Verdict | None = Field(default=None, description="With resolve")
    answer: Text | None = Field(default=None, description="With resolve")
    refused: Literal["unknown_review", "illegal", "no_change", "out_of_range"] | None = Field(
        default=None, description="The reason for which it must be refused"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed = _NEEDED.get(self.action)
        if needed is not None and getattr(self, needed) is None:
            raise refuse(
                "command",
                expected=f"`{needed}` beside `action: {self.action}`",
                found="none",
                mend=f"add `{needed}`",
                at="action",
            )
        for name, action in _OF_ACTION.items():
            if getattr(self, name) is not None and action != self.action:
                raise refuse(
                    "command",
                    expected=f"`{name}` only with `action: {action}`",
                    found=f"it with `{self.action}`",
                    mend="leave it out, or write the other action",
                    at=name,
                )
        return self


EDITED: Final = ("kpi", "rule", "objective", "initiative")


class EditSpec(Spec):
    """From a time on, fields of something declared are others, as after the activation of another rule set."""

    at: AtMoment = Field(description="From when on", examples=["14d"])
    kpi: Id | None = Field(default=None, description="The KPI whose fields are changed")
    rule: Id | None = Field(default=None, description="The rule whose fields are changed")
    objective: Id | None = Field(default=None, description="The objective whose fields are changed")
    initiative: Id | None = Field(default=None, description="The initiative whose fields are changed")
    set_: dict[str, Any] = Field(
        alias="set", min_length=1, description="The fields, each as a whole", examples=["{target: none}"]
    )

    @property
    def kind(self) -> str:
        """Of what it edits."""
        return next(name for name in EDITED if getattr(self, name) is not None)

    @property
    def of(self) -> str:
        """The id of what it edits."""
        return str(getattr(self, self.kind))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        named = [name for name in EDITED if getattr(self, name) is not None]
        if len(named) != 1:
            raise refuse(
                "edit",
                expected=f"exactly one of {choices(EDITED)}",
                found=" and ".join(named) or "none of them",
                mend="say whose fields are changed",
                at=named[1] if named else None,
            )
        for name in ("kind", "id", *(("critical", "no_data") if self.rule else ())):
            if name in self.set_:
                raise refuse(
                    "edit",
                    expected="fields that an edit can change",
                    found=f"`{name}`",
                    mend="leave it out: what is edited stays the one thing that it is",
                    at="set",
                )
        return self
