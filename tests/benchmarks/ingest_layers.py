"""Where the time goes: the bytes of the benchmark's topic through the engine's layers, one more of them in each pass.

A layer is what a pass with it costs more than the pass before. What the worker adds to all of them (Faust, the hop
between its threads, stage 2, metrics) is what a real one used over the same topic beyond their sum.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import TopicPartition
from ingest_report import rounded
from ingest_rules import JOBS, declared, out_of_reach, rules_yaml

from engine.decode.scanner import ScanningDecoder
from engine.kernels.warm import warm
from engine.model.limits import Limits
from engine.rules.loader import load_or_raise
from engine.runtime.context import StageContext
from engine.runtime.kafka_log import KafkaLog
from engine.runtime.processor import Processor, stage_1_place
from engine.runtime.raw_records import RawConsumer
from engine.runtime.stage1 import Stage1
from engine.wire.frames import laid_out
from engine.wire.reference import ReferenceDecoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ingest_report import Span
    from ingest_rules import Rules
    from ingest_site import Site

    from engine.runtime.context import Decoding
    from engine.wire.batch import Batch
    from engine.wire.columns import Decoder


class Layer(NamedTuple):
    """What it does, and the CPU seconds of it alone."""

    name: str
    what: str
    cpu: float


class Layers:
    """Passes over `log`, all batches of one partition, under the rules of job (b) for `hosts` series.

    `folder` takes rule files; `site` is empty and takes what the passes that write have to write.
    """

    def __init__(self, log: list[Batch], hosts: int, folder: Path, site: Site, decoder: Decoding) -> None:
        self._log, self._hosts, self._folder, self._site = log, hosts, folder, site
        self._decoder = decoder

    def measure(self) -> list[Layer]:
        """The layers between the fetch and the checkpoint, from the bytes up."""
        warm()
        still, quiet, spoken = (self._context(rules) for rules in ((), out_of_reach(JOBS["b"]), JOBS["b"]))
        framed = _cpu(self._frame)
        decoded = self._decode(spoken)
        kept, judged, said = (self._apply(context) for context in (still, quiet, spoken))
        processed, checkpoint = asyncio.run(self._process(spoken))
        return [
            Layer("frame", "batch headers, CRC, decompression", framed),
            Layer("decode", "JSON to columns: validation, series, time, id", decoded - framed),
            Layer("state", "lateness, dedupe, the minutes' sums", kept - decoded),
            Layer("kernels", "five rules on every minute that closes", judged - kept),
            Layer("emit", "findings and progress as records", said - judged),
            Layer("append", "to the findings topic, acknowledged", processed - said),
            Layer("checkpoint", "one at the end: changed pages, manifest, commit", checkpoint),
        ]

    def new_series(self) -> float:
        """CPU seconds that making a series takes."""
        context = self._context(JOBS["b"])
        Stage1(0, context)  # lays the rules out; the next one has them laid out already
        return _cpu(lambda: Stage1(0, context)) / declared(JOBS["b"], self._hosts)

    def _context(self, rules: Rules) -> StageContext:
        """All of them declare the same series: these are there before a pass begins."""
        file = self._folder / "layers.yaml"
        file.write_text(rules_yaml(rules, declared(JOBS["b"], self._hosts)), encoding="utf-8")
        found = load_or_raise([file])
        limits = Limits(series_per_kpi_max=max(self._hosts, Limits().series_per_kpi_max))
        return StageContext({found.hash: found}, found.hash, 1, 1, limits=limits, decoder=self._decoder)

    def _frame(self) -> None:
        for batch in self._log:
            laid_out(batch)

    def _decode(self, context: StageContext) -> float:
        """The decoder that stage 1 uses, with series looked up as stage 1 does it."""
        state = Stage1(0, context).state
        make = ScanningDecoder if context.decoder == "scanner" else ReferenceDecoder
        decoder: Decoder = make(context.limits)

        def work() -> None:
            for batch in self._log:
                for _ in decoder.decode(batch, state.resolve):
                    pass

        return _cpu(work)

    def _apply(self, context: StageContext) -> float:
        stage = Stage1(0, context)

        def work() -> None:
            for batch in self._log:
                stage.apply(batch)

        return _cpu(work)

    async def _process(self, context: StageContext) -> tuple[float, float]:
        """CPU seconds of everything with its appends, and of one checkpoint behind it."""
        async with KafkaLog(self._site.bootstrap, self._site.prefix) as log:
            processor = Processor(log, stage_1_place(0), lambda: Stage1(0, context))
            await processor.recover()
            await processor.checkpoint()
            began = time.process_time()
            for batch in self._log:
                await processor.process(batch)
            processed = time.process_time()
            await processor.checkpoint()
            return processed - began, time.process_time() - processed


async def fetch(site: Site, end: int) -> tuple[list[Batch], float]:
    """All batches of partition 0 of the measurements, as the worker's consumer gets them, and what that cost."""
    place = TopicPartition(site.measurements, 0)
    consumer = RawConsumer(bootstrap_servers=site.bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=2**20)
    await consumer.start()
    try:
        await consumer.end_offsets([place])
        log: list[Batch] = []
        began = time.process_time()
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        while not log or log[-1].next_offset < end:
            for batches in (await consumer.getmany(timeout_ms=1_000)).values():
                log += batches
        return log, time.process_time() - began
    finally:
        await consumer.stop()


def layer_table(layers: list[Layer], whole: Span, new_series: float) -> str:
    """Nanoseconds of CPU a message, and the share of what a worker used for it; `new_series`: CPU seconds of one."""
    sum_ = sum(layer.cpu for layer in layers)
    rest = Layer("the rest", "Faust, its threads, stage 2, metrics", whole.cpu - sum_)
    lines = [
        "| layer | what | CPU ns a message | share |",
        "|---|---|---:|---:|",
        *(
            f"| {each.name} | {each.what} | {rounded(each.cpu / whole.messages * 1e9)} | {each.cpu / whole.cpu:.0%} |"
            for each in (*layers, rest)
        ),
        f"| a worker | all of it | {rounded(whole.cpu / whole.messages * 1e9)} | 100% |",
    ]
    making = (
        f"Making a series takes {rounded(new_series * 1e6)} CPU microseconds: declared ones are made before the worker "
        "is ready, others when they are first seen."
    )
    return "\n".join([*lines, "", making])


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
