"""One ticket a review, exactly once: the ticket and the trigger's id go into SQLite in one transaction.

    python docs/examples/tickets_from_reviews.py 127.0.0.1:9092 counterpoint tickets.db

Kill it wherever you like and start it again: what was written is known by its id, what was not comes again.
"""

import sqlite3
import sys

from engine.client import Delivery, ReviewSubscriber


class Tickets:
    """The handler's own database; it is the durable record of ids as well."""

    def __init__(self, file: str) -> None:
        self.database = sqlite3.connect(file, isolation_level=None)
        self.database.execute("create table if not exists tickets (review text primary key, text, state, changes)")
        self.database.execute("create table if not exists seen (id text primary key)")

    def seen(self, identifier: str) -> bool:
        """What the subscriber asks before it hands out a trigger."""
        return self.database.execute("select 1 from seen where id = ?", (identifier,)).fetchone() is not None

    def write(self, delivery: Delivery) -> None:
        """The effect and the id, both or neither."""
        data = delivery.trigger.data
        self.database.execute("begin immediate")
        try:
            self.database.execute("insert into seen values (?)", (delivery.id,))
            self.database.execute(
                "insert into tickets values (?, ?, ?, 1)"
                " on conflict (review) do update set state = excluded.state, changes = changes + 1",
                (data.review, data.about, data.state),
            )
            self.database.execute("commit")
        except sqlite3.IntegrityError:  # another member of the group was faster: its ticket stands
            self.database.execute("rollback")


if __name__ == "__main__":
    brokers, prefix, file = [sys.argv[1]], sys.argv[2], sys.argv[3]
    tickets = Tickets(file)
    with ReviewSubscriber(brokers, prefix=prefix, group="tickets", seen=tickets, session_seconds=10) as subscriber:
        print("following", flush=True)
        subscriber.run(tickets.write)
