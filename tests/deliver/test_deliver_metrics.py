"""The metrics of a delivery worker: named by the conventions, and each moves in a run that has to do with it."""

from __future__ import annotations

import asyncio
import re

from deliver_world import Got, life, make_worker, memory_log, output, run_until, trigger
from prometheus_client import CollectorRegistry

from engine.deliver.receiver import Delivered, Failed, Refused
from engine.telemetry.delivery_metrics import DeliveryMetrics
from engine.telemetry.metrics import Metrics

COUNTS = {"counterpoint_undelivered", "counterpoint_delivery_backlog", "counterpoint_deliveries_in_flight"}


def own_declarations() -> list[str]:
    shared = Metrics(CollectorRegistry()).declarations
    return [each.name for each in DeliveryMetrics(CollectorRegistry()).declarations[len(shared) :]]


def test_names_carry_their_unit_and_counters_end_in_total():
    for name in own_declarations():
        assert re.fullmatch(r"counterpoint_[a-z_]+", name)
        assert name.endswith(("_total", "_seconds", "_records")) or name in COUNTS


def test_every_metric_of_delivery_moves():
    log, got = memory_log(), Got()
    answers = iter([Failed("busy"), Delivered(), Refused("no")])
    got.answer = lambda _: next(answers, Delivered())
    broken = output(trigger(9, 1, "opened"))
    log.append_now([broken._replace(record=broken.record._replace(value=b"{}"))])
    log.append_now([output(each) for each in [*life(1, "opened", "acknowledged", "resolved")]])
    log.append_now([output(trigger(2, 1, "opened", historical=True))])
    worker = make_worker(log, [got])
    asyncio.run(run_until(worker, lambda: len(got.got) == 2))
    values: dict[str, float] = {}
    for family in worker.metrics.registry.collect():
        for sample in family.samples:
            values[sample.name] = values.get(sample.name, 0) + sample.value
    zero = {"counterpoint_delivery_backlog", "counterpoint_deliveries_in_flight", "counterpoint_delivery_lag_records"}
    for name in own_declarations():
        shown = f"{name}_count" if name.endswith("_seconds") else name
        assert shown in values, name
        assert values[shown] > 0 or name in zero, name
