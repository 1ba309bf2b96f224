"""The shell round the processors, with a toy for a stage: nothing lost, nothing skipped, nothing hidden."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from itertools import product
from secrets import token_bytes
from typing import TYPE_CHECKING
from unittest.mock import create_autospec

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from msgspec import structs
from stream_toy import (
    EMPTY,
    KEYS,
    SAYS_EVERY,
    STAGES,
    checkpointed,
    findings_said,
    make_topics,
    send,
    settings_for,
    values_of,
    worker_process,
)

from engine.errors import ConfigError, LogError
from engine.model.topics import CHECKPOINTS, FINDINGS, MEASUREMENTS
from engine.rules.resolved.catalogue import Owner
from engine.runtime.kafka_log import KafkaLog
from engine.runtime.ports import Output
from engine.stream.service import serve
from engine.stream.watchdog import Watchdog
from engine.wire.batch import Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from stream_toy import WorkerProcess

    from engine.brokers.embedded import EmbeddedBroker
    from engine.brokers.kafka import KafkaBroker
    from engine.rules.ruleset import RuleSet
    from engine.stream.worker import Worker
    from engine.telemetry.http import Endpoint

PARTITIONS = 4
WAIT_SECONDS = 25
UNKNOWN = 1_000_000_000


@pytest.fixture
def prefix(prefix: str) -> str:
    """Short enough to be a setting."""
    return prefix[-80:].strip("-")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():  # noqa: ASYNC110 (another process makes it hold)
            await asyncio.sleep(0.1)


async def until_stands(count: Callable[[], Awaitable[int]], least: int) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while await count() < least:  # noqa: ASYNC110 (a log has no events)
            await asyncio.sleep(0.1)


def behind(bootstrap: str, prefix: str, partitions: int = PARTITIONS) -> int:
    """How far the group's committed offsets lie behind the ends of measurements and findings."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": prefix, "log_level": 0})
    places = [
        TopicPartition(f"{prefix}.{topic}", partition)
        for topic in (MEASUREMENTS, FINDINGS)
        for partition in range(partitions)
    ]
    try:
        committed = reader.committed(places, timeout=10)
        ends = [reader.get_watermark_offsets(place, timeout=10)[1] for place in places]
    except KafkaException as error:
        if error.args[0].code() != KafkaError.NOT_COORDINATOR:
            raise
        return UNKNOWN  # a new broker is still making its topic of offsets
    finally:
        reader.close()
    return sum(end - max(place.offset, 0) for place, end in zip(committed, ends, strict=True))


async def assert_counted_once(log: KafkaLog, count: int) -> None:
    """Each measurement is in a checkpoint exactly once, and everything that there was to say was said."""
    total: Counter[str] = Counter()
    for partition in range(PARTITIONS):
        total += await checkpointed(log, partition)
    del total["-"]
    assert total == {f"key{key}": count // KEYS for key in range(KEYS)}
    said = await findings_said(log, PARTITIONS)
    per_key = range(SAYS_EVERY, count // KEYS + 1, SAYS_EVERY)
    assert said == {(f"key{key}", number) for key in range(KEYS) for number in per_key}


@pytest.mark.parametrize("broker", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def test_all_that_was_sent_is_counted_once_and_the_committed_offsets_reach_the_end(
    broker: str, request: pytest.FixtureRequest, prefix: str
):
    bootstrap = make_topics(request.getfixturevalue(broker), prefix, PARTITIONS)

    async def scenario() -> None:
        workers: list[Worker] = []
        async with KafkaLog(bootstrap, prefix) as log:
            await send(bootstrap, prefix, PARTITIONS, 200_000)
            serving = asyncio.create_task(
                serve(
                    settings_for(bootstrap, prefix, PARTITIONS),
                    EMPTY,
                    STAGES,
                    started=lambda worker, _: workers.append(worker),
                )
            )
            await until(lambda: serving.done() or behind(bootstrap, prefix) == 0)
            workers[0].stop()
            await serving
            assert behind(bootstrap, prefix) == 0
            await assert_counted_once(log, 200_000)

    asyncio.run(scenario())


@pytest.mark.kafka
def test_a_worker_that_was_killed_in_the_middle_of_a_load_goes_on_without_loss(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
):
    bootstrap = make_topics(kafka, prefix, PARTITIONS)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, prefix) as log:
            await send(bootstrap, prefix, PARTITIONS, 40_000)
            with worker_process(tmp_path / "first", bootstrap, prefix, PARTITIONS, session_timeout="2s") as first:
                await until(lambda: 0 < behind(bootstrap, prefix) < 40_000 or behind(bootstrap, prefix) == 0)
                sending = asyncio.create_task(send(bootstrap, prefix, PARTITIONS, 160_000, first=40_000))
                await asyncio.sleep(0.5)
                first.kill()
                await sending
            with worker_process(tmp_path / "second", bootstrap, prefix, PARTITIONS, session_timeout="2s") as second:
                await until(lambda: behind(bootstrap, prefix) == 0)
                assert second.drain() == 0
            await assert_counted_once(log, 200_000)

    asyncio.run(scenario())


@pytest.mark.kafka
@pytest.mark.parametrize("killed", ["one", "two"])
def test_a_static_member_that_was_killed_has_its_partitions_back_long_before_the_session_ends(
    kafka: KafkaBroker, prefix: str, tmp_path: Path, killed: str
):
    bootstrap = make_topics(kafka, prefix, PARTITIONS)

    def member(name: str, log: str) -> AbstractContextManager[WorkerProcess]:
        static = {"group_instance_id": name, "session_timeout": "10m"}
        return worker_process(tmp_path / log, bootstrap, prefix, PARTITIONS, **static)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, prefix) as log:
            await send(bootstrap, prefix, PARTITIONS, 40_000)
            with member("one", "one") as one, member("two", "two") as two:
                workers = {"one": one, "two": two}
                await until(lambda: one.said("partition recovered") and two.said("partition recovered"))
                await until(lambda: behind(bootstrap, prefix) == 0)
                workers[killed].kill()
                await send(bootstrap, prefix, PARTITIONS, 40_000, first=40_000)
                with member(killed, "again") as workers[killed]:
                    await until(lambda: behind(bootstrap, prefix) == 0)
                    assert [worker.drain() for worker in workers.values()] == [0, 0]
            await assert_counted_once(log, 80_000)

    asyncio.run(scenario())


@pytest.mark.kafka
def test_work_moves_between_two_workers_without_loss(kafka: KafkaBroker, prefix: str, tmp_path: Path):
    bootstrap = make_topics(kafka, prefix, PARTITIONS)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, prefix) as log:
            await send(bootstrap, prefix, PARTITIONS, 40_000)
            with (
                worker_process(tmp_path / "first", bootstrap, prefix, PARTITIONS) as first,
                worker_process(tmp_path / "second", bootstrap, prefix, PARTITIONS) as second,
            ):
                await until(lambda: first.said("partition recovered") and second.said("partition recovered"))
                await send(bootstrap, prefix, PARTITIONS, 80_000, first=40_000)
                assert first.drain() == 0
                await send(bootstrap, prefix, PARTITIONS, 80_000, first=120_000)
                await until(lambda: behind(bootstrap, prefix) == 0)
                assert second.drain() == 0
            await assert_counted_once(log, 200_000)

    asyncio.run(scenario())


@pytest.mark.kafka
def test_a_worker_that_was_paused_and_comes_back_spoils_nothing(kafka: KafkaBroker, prefix: str, tmp_path: Path):
    bootstrap = make_topics(kafka, prefix, PARTITIONS)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, prefix) as log:
            with worker_process(tmp_path / "first", bootstrap, prefix, PARTITIONS, session_timeout="2s") as first:
                await until(lambda: first.said("partition recovered"))
                await send(bootstrap, prefix, PARTITIONS, 20_000)
                first.process.send_signal(signal.SIGSTOP)
                with worker_process(tmp_path / "second", bootstrap, prefix, PARTITIONS, session_timeout="2s") as second:
                    await until(lambda: second.said("partition recovered"))
                    await send(bootstrap, prefix, PARTITIONS, 20_000, first=20_000)
                    await until(lambda: behind(bootstrap, prefix) == 0)
                    first.process.send_signal(signal.SIGCONT)
                    await send(bootstrap, prefix, PARTITIONS, 40_000, first=40_000)
                    assert second.drain() == 0
                await until(lambda: behind(bootstrap, prefix) == 0)
                assert first.drain() == 0
            await assert_counted_once(log, 80_000)

    asyncio.run(scenario())


@pytest.mark.kafka
def test_an_evaluation_that_is_longer_than_the_session_time_out_does_not_lose_the_partition(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
):
    bootstrap = make_topics(kafka, prefix, 1)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, prefix) as log:
            await log.append([Output(MEASUREMENTS, 0, Record(b"slow", b"{}"))])
            with worker_process(tmp_path / "log", bootstrap, prefix, 1, session_timeout="2s") as worker:
                await until(lambda: worker.said("counted slow"))
                assert worker.drain() == 0
                assert worker.log.read_text().count("partition recovered") == 2
            assert (await checkpointed(log, 0))["slow"] == 1

    asyncio.run(scenario())


def test_a_defect_in_a_stage_ends_the_worker_with_its_reason_and_nothing_is_passed_over(
    embedded: EmbeddedBroker, prefix: str
):
    bootstrap = make_topics(embedded, prefix, 1)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, prefix) as log:
            await log.append([Output(MEASUREMENTS, 0, Record(b"fine", b"{}"))])
            await log.append([Output(MEASUREMENTS, 0, Record(b"broken", b"{}"))])
            async with asyncio.timeout(WAIT_SECONDS):
                with pytest.raises(ZeroDivisionError, match="a defect in a stage"):
                    await serve(settings_for(bootstrap, prefix, 1), EMPTY, STAGES)
            assert "broken" not in await checkpointed(log, 0)

    asyncio.run(scenario())


def test_live_input_begins_with_the_present_tick_before_anything_else(embedded: EmbeddedBroker, prefix: str):
    bootstrap = make_topics(embedded, prefix, 2)

    async def scenario() -> None:
        started: list[tuple[Worker, Endpoint]] = []
        settings = settings_for(bootstrap, prefix, 2, domain="live", tick_interval="1s")
        async with KafkaLog(bootstrap, prefix) as log:
            serving = asyncio.create_task(serve(settings, EMPTY, STAGES, started=lambda *made: started.append(made)))
            await until_stands(lambda: log.end(MEASUREMENTS, 1), 5)
            worker, endpoint = started[0]
            assert endpoint.answer("/readyz", "").status == 200
            assert endpoint.answer("/healthz", "").status == 200
            worker.stop()
            await serving
            for partition in range(2):
                values = await values_of(log, MEASUREMENTS, partition)
                numbers = [value["number"] for value in values if value["type"] == "tick"]
                assert values[0]["type"] == "tick"
                assert numbers == sorted(numbers)
                assert len(set(numbers)) > 1
                assert (await values_of(log, FINDINGS, partition))[0]["type"] == "tick"

    asyncio.run(scenario())


def test_a_first_start_over_old_measurements_must_be_told_where_to_begin(embedded: EmbeddedBroker, prefix: str):
    bootstrap = make_topics(embedded, prefix, 1)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, prefix):
            await send(bootstrap, prefix, 1, 10)
            with pytest.raises(ConfigError, match="--start-at"):
                await serve(settings_for(bootstrap, prefix, 1, start_at=None), EMPTY, STAGES)

    asyncio.run(scenario())


def test_records_lost_before_they_were_read_end_the_worker_by_name(embedded: EmbeddedBroker, prefix: str):
    bootstrap = make_topics(embedded, prefix, 1)

    async def scenario() -> None:
        settings = settings_for(bootstrap, prefix, 1)
        workers: list[Worker] = []
        async with KafkaLog(bootstrap, prefix) as log:
            await send(bootstrap, prefix, 1, 100)
            serving = asyncio.create_task(
                serve(settings, EMPTY, STAGES, started=lambda worker, _: workers.append(worker))
            )
            await until(lambda: serving.done() or behind(bootstrap, prefix, 1) == 0)
            workers[0].stop()
            await serving
            while await log.start(MEASUREMENTS, 0) < 200:
                await log.append([Output(MEASUREMENTS, 0, Record(b"filler", token_bytes(100_000)))] * 20)
            async with asyncio.timeout(WAIT_SECONDS):
                with pytest.raises(LogError, match=f"{MEASUREMENTS}.*lost"):
                    await serve(settings, EMPTY, STAGES)

    asyncio.run(scenario())


def test_checkpoints_that_the_embedded_broker_has_dropped_are_refused_by_name(embedded: EmbeddedBroker, prefix: str):
    bootstrap = make_topics(embedded, prefix, 1)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, prefix) as log:
            while await log.start(CHECKPOINTS, 0) == 0:
                await log.append([Output(CHECKPOINTS, 0, Record(b"0/1/filler", token_bytes(100_000)))] * 20)
            async with asyncio.timeout(WAIT_SECONDS):
                with pytest.raises(LogError, match=r"checkpoints\[0\]: the embedded broker has dropped"):
                    await serve(settings_for(bootstrap, prefix, 1), EMPTY, STAGES)

    asyncio.run(scenario())


def test_a_bad_reload_leaves_the_running_rules_and_a_good_one_reaches_every_partition(
    embedded: EmbeddedBroker, prefix: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    # With `load` the process is taken for the worker's, and ended where it outlives it. This one is pytest's.
    monkeypatch.setattr("engine.stream.service.Watchdog", create_autospec(Watchdog))
    bootstrap = make_topics(embedded, prefix, 2)
    other = structs.replace(EMPTY, owners=(Owner("ops", "Operations", None),))
    loads: list[RuleSet | ConfigError] = [ConfigError(["rules.yaml:1:1: expected a rule"]), other]

    def load() -> RuleSet:
        loaded = loads.pop(0)
        if isinstance(loaded, ConfigError):
            raise loaded
        return loaded

    async def activated(log: KafkaLog) -> int:
        """How many activations stand in the four input partitions, each set counted once in each."""
        found = set()
        for topic, partition in product((MEASUREMENTS, FINDINGS), range(2)):
            values = await values_of(log, topic, partition)
            found |= {(topic, partition, value["hash"]) for value in values if value["type"] == "activate"}
        return len(found)

    async def scenario() -> None:
        workers: list[Worker] = []
        settings = settings_for(bootstrap, prefix, 2)
        async with KafkaLog(bootstrap, prefix) as log:
            serving = asyncio.create_task(
                serve(settings, EMPTY, STAGES, load=load, started=lambda worker, _: workers.append(worker))
            )
            await until_stands(lambda: activated(log), 4)
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: len(loads) == 1)
            os.kill(os.getpid(), signal.SIGHUP)
            await until_stands(lambda: activated(log), 8)
            workers[0].stop()
            await serving
        assert "rules.yaml:1:1: expected a rule" in capsys.readouterr().out

    asyncio.run(scenario())
