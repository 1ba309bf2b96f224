"""The table of all metrics, for the documentation: made from the declarations, so that it cannot say anything else."""

from __future__ import annotations

import sys

from prometheus_client import CollectorRegistry

from engine.telemetry.delivery_metrics import DeliveryMetrics
from engine.telemetry.metrics import Declaration, Metrics

_HEAD = """# Metrics

A worker serves these at `/metrics` (settings `http_host`, `http_port`), in the Prometheus text format or, where asked,
OpenMetrics, and beside them the `process_*` metrics of its process. `/healthz` answers 503 once a part of the worker
has stood still for longer than `progress_timeout`; `/readyz` answers 503 until the worker has recovered and consumes.

This page is made from the declarations in `engine/telemetry/metrics.py` by
`python -m engine.telemetry.reference > docs/metrics.md`; a test fails when it says anything else.

| metric | kind | labels | meaning |
|---|---|---|---|
"""
_DELIVERY = """
## Delivery

`counterpoint deliver` serves these beside `counterpoint_ready`, `counterpoint_progress_age_seconds` and
`counterpoint_heartbeats_total` ([delivery](delivery.md)); declared in `engine/telemetry/delivery_metrics.py`.

| metric | kind | labels | meaning |
|---|---|---|---|
"""


def metrics_page() -> str:
    """`docs/metrics.md`."""
    everywhere = Metrics(CollectorRegistry()).declarations
    delivery = DeliveryMetrics(CollectorRegistry()).declarations[len(everywhere) :]
    return _HEAD + "".join(map(_row, everywhere)) + _DELIVERY + "".join(map(_row, delivery))


def _row(declaration: Declaration) -> str:
    labels = ", ".join(f"`{label}`" for label in declaration.labels) or "-"
    return f"| `{declaration.name}` | {declaration.kind} | {labels} | {declaration.meaning} |\n"


if __name__ == "__main__":
    sys.stdout.write(metrics_page())
