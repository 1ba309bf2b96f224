"""The AsyncAPI 3.0 document: which records stand on which topic, with which keys, on which partition, from whom."""

from __future__ import annotations

from inspect import cleandoc, getdoc
from typing import NamedTuple

from engine import __version__
from engine.model import topics
from engine.model.outputs import WorkedOut
from engine.wire import control
from engine.wire.contracts import CONTRACTS, Contract, Schema

_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_BINDING_VERSION = "0.5.0"

_OWNER = "The partition is (murmur2(key) & 0x7fffffff) % partitions, the default of the Java clients."
_POSITION: Schema = {
    "counterpoint-position": {
        "type": "string",
        "pattern": r"^\d+:\d+:\d+:\d+$",
        "description": (
            "What caused the record: semantics version, partition, offset, ordinal. "
            "A reader drops what is not greater than the last that it has from that partition."
        ),
    }
}
_WORKED_OUT: Schema = {
    WorkedOut.HEADER: {
        "type": "string",
        "description": "On a value that the engine worked out of a formula: from what, and at which tick, as JSON.",
    }
}
_CONTROL: Schema = {
    control.HEADER: {"type": "string", "description": "Marks a control record; without it a record is a measurement."}
}


class _Channel(NamedTuple):
    """A topic: what it is for, the contracts on it, and what its keys are."""

    topic: str
    description: str
    contracts: tuple[str, ...]
    key: str
    cleanup: str


_CHANNELS = (
    _Channel(
        topics.MEASUREMENTS,
        "What producers write. A value is one measurement, a JSON array of them, or NDJSON; a bad item of several is "
        "dead-lettered by itself. A measurement on a partition that does not own its series is forwarded once. "
        "Control records of the engine stand among them, marked by their header and in every partition.",
        ("measurement", "tick", "activate", "ingested", "rebaseline"),
        "The canonical key of the series: the KPI and its dimensions as compact JSON with sorted names, such as "
        f'flights.delay{{"origin":"EWR"}}. {_OWNER} Control records have no key.',
        "delete",
    ),
    _Channel(
        topics.FINDINGS,
        "What stage 1 says to stage 2, and what people ask of reviews. Told apart by `type`.",
        ("finding", "join-record", "signal", "progress", "review-command", "answered", "activate", "tick"),
        "The scope: a series' key, or rule|source for silence, or correlation|scope for join records and signals; "
        "of a finding with `storm` that; "
        "for a command what the review's triggers call `command_key`. "
        f"{_OWNER} Progress, activations and ticks have no key and stand in every partition.",
        "delete",
    ),
    _Channel(
        topics.TRIGGERS,
        "The engine's word to the world: CloudEvents 1.0 in structured mode. A repeat after a failure has equal bytes.",
        ("review-trigger",),
        f"The review's id: the life of one review stands in order. {_OWNER}",
        "delete",
    ),
    _Channel(
        topics.SHADOW_TRIGGERS,
        "What rules in shadow mode would have told the world: to be read when a rule is tried, never to be delivered.",
        ("review-trigger",),
        f"The review's id: the life of one review stands in order. {_OWNER}",
        "delete",
    ),
    _Channel(
        topics.AUDIT,
        "The audit trail, in the order it was written, kept for ever: commands with what became of them, rule sets "
        "that were asked for, silences. Told apart by `type`; a repeat after a failure has the `id` of the first.",
        ("command-entry", "activation-entry", "silence-entry"),
        "The id of what the entry is about: a review, a rule set, a silence. There is one partition.",
        "delete",
    ),
    _Channel(
        topics.SILENCES,
        "Silences as they are now. They keep notifications back, not triggers.",
        ("silence",),
        "The silence's id. There is one partition.",
        "compact",
    ),
    _Channel(
        topics.DEAD_LETTERS,
        "Every input that was refused, with its reason, its place and its bytes.",
        ("dead-letter",),
        "None: there is one partition.",
        "delete",
    ),
    _Channel(
        topics.KPI_STATE,
        "The newest closed window of every series of the KPIs that are published.",
        ("kpi-state",),
        f"The canonical key of the series. {_OWNER}",
        "compact",
    ),
)

_OPERATIONS = {
    "receiveMeasurements": ("receive", topics.MEASUREMENTS, ("measurement",), "Producers write measurements."),
    "sendControl": (
        "send",
        topics.MEASUREMENTS,
        ("tick", "activate", "ingested", "rebaseline"),
        "The engine writes the records that move its clock and its rules; in a replay the sender writes the ticks.",
    ),
    "sendWorkedOut": (
        "send",
        topics.MEASUREMENTS,
        ("measurement",),
        "Stage 2 writes the values of KPIs with a formula, as the source counterpoint.",
    ),
    "sendFindings": (
        "send",
        topics.FINDINGS,
        ("finding", "join-record", "signal", "progress", "activate", "tick"),
        "Stage 1 writes what it found.",
    ),
    "sendVerdicts": (
        "send",
        topics.FINDINGS,
        ("answered",),
        "Stage 2 tells the partition that keeps count of a rule's verdicts.",
    ),
    "sendAnswers": ("send", topics.AUDIT, ("command-entry",), "Stage 2 answers commands."),
    "sendActivations": ("send", topics.AUDIT, ("activation-entry",), "Whoever reloads rules says so."),
    "sendSilences": ("send", topics.AUDIT, ("silence-entry",), "Whoever begins or ends a silence says so."),
    "receiveSilences": ("receive", topics.SILENCES, ("silence",), "People ask for quiet."),
    "receiveReviewCommands": ("receive", topics.FINDINGS, ("review-command",), "People answer reviews."),
    "sendReviewTriggers": ("send", topics.TRIGGERS, ("review-trigger",), "Stage 2 calls a review, or ends one."),
    "sendShadowTriggers": (
        "send",
        topics.SHADOW_TRIGGERS,
        ("review-trigger",),
        "Stage 2 says what it would have said.",
    ),
    "sendDeadLetters": ("send", topics.DEAD_LETTERS, ("dead-letter",), "The engine says what it refused."),
    "sendKpiState": ("send", topics.KPI_STATE, ("kpi-state",), "The engine publishes closed windows."),
}


def asyncapi() -> Schema:
    """The document; schemas are referred to as files beside it. The application is the engine."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:counterpoint",
        "info": {
            "title": "Counterpoint",
            "version": __version__,
            "description": "Measurements in, review triggers out. The engine writes times as RFC 3339 in UTC.",
        },
        "defaultContentType": "application/json",
        "channels": {channel.topic: _channel(channel) for channel in _CHANNELS},
        "operations": {name: _operation(*entry) for name, entry in _OPERATIONS.items()},
        "components": {"messages": {contract.name: _message(contract) for contract in CONTRACTS}},
    }


def _channel(channel: _Channel) -> Schema:
    return {
        "address": f"{{prefix}}.{channel.topic}",
        "title": channel.topic,
        "description": f"{channel.description}\n\nKey: {channel.key}",
        "parameters": {"prefix": {"description": "Keeps installations apart.", "default": "counterpoint"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.contracts},
        "bindings": {
            "kafka": {
                "topicConfiguration": {"cleanup.policy": [channel.cleanup]},
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _operation(action: str, topic: str, names: tuple[str, ...], summary: str) -> Schema:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in names],
    }


def _message(contract: Contract) -> Schema:
    description = cleandoc(getdoc(contract.struct) or "")
    message: Schema = {
        "name": contract.name,
        "title": contract.struct.__name__,
        "summary": description.partition("\n\n")[0].replace("\n", " "),
        "contentType": "application/cloudevents+json" if contract.name == "review-trigger" else "application/json",
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./{contract.file}"}},
    }
    headers = _headers(contract.name)
    if headers:
        message["headers"] = {"type": "object", "properties": headers}
    key = _key(contract.name)
    if key:
        message["bindings"] = {"kafka": {"key": key, "bindingVersion": _BINDING_VERSION}}
    return message


_POSITIONED = {"finding", "join-record", "signal", "progress", "review-trigger", "answered", "command-entry"}


def _headers(name: str) -> Schema:
    if name in {"tick", "activate", "ingested", "rebaseline"}:
        return _CONTROL
    if name == "measurement":
        return _WORKED_OUT
    return _POSITION if name in _POSITIONED else {}


def _key(name: str) -> Schema | None:
    """What a record's key is; None for records without one."""
    meanings = {
        "measurement": "the canonical key of the series",
        "finding": "the finding's storm where it has one, else its scope",
        "join-record": "correlation|scope",
        "signal": "correlation|scope",
        "review-command": "`command_key` of the review's triggers",
        "answered": "what it is about",
        "command-entry": "the review's id",
        "activation-entry": "the rule set's hash",
        "silence-entry": "the silence's id",
        "silence": "the silence's id",
        "review-trigger": "the review's id",
        "kpi-state": "the canonical key of the series",
    }
    return {"type": "string", "description": meanings[name]} if name in meanings else None
