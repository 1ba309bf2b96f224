"""What a rule does when its series fall silent, as written."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from engine.rules.spec.scalars import DURATION, Span, Spec, refuse
from engine.rules.wording import shown

_POLICIES: Final = ("keep", "firing", "ok")


class NoDataSpec(Spec):
    """`keep`: an alert goes on, and none begins. Silence for `after` (the KPI's cadence) is with `firing` an alert too,
    and with `ok` the end of one.
    """

    then: Literal["keep", "firing", "ok"] = Field(default="keep", description="What becomes of silence")
    after: Span | None = Field(default=None, description="The KPI's cadence unless said", examples=["3h"])

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.after is not None and self.then == "keep":
            raise refuse(
                "no-data",
                expected="no `after` beside `keep`",
                found="one",
                mend="leave it out, or write `then: firing` or `then: ok`",
                at="after",
            )
        return self


def _policy(value: object) -> object:
    said = value.get("then") if isinstance(value, dict) else value
    if isinstance(value, dict) and "then" not in value:
        said = None
    if said not in _POLICIES:
        raise refuse(
            "no-data",
            expected="keep, firing or ok, or `{then: firing, after: 3h}`",
            found=shown(said),
            mend="silence keeps an alert as it is, fires as well, or ends it",
        )
    return value if isinstance(value, dict) else {"then": value}


NoData = Annotated[
    NoDataSpec,
    BeforeValidator(_policy),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(_POLICIES)},
                {
                    "type": "object",
                    "properties": {
                        "then": {"enum": list(_POLICIES), "description": "What becomes of silence"},
                        "after": {
                            "type": "string",
                            "pattern": DURATION,
                            "description": "The KPI's cadence unless said",
                        },
                    },
                    "required": ["then"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
