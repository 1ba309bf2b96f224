"""A contender that does nothing: librdkafka's `consume`, up to ten thousand messages a call."""

from __future__ import annotations

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from contend_span import Task

_AT_ONCE = 10_000


def read(task: Task) -> None:
    """Count messages to the end."""
    consumer = Consumer(
        {
            "bootstrap.servers": task.bootstrap,
            "group.id": f"{task.topic}-librdkafka",
            "enable.auto.commit": False,
            # As it comes it waits a second whenever 100,000 messages are queued.
            "queued.min.messages": 1_000_000,
            "fetch.queue.backoff.ms": 10,
        }
    )
    try:
        places = [TopicPartition(task.topic, place, OFFSET_BEGINNING) for place in range(task.partitions)]
        for place in places:
            consumer.get_watermark_offsets(place, timeout=30)
        task.began()
        consumer.assign(places)
        read = 0
        while read < task.records:
            read += len(consumer.consume(min(_AT_ONCE, task.records - read), timeout=1.0))
        task.done()
    finally:
        consumer.close()


if __name__ == "__main__":
    read(Task(__doc__))
