"""Tables as written: which column of a CSV, NDJSON or Parquet file is what."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from engine.rules.spec.scalars import Id, Spec, Text, Zone, refuse
from engine.rules.wording import shown


class ColumnSpec(Spec):
    """A column by its name."""

    column: Text = Field(description="Its name in the first row, or the key", examples=["amount"])


class ColumnTimeSpec(Spec):
    """The column with the event time. `unit` is that of numbers, `zone` whose clock a time without an offset is of."""

    column: Text = Field(description="Its name in the first row, or the key", examples=["created_at"])
    unit: Literal["s", "ms", "us", "ns"] | None = Field(default=None, description="Of numbers since the epoch")
    zone: Zone | None = Field(default=None, description="Whose clock a time without an offset is of")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.unit is not None and self.zone is not None:
            raise refuse(
                "zone-without-local",
                expected="`zone` without `unit`",
                found="both",
                mend="keep `unit` where the times are numbers since the epoch, `zone` where they are local",
                at="zone",
            )
        return self


def _column_or_number(value: object) -> object:
    if type(value) in (int, float) or isinstance(value, dict):
        return value
    raise refuse(
        "field",
        expected="`{column: ...}` or a number",
        found=shown(value),
        mend="write `{column: NAME}` for a column, or 1 where each row counts",
    )


ValueField = Annotated[
    ColumnSpec | float,
    BeforeValidator(_column_or_number),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {
                    "type": "object",
                    "properties": {
                        "column": {"type": "string", "description": "Its name in the first row, or the key"}
                    },
                    "required": ["column"],
                },
            ]
        }
    ),
]


class RowSpec(Spec):
    """How one row becomes one measurement."""

    kpi: Id = Field(description="Of which KPI the row is", examples=["support.tickets"])
    value: ValueField = Field(description="`{column: ...}`, or 1 where each row counts", examples=["{column: amount}"])
    time: ColumnTimeSpec = Field(description="The column with the event time", examples=["{column: created_at}"])
    dimensions: dict[str, ColumnSpec] = Field(default_factory=dict, description="`{column: ...}` for each")
    id: list[Text] = Field(default_factory=list, description="Columns that name a row, joined")


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class TableSpec(Spec):
    """Files of rows, sent with `counterpoint send --table`; its id is the measurements' source."""

    kind: Literal["table"]
    id: Id = Field(description="What stands in the measurements' `source`", examples=["orders"])
    map: Annotated[list[RowSpec], BeforeValidator(_one_or_several, json_schema_input_type=list[RowSpec] | RowSpec)] = (
        Field(
            min_length=1,
            description="One mapping, or a list: a measurement of each row for each of them",
            examples=["{kpi: ..., value: ..., time: ...}"],
        )
    )
