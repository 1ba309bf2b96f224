from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sim_toy import ToyCounter

from engine.errors import LogError, StateError
from engine.runtime.manifest import decode_manifest, manifest_key
from engine.runtime.ports import Output
from engine.runtime.processor import OffsetJumpError, Place, Processor
from engine.wire.batch import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.runtime.manifest import Manifest
    from engine.runtime.memory_log import MemoryLog
    from engine.wire.batch import Batch

    Make = Callable[..., Processor]
    Work = Callable[..., None]


class HeldLog:
    """A log whose appends wait for `go_on`; `reached` tells that one does."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        self.reached.set()
        await self.go_on.wait()
        return await self._log.append(outputs)


async def batch_of(log: MemoryLog, offset: int, count: int) -> Batch:
    batch = await log.read("measurements", 0, offset, records_max=count)
    assert batch is not None
    return batch


def manifests(log: MemoryLog) -> list[Manifest]:
    found = [r for r in log.records("checkpoints", 0) if r.key and r.key.endswith(b"/manifest") and r.value]
    return [decode_manifest(record.value or b"", "here") for record in found]


def test_a_successor_goes_on_where_the_manifest_stands(make_processor: Make, work: Work) -> None:
    first = make_processor()
    work(first, records=7)
    successor = make_processor()
    assert asyncio.run(successor.recover()) == 7
    assert successor.stage.all_pages() == first.stage.all_pages()


def test_the_committed_offset_is_that_of_the_manifest(make_processor: Make, work: Work, log: MemoryLog) -> None:
    work(make_processor(), records=7)
    assert log.committed == {("measurements", 0): 7}
    assert [manifest.offset for manifest in manifests(log)] == [6]


def test_superseded_pages_and_lower_terms_are_deleted(make_processor: Make, work: Work, log: MemoryLog) -> None:
    first = make_processor()
    work(first, records=3)
    work(first, records=3, recover=False)
    work(make_processor(), records=3)
    log.compact("checkpoints", 0, tombstones=False)
    [manifest] = manifests(log)
    pages = sum(entry.parts for entry in manifest.pages)
    assert len(log.records("checkpoints", 0)) == pages + 2  # and a claim and the manifest


def test_a_checkpoint_without_anything_new_is_not_written(make_processor: Make, work: Work, log: MemoryLog) -> None:
    processor = make_processor()
    work(processor)
    before = len(log.records("checkpoints", 0))
    assert asyncio.run(processor.checkpoint()) is None
    assert len(log.records("checkpoints", 0)) == before


def test_an_owner_whose_partition_was_claimed_by_another_goes_on_being_read(make_processor: Make, work: Work) -> None:
    owner, late = make_processor(), make_processor()
    work(owner, records=3)
    work(late, records=1)
    work(owner, recover=False)
    assert asyncio.run(make_processor().recover()) == 12


def test_state_is_kept_through_a_rebalance_that_nobody_else_used(make_processor: Make, work: Work) -> None:
    processor = make_processor()
    work(processor, records=3)
    kept = processor.stage
    asyncio.run(processor.recover())
    assert processor.stage is kept


def test_state_is_not_kept_when_another_wrote_meanwhile(make_processor: Make, work: Work) -> None:
    processor = make_processor()
    work(processor, records=3)
    kept = processor.stage
    work(make_processor(), records=4)
    assert asyncio.run(processor.recover()) == 7
    assert processor.stage is not kept


def test_nothing_goes_on_after_something_broke_off(log: MemoryLog) -> None:
    processor = Processor(log, Place("measurements", 0, 0), lambda: ToyCounter(0, 1, finding_partitions=2))
    asyncio.run(processor.recover())
    batch = asyncio.run(log.read("measurements", 0, 0))
    assert batch is not None
    with pytest.raises(LogError, match="no partition 1"):
        asyncio.run(processor.process(batch))
    with pytest.raises(StateError, match="call recover first"):
        asyncio.run(processor.checkpoint())


def test_a_checkpoint_holds_what_was_done_when_its_pages_were_copied(make_processor: Make, log: MemoryLog) -> None:
    processor, writing = make_processor(), HeldLog(log)
    asyncio.run(processor.recover())
    processor._checkpoints._log = writing  # noqa: SLF001 - so that it halts while pages are written

    async def scenario() -> None:
        await processor.process(await batch_of(log, 0, 4))
        checkpoint = asyncio.create_task(processor.checkpoint())
        await writing.reached.wait()
        await processor.process(await batch_of(log, 4, 3))
        writing.go_on.set()
        written = await checkpoint
        assert written is not None
        assert (written.offset, processor.position) == (3, 7)

    asyncio.run(scenario())
    successor = make_processor()
    assert asyncio.run(successor.recover()) == 4
    asyncio.run(successor.process(asyncio.run(batch_of(log, 4, 3))))
    assert successor.stage.all_pages() == processor.stage.all_pages()


def test_what_was_processed_during_a_checkpoint_is_in_the_next(make_processor: Make, log: MemoryLog) -> None:
    processor, writing = make_processor(), HeldLog(log)
    asyncio.run(processor.recover())
    processor._checkpoints._log = writing  # noqa: SLF001 - as above

    async def scenario() -> None:
        await processor.process(await batch_of(log, 0, 4))
        checkpoint = asyncio.create_task(processor.checkpoint())
        await writing.reached.wait()
        await processor.process(await batch_of(log, 4, 8))
        writing.go_on.set()
        await checkpoint
        await processor.checkpoint()

    asyncio.run(scenario())
    successor = make_processor()
    assert asyncio.run(successor.recover()) == 12
    assert successor.stage.all_pages() == processor.stage.all_pages()


def test_nothing_goes_on_after_a_checkpoint_broke_off(make_processor: Make, work: Work, log: MemoryLog) -> None:
    processor, writing = make_processor(), HeldLog(log)
    work(processor, records=3)
    processor._checkpoints._log = writing  # noqa: SLF001 - as above

    async def scenario() -> None:
        await processor.process(await batch_of(log, 3, 3))
        checkpoint = asyncio.create_task(processor.checkpoint())
        await writing.reached.wait()
        checkpoint.cancel()
        with pytest.raises(asyncio.CancelledError):
            await checkpoint
        with pytest.raises(StateError, match="call recover first"):
            await processor.process(await batch_of(log, 6, 1))
        with pytest.raises(StateError, match="call recover first"):
            await processor.checkpoint()
        writing.go_on.set()
        # The state in memory was whole all the time.
        assert await processor.recover() == 6
        await processor.checkpoint()

    asyncio.run(scenario())
    successor = make_processor()
    assert asyncio.run(successor.recover()) == 6
    assert successor.stage.all_pages() == processor.stage.all_pages()


def test_a_batch_after_a_jump_is_not_taken(make_processor: Make, log: MemoryLog) -> None:
    processor = make_processor()
    asyncio.run(processor.recover())
    batch = asyncio.run(log.read("measurements", 0, 4))
    assert batch is not None
    with pytest.raises(OffsetJumpError, match="from offset 0 on was expected, found one from 4"):
        asyncio.run(processor.process(batch))
    assert processor.position == 0


def test_a_manifest_beyond_the_end_is_refused(make_processor: Make, work: Work, log: MemoryLog) -> None:
    work(make_processor())
    log.lose_from("measurements", 0, 5)
    with pytest.raises(LogError, match="the manifest stands at 12, beyond the log's end 5"):
        asyncio.run(make_processor().recover())


def test_records_lost_below_the_position_are_refused(make_processor: Make, work: Work, log: MemoryLog) -> None:
    work(make_processor(), records=3)
    log.lose_below("measurements", 0, 6)
    with pytest.raises(LogError, match="the manifest stands at 3, the log begins at 6"):
        asyncio.run(make_processor().recover())


def test_records_lost_before_the_first_start_are_refused_unless_named(make_processor: Make, log: MemoryLog) -> None:
    log.lose_below("measurements", 0, 6)
    with pytest.raises(LogError, match="say where to begin, at 6 or later"):
        asyncio.run(make_processor().recover())
    assert asyncio.run(make_processor(start_at=6).recover()) == 6


def test_a_recreated_topic_is_refused(make_processor: Make, work: Work, log: MemoryLog) -> None:
    work(make_processor())
    held = log.records("measurements", 0)
    log.recreate("measurements")
    log.append_now([Output("measurements", 0, Record(r.key, r.value, r.headers)) for r in held])
    with pytest.raises(LogError, match="a recreated topic"):
        asyncio.run(make_processor().recover())


def test_another_partition_count_is_refused(make_processor: Make, work: Work, log: MemoryLog) -> None:
    work(make_processor())
    log.recreate("findings", 3)
    with pytest.raises(LogError, match=r"'findings': 1.* were expected, found .*'findings': 3"):
        asyncio.run(make_processor().recover())


@pytest.mark.parametrize("value", [b"damaged", None])
def test_a_damaged_or_missing_page_is_refused_by_name(
    make_processor: Make, work: Work, log: MemoryLog, value: bytes | None
) -> None:
    work(make_processor())
    page = next(r for r in log.records("checkpoints", 0) if r.key and b"page-" in r.key)
    log.append_now([Output("checkpoints", 0, Record(page.key, value))])
    with pytest.raises(StateError, match=r"checkpoints\[0\]: page page-"):
        asyncio.run(make_processor().recover())


def test_an_unreadable_manifest_is_refused(make_processor: Make, work: Work, log: MemoryLog) -> None:
    work(make_processor())
    log.append_now([Output("checkpoints", 0, Record(manifest_key(manifests(log)[-1].term), b"{}"))])
    with pytest.raises(StateError, match="a manifest was expected"):
        asyncio.run(make_processor().recover())


def test_a_large_page_is_written_in_parts(log: MemoryLog) -> None:
    class Large(ToyCounter):
        def all_pages(self) -> dict[str, bytes]:
            return {"large": bytes(1_200_000)}

        def restore(self, pages: dict[str, bytes]) -> None:  # type: ignore[override]
            assert pages == {"large": bytes(1_200_000)}

    def make() -> Processor:
        return Processor(log, Place("measurements", 0, 0), lambda: Large(0, 1, 1))

    first = make()
    asyncio.run(first.recover())
    asyncio.run(first.checkpoint())
    assert [entry.parts for entry in manifests(log)[0].pages] == [3]
    asyncio.run(make().recover())
