"""Emits the number of open tickets of some companies, as an operational system would; Ctrl-C ends it.

python docs/examples/emit_measurements.py 127.0.0.1:9092 counterpoint
"""

import sys
import time

from engine.client import BufferFullError, MeasurementEmitter

brokers, prefix = [sys.argv[1]], sys.argv[2]
count = int(sys.argv[3]) if len(sys.argv) > 3 else None  # stop after so many rounds

open_tickets = {"acme": 12, "globex": 7, "initech": 31}
with MeasurementEmitter(brokers, prefix=prefix, source="helpdesk", seconds=5) as emitter:
    rounds = 0
    while count is None or rounds < count:
        for company, tickets in open_tickets.items():
            try:
                emitter.emit("tickets.open", {"company": company}, time.time(), tickets + rounds % 3)
            except BufferFullError as error:
                print(f"the broker is away: {error}", file=sys.stderr, flush=True)
        rounds += 1
        time.sleep(0.1)
print(f"{rounds * len(open_tickets)} emitted, {emitter.pending} not acknowledged", flush=True)
