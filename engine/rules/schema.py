"""The JSON Schema of rule files, made from the same models that check them: editors complete and underline with it."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from engine.rules.spec import KINDS

_DEFINITIONS: Final = "#/$defs/{model}"


def rule_file_schema() -> dict[str, Any]:
    """One document of a rule file: what may follow each `kind`. It knows the shape, not the references."""
    models = [(model, "validation") for model in KINDS.values()]
    _, schema = models_json_schema(models, by_alias=True, ref_template=_DEFINITIONS)  # type: ignore[arg-type]  # a list of any models
    for model in KINDS.values():
        definition = schema["$defs"][model.__name__]
        definition["properties"]["kind"]["description"] = definition["description"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:counterpoint:rule-file:v1",
        "title": "A document of a Counterpoint rule file",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(KINDS)}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": _DEFINITIONS.format(model=model.__name__)},
            }
            for kind, model in KINDS.items()
        ],
        "$defs": schema["$defs"],
    }
