"""The condition composite as written."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from engine.rules.spec.scalars import Id, Span, Spec, Text, exactly_one, refuse
from engine.rules.wording import shown

_POSITIVE: Final = ("all_", "any_", "at_least", "sequence")

Names = Annotated[list[Id], Field(min_length=1)]


class AtLeastSpec(Spec):
    """So many of these rules."""

    count: int = Field(ge=1, le=1000, description="How many must fire", examples=[2])
    of: list[Id] = Field(
        min_length=1, description="The rules that count", examples=["[load-high, failures-high, latency-high]"]
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.count > len(set(self.of)):
            raise refuse(
                "composite",
                expected=f"a `count` not above the {len(set(self.of))} rules that are named",
                found=f"{self.count}",
                mend="name more rules, or ask for fewer",
                at="count",
            )
        return self


class CompositeSpec(Spec):
    """Several rules together. Exactly one of all, any, at_least and sequence, with not and absent beside it."""

    all_: Names | None = Field(default=None, alias="all", description="All of them fire")
    any_: Names | None = Field(default=None, alias="any", description="One of them fires")
    at_least: AtLeastSpec | None = Field(default=None, description="So many of them fire")
    sequence: list[Id] | None = Field(default=None, min_length=2, description="They began to fire in this order")
    not_: Names | None = Field(default=None, alias="not", description="And none of these fires")
    absent: Names | None = Field(default=None, description="And none of these began to fire within the time after that")
    within: Span | None = Field(default=None, description="Event time; with sequence and absent")
    scope: list[Text] | None = Field(default=None, description="The dimensions that they share unless said")

    @property
    def positive(self) -> list[str]:
        """The rules that fire, in the order in which they are written."""
        return self.all_ or self.any_ or (self.at_least.of if self.at_least else None) or self.sequence or []

    @property
    def rules(self) -> list[str]:
        """The rules that are named."""
        return [*self.positive, *(self.not_ or []), *(self.absent or [])]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        exactly_one(self, "composite", _POSITIVE)
        self._check_time()
        self._check_names()
        return self

    def _check_time(self) -> None:
        if self.sequence is not None and self.absent is not None:
            raise refuse(
                "composite",
                expected="`sequence` or `absent`",
                found="both, which would share one `within`",
                mend="wait for one of the rules with `all: [...]` and `absent`, or make two rules",
                at="absent",
            )
        timed = "sequence" if self.sequence is not None else "absent" if self.absent is not None else None
        if timed is not None and self.within is None:
            raise refuse(
                "composite",
                expected=f"a time `within` beside `{timed}`",
                found="none",
                mend="add for instance `within: 2h`",
                at=timed,
            )
        if timed is None and self.within is not None:
            raise refuse(
                "composite",
                expected="`within` only with `sequence` or `absent`",
                found="it without them",
                mend="leave it out: rules that fire at the same time need no time between them",
                at="within",
            )

    def _check_names(self) -> None:
        named = set() if self.sequence is not None else set(self.positive)
        for field, rules in (("sequence", self.sequence), ("not", self.not_), ("absent", self.absent)):
            for rule in rules or []:
                if rule in named:
                    raise refuse(
                        "composite",
                        expected="each rule in one part of a composite, once",
                        found=f"{shown(rule)} again",
                        mend="leave it out of one of them",
                        at=field,
                    )
                named.add(rule)
