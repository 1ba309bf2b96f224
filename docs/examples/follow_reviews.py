"""Follows the reviews of an installation, acknowledges critical ones, and prints what it hears.

python docs/examples/follow_reviews.py 127.0.0.1:9092 counterpoint
"""

import sys

from engine.client import ReviewCommander, ReviewSubscriber, Wanted

brokers, prefix = [sys.argv[1]], sys.argv[2]
count = int(sys.argv[3]) if len(sys.argv) > 3 else None  # stop after so many

wanted = Wanted(happenings=frozenset({"opened", "overdue", "escalated", "resolved"}))
with (
    ReviewSubscriber(brokers, prefix=prefix, group="follow-reviews", wanted=wanted) as subscriber,
    ReviewCommander(brokers, prefix=prefix, seconds=10) as commander,
):
    heard = 0
    while count is None or heard < count:
        for delivery in subscriber.poll(1.0):
            data = delivery.trigger.data
            again = " (perhaps again)" if delivery.redelivered else ""
            print(f"{delivery.happening:10} {data.severity:8} {data.owner}: {data.explanation}{again}", flush=True)
            if delivery.happening == "opened" and data.severity == "critical":
                entry = commander.acknowledge(delivery.trigger, who="night-bot")
                print(f"           {entry.outcome}: {entry.sentence or 'acknowledged'}", flush=True)
            subscriber.done(delivery)
            heard += 1
