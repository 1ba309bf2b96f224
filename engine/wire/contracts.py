"""The contracts as JSON Schema (draft 2020-12), made of the structs that define them; nothing is defined here twice."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, NamedTuple, get_args

import msgspec

from engine.model.audit import ActivationEntry, CommandEntry, Silence, SilenceEntry
from engine.model.finding import Finding
from engine.model.measurement import Measurement
from engine.model.outputs import DeadLetter, KpiState
from engine.model.records import (
    Activate,
    Answered,
    Ingested,
    JoinRecord,
    Progress,
    Rebaseline,
    ReviewCommand,
    Signal,
    Tick,
)
from engine.model.trigger import CONTENT_TYPE, SOURCE, SPEC_VERSION, Happening, ReviewTrigger, event_type
from engine.wire.reasons import SENTENCES

Schema = dict[str, Any]
"""JSON Schema, or any other JSON object."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Contract(NamedTuple):
    """One kind of record: the name of its schema (`schemas/NAME.json`), and the struct that defines it."""

    name: str
    struct: type[msgspec.Struct]

    @property
    def file(self) -> str:
        """The file that holds its schema."""
        return f"{self.name}.json"


CONTRACTS = (
    Contract("measurement", Measurement),
    Contract("tick", Tick),
    Contract("activate", Activate),
    Contract("ingested", Ingested),
    Contract("rebaseline", Rebaseline),
    Contract("finding", Finding),
    Contract("join-record", JoinRecord),
    Contract("signal", Signal),
    Contract("review-command", ReviewCommand),
    Contract("answered", Answered),
    Contract("progress", Progress),
    Contract("review-trigger", ReviewTrigger),
    Contract("command-entry", CommandEntry),
    Contract("activation-entry", ActivationEntry),
    Contract("silence-entry", SilenceEntry),
    Contract("silence", Silence),
    Contract("dead-letter", DeadLetter),
    Contract("kpi-state", KpiState),
)

_FIXED: dict[str, dict[str, Schema]] = {
    "ReviewTrigger": {
        "specversion": {"const": SPEC_VERSION},
        "source": {"const": SOURCE},
        "type": {"enum": [event_type(happening) for happening in get_args(Happening)]},
        "datacontenttype": {"const": CONTENT_TYPE},
    },
    "DeadLetter": {
        "reason": {
            "type": "string",
            "description": "\n".join(f"{code}: {sentence}" for code, sentence in SENTENCES.items()),
            "examples": list(SENTENCES),
        },
        "bytes": {"type": "string", "contentEncoding": "base64"},
    },
}
"""What the code fixes beyond a field's type."""


def json_schema(contract: Contract) -> Schema:
    """The schema of one contract, complete in itself: what it refers to stands under `$defs`."""
    (root,), parts = msgspec.json.schema_components([contract.struct], ref_template="#/$defs/{name}")
    found = {name: _tidy(part) for name, part in parts.items()}
    for name, fields in _FIXED.items():
        if name in found:
            found[name]["properties"].update(fields)
    body = found.pop(root["$ref"].rpartition("/")[2])
    head = {"$schema": DIALECT, "$id": f"urn:counterpoint:{contract.name}:v1"}
    return {**head, **body, **({"$defs": dict(sorted(found.items()))} if found else {})}


def _tidy(node: Any) -> Any:  # noqa: ANN401 (JSON of any shape)
    """Docstrings without their indentation; `discriminator` is OpenAPI's word and not JSON Schema's."""
    if isinstance(node, dict):
        kept = {name: _tidy(part) for name, part in node.items() if name != "discriminator"}
        if isinstance(kept.get("description"), str):
            kept["description"] = cleandoc(kept["description"])
        return kept
    if isinstance(node, list | tuple):
        return [_tidy(part) for part in node]
    return node
