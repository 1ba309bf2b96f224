"""A contender that does nothing: aiokafka's `getmany`, as Python programs on asyncio read Kafka."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from contend_span import Task


async def read(task: Task) -> None:
    """Count records to the end."""
    consumer = AIOKafkaConsumer(bootstrap_servers=task.bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(task.topic, partition) for partition in range(task.partitions)]
        await consumer.end_offsets(places)
        task.began()
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        read = 0
        while read < task.records:
            fetched = await consumer.getmany(timeout_ms=1_000)
            read += sum(map(len, fetched.values()))
        task.done()
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(read(Task(__doc__)))
