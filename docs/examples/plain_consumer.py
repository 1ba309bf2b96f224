"""A plain Kafka consumer, with nothing of ours: a review trigger is a CloudEvent in JSON.

    python docs/examples/plain_consumer.py 127.0.0.1:9092 counterpoint

Repeats after a crash of the engine have the same `id`; one review's triggers stand in order, in one partition.
"""

import json
import sys

from kafka import KafkaConsumer

brokers, prefix = sys.argv[1], sys.argv[2]
count = int(sys.argv[3]) if len(sys.argv) > 3 else None  # stop after so many

consumer = KafkaConsumer(
    f"{prefix}.review-triggers", bootstrap_servers=brokers, group_id="plain", auto_offset_reset="earliest"
)
seen: set[str] = set()
for record in consumer:
    event = json.loads(record.value)
    if event["id"] not in seen:
        seen.add(event["id"])
        data = event["data"]
        print(event["time"], event["type"].split(".")[2], data["owner"], data["due"], data["explanation"], flush=True)
    if count is not None and len(seen) >= count:
        break
consumer.close()
