"""The contracts: what is written is what the schemas say, and the files are what the code says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat

from engine.cli.main import main
from engine.cli.schemas import documents
from engine.model.audit import ActivationEntry, CommandEntry, Matcher, SilenceEntry
from engine.model.audit import Silence as NotifySilence
from engine.model.finding import BaselinePoint, Episode, Evidence, Finding, RawPoint, Silence, WindowPoint
from engine.model.measurement import Measurement
from engine.model.outputs import DeadLetter, KpiState
from engine.model.records import (
    Activate,
    Answered,
    Ids,
    Ingested,
    JoinRecord,
    Parts,
    Progress,
    Rebaseline,
    ReviewCommand,
    Signal,
    Tick,
    WindowBounds,
)
from engine.model.topics import (
    AUDIT,
    DEAD_LETTERS,
    FINDINGS,
    KPI_STATE,
    MEASUREMENTS,
    SHADOW_TRIGGERS,
    SILENCES,
    TRIGGERS,
)
from engine.model.trigger import CONTENT_TYPE, SOURCE, SPEC_VERSION, KpiSummary, ReviewTrigger, TriggerData, event_type
from engine.rules.source import read
from engine.wire.contracts import CONTRACTS, json_schema
from engine.wire.encode import encode_measurement, encode_record
from engine.wire.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator


ROOT = Path(__file__).parents[2]
TIME = "2013-02-08T05:00:00Z"
WINDOW = WindowBounds(TIME, "2013-02-09T05:00:00Z", 15744)
PARTS = Parts(2, 3.0, 1.0, 2.0, 2, 2.0, TIME)
IDS = Ids(2, "17", "m-1", "m-2")
KPI = KpiSummary("k", "K", "what it is", "share", "lower_is_better", "ops", "punctuality", None)


COMMAND = ReviewCommand("c-1", "review", "acknowledge", "ops", TIME)
SILENCE = NotifySilence("s-1", (Matcher("origin", "EWR"),), "ann", "runway works", TIME, TIME)


def evidence(point: RawPoint | WindowPoint | Silence) -> Evidence:
    return Evidence(
        {"threshold": {"above": 1}}, point, "hash", 2.0, 1.0, 1.5, (BaselinePoint(TIME, 1.5),), {"point": "d"}
    )


def finding(point: RawPoint | WindowPoint | Silence) -> Finding:
    return Finding(
        id="f",
        rule="r",
        kpi="k",
        series="k{}",
        dimensions={},
        transition="firing",
        status="new",
        revision=0,
        event_time=TIME,
        opened_event_time=TIME,
        scope="k{}",
        value=None,
        evidence=evidence(point),
        episode=Episode(1, TIME, TIME, 1.0),
        tick=3,
        tick_time=None,
    )


TRIGGER = ReviewTrigger(
    specversion=SPEC_VERSION,
    id="review-1",
    source=SOURCE,
    type=event_type("opened"),
    subject="k{}",
    time=TIME,
    datacontenttype=CONTENT_TYPE,
    data=TriggerData(
        review="review",
        ordinal=1,
        rule="r",
        title="R",
        severity="warning",
        scope="k{}",
        kpi=KPI,
        owner="ops",
        participants=("sales",),
        objective="punctuality",
        opened=TIME,
        due=TIME,
        question=None,
        runbook=None,
        explanation="It is too high.",
        event_time=TIME,
        evidence=evidence(WindowPoint(WINDOW, 1.5, "mean", PARTS, IDS)),
        episode=None,
        historical=False,
        cause=None,
        rule_set="hash",
    ),
)

EXAMPLES: dict[str, list[bytes]] = {
    "measurement": [
        encode_measurement("k", 0, 1.5),
        encode_measurement("k", TIME, 1, {"a": "b"}, id="i", source="s", provenance="self_reported", revision=2),
        encode_record(Measurement("k", 1360299600.5, 1)),
    ],
    "tick": [encode_record(Tick("live", 3, TIME))],
    "activate": [encode_record(Activate(1, "hash", 3))],
    "ingested": [encode_record(Ingested("crm", 3, TIME))],
    "rebaseline": [encode_record(Rebaseline("r", "k{}"))],
    "finding": [
        encode_record(finding(RawPoint(TIME, 1.0, "m"))),
        encode_record(finding(WindowPoint(WINDOW, 1.5, "mean", PARTS, IDS))),
        encode_record(finding(Silence(None, TIME, TIME))),
    ],
    "join-record": [encode_record(JoinRecord("r", "{}", "k", "k{}", WINDOW, 0, PARTS, IDS, 3))],
    "signal": [encode_record(Signal("c", "{}", "r", "k{}", "f", "firing", TIME, 3))],
    "answered": [encode_record(Answered("precision:r", "review", "r", "real", "ops", TIME))],
    "command-entry": [
        encode_record(CommandEntry("c-1", TIME, COMMAND, "accepted", trigger="review-2")),
        encode_record(CommandEntry("c-1-refused", TIME, COMMAND, "refused", "stale", "Look again.")),
    ],
    "activation-entry": [
        encode_record(ActivationEntry("a-1", TIME, "ops", 1, "hash", None, ("rule r",))),
        encode_record(ActivationEntry("a-2", TIME, "ops", 2, "other", "hash", (), ("rule q",), ("kpi k",))),
    ],
    "silence-entry": [encode_record(SilenceEntry("s-1-begun", TIME, "begun", SILENCE))],
    "silence": [encode_record(SILENCE)],
    "review-command": [
        encode_record(ReviewCommand("c-1", "review", "resolve", "ops", TIME, "We did", "real")),
        encode_record(COMMAND),
    ],
    "progress": [encode_record(Progress(0, 3, TIME))],
    "review-trigger": [encode_record(TRIGGER)],
    "dead-letter": [encode_record(DeadLetter("not_json", "no", "$", "t", 0, 1, None, "e30="))],
    "kpi-state": [encode_record(KpiState("k", "k{}", {}, WINDOW, 0, 1.5, "share", PARTS))],
}


def validator(name: str) -> jsonschema.Draft202012Validator:
    (contract,) = [contract for contract in CONTRACTS if contract.name == name]
    schema = json_schema(contract)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", [contract.name for contract in CONTRACTS])
def test_what_is_written_is_what_the_schema_says(name: str):
    for example in EXAMPLES[name]:
        validator(name).validate(json.loads(example))


@pytest.mark.parametrize("name", [contract.name for contract in CONTRACTS])
def test_the_schema_names_every_field_that_must_be_there(name: str):
    check = validator(name)
    example = json.loads(EXAMPLES[name][0])
    for field in check.schema["required"]:
        without = {key: value for key, value in example.items() if key != field}
        assert not check.is_valid(without), field


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "1"},
        {"value": True},
        {"value": None},
        {"time": "2013-02-08T05:00:00"},
        {"time": 1360299600000},
        {"kpi": ""},
        {"id": ""},
        {"id": "x" * 257},
        {"revision": -1},
        {"provenance": "guessed"},
        {"dimensions": {"a": 1}},
        {"vlaue": 1},
    ],
)
def test_the_schema_of_measurements_refuses_what_the_decoder_refuses(changes: dict[str, Any]):
    good = {"kpi": "k", "time": TIME, "value": 1, "id": None, "revision": 1.0, "dimensions": {}}
    check = validator("measurement")
    check.validate(good)
    assert not check.is_valid({**good, **changes})


def test_dead_letters_list_every_reason():
    schema = json_schema(next(contract for contract in CONTRACTS if contract.name == "dead-letter"))
    assert schema["properties"]["reason"]["examples"] == list(REASONS)


def test_a_trigger_is_an_event_that_the_cloudevents_sdk_takes():
    message = KafkaMessage({"content-type": b"application/cloudevents+json"}, None, encode_record(TRIGGER))
    event = from_structured_event(message, JSONFormat())
    assert event.get_id() == "review-1"
    assert event.get_type() == "counterpoint.review.opened.v1"
    assert event.get_source() == SOURCE
    assert event.get_subject() == "k{}"
    data = event.get_data()
    assert isinstance(data, dict)
    assert msgspec.convert(data, TriggerData) == TRIGGER.data


def test_the_files_under_schemas_are_what_the_code_says():
    there = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "schemas").glob("*.json")}
    assert there == documents(), "run `counterpoint schemas`"


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for name, part in node.items():
            if name == "$ref":
                yield part
            else:
                yield from references(part)
    elif isinstance(node, list):
        for part in node:
            yield from references(part)


def resolve(document: object, pointer: str) -> object:
    for step in pointer.removeprefix("#/").split("/"):
        assert isinstance(document, dict)
        document = document[step]
    return document


def test_every_reference_of_the_asyncapi_document_leads_somewhere():
    files = documents()
    document = json.loads(files["asyncapi.json"])
    found = list(references(document))
    assert len(found) > 30
    for reference in found:
        if reference.startswith("./"):
            assert reference.removeprefix("./") in files
        else:
            assert resolve(document, reference)


def test_the_asyncapi_document_has_the_shape_of_version_3():
    document = json.loads(documents()["asyncapi.json"])
    assert document["asyncapi"] == "3.0.0"
    assert document["info"].keys() >= {"title", "version"}
    assert document["channels"].keys() == {
        MEASUREMENTS,
        FINDINGS,
        TRIGGERS,
        SHADOW_TRIGGERS,
        AUDIT,
        SILENCES,
        DEAD_LETTERS,
        KPI_STATE,
    }
    for topic, channel in document["channels"].items():
        assert channel["address"] == f"{{prefix}}.{topic}"
        assert channel["parameters"].keys() == {"prefix"}
        assert channel["messages"]
    for operation in document["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])
    for message in document["components"]["messages"].values():
        assert message["payload"].keys() == {"schemaFormat", "schema"}
        assert message["summary"]


def test_every_contract_stands_on_a_channel_and_in_an_operation():
    document = json.loads(documents()["asyncapi.json"])
    on_channels = {name for channel in document["channels"].values() for name in channel["messages"]}
    in_operations = {
        message["$ref"].rpartition("/")[2]
        for operation in document["operations"].values()
        for message in operation["messages"]
    }
    assert on_channels == in_operations == {contract.name for contract in CONTRACTS}


def test_the_editor_schema_takes_what_the_rule_packs_say_and_refuses_what_is_no_document():
    schema = json.loads(documents()["rule-file.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    documents_read = read([ROOT / "rules"]).documents
    assert documents_read
    for document in documents_read:
        check.validate(document.data)
    assert not check.is_valid({"kind": "owner", "id": "ops"})
    assert not check.is_valid({"kind": "nothing"})


def fields_of(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every object that the schema describes, with where it stands."""
    if isinstance(schema, list):
        for place, each in enumerate(schema):
            yield from fields_of(each, f"{at}/{place}")
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name == "properties":
                yield from ((f"{at}.{field}", said) for field, said in value.items())
            yield from fields_of(value, f"{at}/{name}")


def test_an_editor_has_something_to_say_of_every_field_of_a_rule_file():
    definitions = json.loads(documents()["rule-file.json"])["$defs"]
    fields = list(fields_of(definitions))
    assert len(fields) > 250
    assert [at for at, said in fields if not said.get("description")] == []


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_schemas_writes_the_files_and_check_sees_every_drift(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run("schemas", "--out", str(tmp_path)) == 0
    assert run("schemas", "--out", str(tmp_path), "--check") == 0
    (tmp_path / "tick.json").write_text("{}")
    (tmp_path / "progress.json").unlink()
    (tmp_path / "other.json").write_text("{}")
    assert run("schemas", "--out", str(tmp_path), "--check") == 1
    said = capsys.readouterr().err
    assert all(name in said for name in ("tick.json", "progress.json", "other.json"))
    assert run("schemas", "--out", str(tmp_path)) == 0
    assert (tmp_path / "tick.json").read_text() == documents()["tick.json"]
