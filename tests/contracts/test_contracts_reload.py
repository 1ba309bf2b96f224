"""A rule set that is asked for from outside stands in every partition before the asker goes on; over each log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.model.audit import ActivationEntry
from engine.model.records import Activate, Tick
from engine.rules.loader import load_or_raise
from engine.rules.resolved.catalogue import Owner
from engine.runtime.ports import Output
from engine.runtime.reload import Reloaded, reload
from engine.runtime.rule_sets import Asker, read_activations, read_rule_sets, request_activation, store_rule_set
from engine.wire.control import encode_control
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log

    WithLog = Callable[[Callable[[Log], Awaitable[None]]], None]

LONG, SHORT = 60.0, 1.0
ANN = Asker("ann", 1_000_000)


@pytest.fixture
def rule_set(tmp_path: Path) -> RuleSet:
    (tmp_path / "a.yaml").write_text("kind: owner\nid: ops\nname: Operations\n", "utf-8")
    return load_or_raise([tmp_path])


async def the_request(log: Log) -> list[Activate]:
    while not (requests := await read_activations(log)):  # noqa: ASYNC110 (a log, which tells nobody)
        await asyncio.sleep(0.01)
    return requests


async def written(log: Log, partitions: tuple[int, ...], record: Activate | Tick) -> None:
    await log.append([Output("measurements", place, encode_control(record)) for place in partitions])


def test_it_returns_when_every_partition_has_the_activation(with_log: WithLog, rule_set: RuleSet):
    async def use(log: Log) -> None:
        asked = asyncio.create_task(reload(log, rule_set, None, LONG, ANN))
        requests = await the_request(log)
        await written(log, (0, 1), requests[0])
        done, _ = await asyncio.wait([asked], timeout=SHORT)
        assert not done
        await written(log, (2,), requests[0])
        assert await asked == Reloaded(requests[0].number, ())
        assert requests[0].hash == rule_set.hash
        assert list(await read_rule_sets(log)) == [rule_set.hash]

    with_log(use)


def test_where_workers_write_the_ticks_it_waits_for_the_one_from_which_it_counts(with_log: WithLog, rule_set: RuleSet):
    async def use(log: Log) -> None:
        asked = asyncio.create_task(reload(log, rule_set, 7, LONG, ANN))
        requests = await the_request(log)
        await written(log, (0, 1, 2), requests[0])
        await written(log, (0, 1, 2), Tick("live", 6, "2025-03-03T00:00:00Z"))
        done, _ = await asyncio.wait([asked], timeout=SHORT)
        assert not done
        await written(log, (0, 1, 2), Tick("live", 7, "2025-03-03T00:00:10Z"))
        assert (await asked).waiting == ()
        assert requests[0].from_tick == 7

    with_log(use)


def test_what_is_asked_for_already_is_not_asked_for_again(with_log: WithLog, rule_set: RuleSet):
    async def use(log: Log) -> None:
        await store_rule_set(log, rule_set)
        await request_activation(log, rule_set.hash, 0)
        assert await reload(log, rule_set, None, LONG, ANN) == Reloaded(None, ())
        assert len(await read_activations(log)) == 1

    with_log(use)


def test_partitions_without_a_worker_are_named_in_the_end(with_log: WithLog, rule_set: RuleSet):
    async def use(log: Log) -> None:
        done = await reload(log, rule_set, None, SHORT, ANN)
        assert done.waiting == (0, 1, 2)
        assert [request.hash for request in await read_activations(log)] == [rule_set.hash]

    with_log(use)


KPI = """\
kind: objective
id: flow
title: It flows
owner: ops
---
kind: kpi
id: flow
title: Flow
owner: ops
objective: flow
definition: What flows
decision: none
direction: higher_is_better
role: lagging
unit: litres
aggregation: sum
window: {every: 1m}
target: none
"""


def test_it_says_which_definitions_changed_without_another_version(with_log: WithLog, tmp_path: Path):
    def written_as(number: int, text: str) -> RuleSet:
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.yaml").write_text(f"kind: owner\nid: ops\nname: Ops\n---\n{text}", "utf-8")
        return load_or_raise([tmp_path / str(number)])

    gallons = KPI.replace("litres", "gallons").replace("What flows", "What flows in")
    sets = [written_as(*each) for each in enumerate([KPI, gallons, KPI + "version: 2\n"])]

    async def use(log: Log) -> None:
        done = [await reload(log, each, None, 0, ANN) for each in sets]
        assert [each.redefined for each in done] == [{}, {"flow": ("definition", "unit")}, {}]

    with_log(use)


async def the_trail(log: Log) -> list[ActivationEntry]:
    found, offset = [], 0
    while (batch := await log.read("audit", 0, offset)) is not None:
        found += [msgspec.json.decode(record.value or b"", type=ActivationEntry) for record in records(batch)]
        offset = batch.next_offset
    return found


def test_the_audit_trail_names_who_asked_and_what_it_changes(with_log: WithLog, rule_set: RuleSet):
    async def use(log: Log) -> None:
        await reload(log, rule_set, None, 0, ANN)
        other = msgspec.structs.replace(rule_set, owners=(Owner("dev", "Developers", None),))
        await reload(log, other, None, 0, Asker("bob", 2_000_000))
        first, second = await the_trail(log)
        assert (first.who, first.time, first.before, first.added) == (
            "ann",
            "1970-01-01T00:00:01Z",
            None,
            ("owner ops",),
        )
        assert (second.who, second.number, second.before) == ("bob", 1, rule_set.hash)
        assert (second.added, second.removed, second.changed) == (("owner dev",), ("owner ops",), ())

    with_log(use)
