"""A contender that does job (a) in Faust's documented way: an agent, a Table with its changelog, a topic of findings.

As quick as that way goes: raw values decoded by msgspec, one small table write a measurement, nothing validated, no
repeats dropped. `--records` counts measurements here; ticks are passed over. The span begins with the first of them.
"""

from __future__ import annotations

import gc
import logging
import os
from collections import Counter
from datetime import datetime
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import faust
import msgspec
from contend_span import Task

if TYPE_CHECKING:
    from faust.types import StreamT

LIMIT = 3.0
MINUTE = 60


class Dimensions(msgspec.Struct, frozen=True):
    """Which series."""

    host: str = ""


class Measurement(msgspec.Struct, frozen=True):
    """What of the message counts; a tick has no KPI."""

    kpi: str = ""
    time: datetime | None = None
    value: float = 0.0
    dimensions: Dimensions = Dimensions()


class NoMonitor(faust.Monitor):
    """Counts nothing: what Faust's own does for each event is a tenth of its time."""

    def _nothing(self, *_arguments: object, **_named: object) -> None:
        return None

    on_message_in = on_message_out = on_stream_event_in = on_stream_event_out = _nothing
    on_table_get = on_table_set = on_send_initiated = on_send_completed = _nothing


def make_app(task: Task) -> faust.App:
    """The application; its agent ends the process when it has dealt with the last measurement."""
    app = faust.App(
        f"{task.topic}-faust",
        broker=f"aiokafka://{task.bootstrap}",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        topic_partitions=task.partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        producer_linger=0.02,
        producer_acks=1,
        stream_buffer_maxsize=16384,
        web_enabled=False,
        Monitor=NoMonitor,
        datadir=mkdtemp(prefix="contend-faust-"),
    )
    measurements = app.topic(task.topic, value_type=bytes)
    findings = app.topic(f"{task.topic}-faust-findings", value_serializer="json", value_type=bytes, partitions=1)
    # Text and bytes as they are: the JSON of Faust's own serializers takes longer.
    schema = faust.Schema(key_type=str, value_type=bytes, key_serializer="raw", value_serializer="raw")
    minutes = app.Table("minutes", schema=schema, partitions=task.partitions)
    decode = msgspec.json.Decoder(Measurement).decode
    load, dump = msgspec.json.Decoder(tuple[int, float, int]).decode, msgspec.json.Encoder().encode
    firing: set[str] = set()
    found: list[tuple[str, str, int, float]] = []
    taken: Counter[str] = Counter()

    @app.agent(measurements)
    async def watch(stream: StreamT[Any]) -> None:
        read = 0
        await findings.maybe_declare()
        async for message in stream:
            measurement = decode(message)
            if measurement.time is None or not measurement.kpi:
                continue
            if not read:
                gc.collect()
                gc.freeze()
                gc.set_threshold(20_000, 20, 20)
                task.began()
            host, value = measurement.dimensions.host, measurement.value
            minute = int(measurement.time.timestamp()) // MINUTE
            held = minutes.get(host)
            last, total, count = load(held) if held is not None else (minute, 0.0, 0)
            if last == minute:
                minutes[host] = dump((minute, total + value, count + 1))
            else:
                mean = total / count
                if (mean > LIMIT) != (host in firing):
                    firing.symmetric_difference_update({host})
                    transition = "firing" if mean > LIMIT else "resolved"
                    finding = (transition, host, (last + 1) * MINUTE, mean)
                    await findings.send(key=host, value=finding)
                    found.append(finding)
                minutes[host] = dump((minute, value, 1))
            taken[host] += 1
            read += 1
            if read == task.records:
                task.done(found=found, taken=taken)
                os._exit(0)  # a worker that is asked to stop takes its time

    return app


if __name__ == "__main__":
    # Left alone these make a record of every request, which nobody prints.
    for library in ("aiokafka", "faust", "mode"):
        logging.getLogger(library).setLevel(logging.WARNING)
    faust.Worker(make_app(Task(__doc__)), loglevel="warn").execute_from_commandline()
