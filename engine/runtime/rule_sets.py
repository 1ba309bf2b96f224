"""Rule sets by hash in the topic `rule-sets`, and the requests to activate them in `control`.

The offset of a request is the activation's number. Files on disk play no part once a set is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.errors import LogError, StateError
from engine.model.audit import ActivationEntry
from engine.model.identity import digest
from engine.model.records import Activate
from engine.model.time import Micros, format_time
from engine.model.topics import AUDIT, CONTROL, RULE_SETS
from engine.rules.difference import Difference, difference
from engine.rules.ruleset import RuleSet
from engine.runtime.ports import Log, Output
from engine.wire.batch import LogRecord, Record
from engine.wire.encode import encode_record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def store_rule_set(log: Log, rule_set: RuleSet) -> None:
    """Keep a set under its hash; storing it again changes nothing. Await this before its activation is requested."""
    await log.append([Output(RULE_SETS, 0, Record(rule_set.hash.encode(), rule_set.encoded))])


async def read_rule_sets(log: Log) -> dict[str, RuleSet]:
    """Every set that is stored, by hash; StateError for a record that is not what its key says."""
    return {
        rule_set.hash: rule_set
        async for record in _read(log, RULE_SETS, await log.start(RULE_SETS, 0))
        if (rule_set := _decode(record)) is not None
    }


def _decode(record: LogRecord) -> RuleSet | None:
    if record.value is None:
        return None
    where = f"{RULE_SETS}: offset {record.offset}"
    try:
        rule_set = RuleSet.decode(record.value)
    except msgspec.MsgspecError as error:
        raise StateError(f"{where}: a rule set was expected, found {record.value[:80]!r} ({error})") from error
    if rule_set.hash.encode() != record.key:
        raise StateError(f"{where}: the set under key {record.key!r} has the hash {rule_set.hash}: store it again")
    return rule_set


async def request_activation(log: Log, rule_set_hash: str, from_tick: int) -> int:
    """Ask every partition to run the set from the first tick not below `from_tick` on; returns the activation's number.

    The number in the stored record says nothing, since the offset is known only afterwards.
    """
    request = Activate(0, rule_set_hash, from_tick)
    [(_, number)] = await log.append([Output(CONTROL, 0, Record(None, msgspec.json.encode(request)))])
    return number


class Asker(NamedTuple):
    """Who asks for a rule set, and when (microseconds since the epoch)."""

    who: str
    now: Micros


class Asked(NamedTuple):
    """The activation's `number`, and the set `before` it (null where there is none, or it cannot be read)."""

    number: int
    before: RuleSet | None


async def ask_for(log: Log, rule_set: RuleSet, from_tick: int, before: str | None, asker: Asker) -> Asked:
    """Store a set, request its activation, and note in the audit trail who asked and what it changes against the set
    `before`.
    """
    former = None if before is None else await _read_rule_set(log, before)
    await store_rule_set(log, rule_set)
    number = await request_activation(log, rule_set.hash, from_tick)
    unknown = before is not None and former is None
    changes = Difference((), (), ()) if unknown else difference(former, rule_set)
    entry = ActivationEntry(
        digest("activation", number, rule_set.hash),
        format_time(asker.now),
        asker.who,
        number,
        rule_set.hash,
        before,
        *changes,
    )
    await log.append([Output(AUDIT, 0, Record(rule_set.hash.encode(), encode_record(entry)))])
    return Asked(number, former)


async def _read_rule_set(log: Log, name: str) -> RuleSet | None:
    """One stored set; None when it is not there, or cannot be read by this version."""
    found = None
    async for record in _read(log, RULE_SETS, await log.start(RULE_SETS, 0)):
        if record.key == name.encode():
            found = record
    try:
        return None if found is None else _decode(found)
    except StateError:
        return None


async def read_activations(log: Log, after: int = -1) -> list[Activate]:
    """The requests with numbers above `after`, in order; LogError when some of them are gone."""
    start = await log.start(CONTROL, 0)
    if start > after + 1:
        raise LogError(f"{CONTROL}: the requests from {after + 1} on are needed, those below {start} are gone")
    return [_request(record) async for record in _read(log, CONTROL, after + 1)]


def _request(record: LogRecord) -> Activate:
    try:
        request = msgspec.json.decode(record.value or b"", type=Activate)
    except msgspec.MsgspecError as error:
        raise StateError(f"{CONTROL}: offset {record.offset}: an activation was expected ({error})") from error
    return Activate(record.offset, request.hash, request.from_tick)


async def first_rule_set(log: Log) -> str:
    """The hash of the first activation ever requested: what a partition without a manifest runs.

    StateError when none was requested yet.
    """
    async for record in _read(log, CONTROL, 0):
        return _request(record).hash
    raise StateError(f"{CONTROL}: no rule set was ever activated; store one and request its activation first")


async def _read(log: Log, topic: str, offset: int) -> AsyncIterator[LogRecord]:
    while (batch := await log.read(topic, 0, offset)) is not None:
        for record in records(batch):
            yield record
        offset = batch.next_offset
