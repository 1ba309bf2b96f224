"""Foreign topics as written: how their messages become measurements."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from engine.rules.spec.scalars import Id, Spec, Zone, refuse
from engine.rules.wording import shown

_PATH = r"^[^.\[\]\s]+(\[[0-9]{1,6}\])*(\.[^.\[\]\s]+(\[[0-9]{1,6}\])*)*$"

FieldPath = Annotated[str, Field(pattern=_PATH, max_length=500)]
"""A way into a message: `payload.items[0].amount`."""


class FieldSpec(Spec):
    """Where a value comes from: a path into the message, or a constant."""

    path: FieldPath | None = Field(default=None, description="Names with dots between, indexes in brackets")
    const: str | float | int | None = Field(default=None, description="The same for every message")


class TimeSpec(Spec):
    """Where the event time stands, and how it is written."""

    path: FieldPath = Field(description="Names with dots between, indexes in brackets", examples=["created_at"])
    unit: Literal["rfc3339", "s", "ms", "us", "ns", "local"] = Field(
        description="How it is written; `local` needs a zone", examples=["rfc3339"]
    )
    zone: Zone | None = Field(default=None, description="Whose clock a local time is of")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.unit == "local" and self.zone is None:
            raise refuse(
                "local-without-zone",
                expected="a time zone beside `unit: local`",
                found="none",
                mend="add `zone: UTC`, or the zone whose clock is meant",
            )
        if self.unit != "local" and self.zone is not None:
            raise refuse(
                "zone-without-local",
                expected="`zone` only with `unit: local`",
                found=f"it with `unit: {self.unit}`",
                mend="leave it out: these times say their offset themselves",
                at="zone",
            )
        return self


class FilterSpec(Spec):
    """Which messages count. Exactly one of equals, in, not_in and exists."""

    path: FieldPath = Field(description="Names with dots between, indexes in brackets", examples=["status"])
    equals: str | float | bool | None = Field(default=None, description="It must be this")
    in_: list[str | float | bool | None] | None = Field(
        default=None, alias="in", min_length=1, description="It must be one of these"
    )
    not_in: list[str | float | bool | None] | None = Field(
        default=None, min_length=1, description="It must be none of these"
    )
    exists: bool | None = Field(default=None, description="It must be there, or not")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        tests = sorted(name.rstrip("_") for name in self.model_fields_set - {"path"})
        if len(tests) != 1:
            raise refuse(
                "filter",
                expected="exactly one of equals, in, not_in or exists",
                found=" and ".join(tests) or "none of them",
                mend="write one test an item; all items of the filter must hold",
            )
        return self


def _text_source(value: object) -> object:
    return {"const": value} if isinstance(value, str) else _mapping(value, "text")


def _number_source(value: object) -> object:
    return {"const": value} if type(value) in (int, float) else _mapping(value, "a number")


def _mapping(value: object, constant: str) -> object:
    if not isinstance(value, dict):
        raise refuse(
            "field",
            expected=f"`{{path: ...}}` or {constant}",
            found=shown(value),
            mend="write `{path: a.b}` for a place in the message",
        )
    if "const" in value:
        raise refuse(
            "field", expected="only `path` in here", found="`const`", mend="write the constant itself", at="const"
        )
    if "path" not in value:
        raise refuse("field", expected="a `path`", found="none", mend="write `{path: a.b}`")
    return value


def _ids(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    return [{"path": item} if isinstance(item, str) else _mapping(item, "a path") for item in items]


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, dict) else value


_PATH_SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "pattern": _PATH, "description": "Names with dots between, indexes in brackets"}
    },
    "required": ["path"],
    "additionalProperties": False,
}
_TEXT_SCHEMA = WithJsonSchema({"anyOf": [{"type": "string"}, _PATH_SCHEMA]})
_NUMBER_SCHEMA = WithJsonSchema({"anyOf": [{"type": "number"}, _PATH_SCHEMA]})
_ID_SCHEMA = WithJsonSchema(
    {"anyOf": [_PATH_SCHEMA, {"type": "array", "items": {"anyOf": [{"type": "string"}, _PATH_SCHEMA]}}]}
)

TextField = Annotated[FieldSpec, BeforeValidator(_text_source), _TEXT_SCHEMA]
NumberField = Annotated[FieldSpec, BeforeValidator(_number_source), _NUMBER_SCHEMA]
IdFields = Annotated[list[FieldSpec], BeforeValidator(_ids), _ID_SCHEMA]


class MappingSpec(Spec):
    """How one foreign message becomes one measurement."""

    kpi: TextField = Field(description="A constant, or `{path: ...}`", examples=["support.tickets"])
    value: NumberField = Field(description="A number, 1 for plain events, or `{path: ...}`", examples=[1])
    time: TimeSpec = Field(description="When it happened", examples=["{path: created_at, unit: rfc3339}"])
    dimensions: dict[str, TextField] = Field(default_factory=dict, description="Each a constant, or `{path: ...}`")
    id: IdFields = Field(
        default_factory=list, description="What names the event, joined; the record's position unless said"
    )
    filter: list[FilterSpec] = Field(default_factory=list, description="All must hold of a message that counts")
    provenance: Literal["automated", "self_reported"] = Field(
        default="automated", description="Measured, or reported by whoever is judged by it"
    )


class SourceSpec(Spec):
    """A foreign topic, and what is taken from it."""

    kind: Literal["source"]
    id: Id = Field(description="What stands in the measurements' `source`", examples=["crm"])
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=249)] = Field(
        description="Read, never written", examples=["crm.tickets.v1"]
    )
    map: Annotated[
        list[MappingSpec], BeforeValidator(_one_or_several, json_schema_input_type=list[MappingSpec] | MappingSpec)
    ] = Field(
        min_length=1,
        description="One mapping, or a list: a measurement for each whose filter the message passes",
        examples=["{kpi: ..., value: ..., time: ...}"],
    )
