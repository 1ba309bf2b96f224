"""The metrics of a delivery worker, beside those that it shares with every worker. Receivers are declared: labels are
bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_SECONDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0)


class DeliveryMetrics(Metrics):
    """`metrics.deliveries.labels("ops-chat").inc()`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self._declare_delivery()

    def _declare_delivery(self) -> None:
        receiver = ("receiver",)
        self.deliveries = self._counter("deliveries", "Notifications that a receiver has taken.", receiver)
        self.redeliveries = self._counter(
            "redeliveries", "Attempts marked as redelivered: the receiver may have had it already.", receiver
        )
        self.delivery_retries = self._counter(
            "delivery_retries", "Attempts that failed and are made again after a while.", receiver
        )
        self.deliveries_parked = self._counter(
            "deliveries_parked",
            "Notifications refused by a receiver, or given up: `counterpoint undelivered`.",
            receiver,
        )
        self.undelivered = self._gauge("undelivered", "Notifications that are parked now.", receiver)
        self.delivery_backlog = self._gauge(
            "delivery_backlog", "Notifications that a receiver has neither taken nor refused yet.", receiver
        )
        self.deliveries_in_flight = self._gauge(
            "deliveries_in_flight", "Notifications on their way to a receiver.", receiver
        )
        self.delivery = self._histogram("delivery_seconds", "Time taken by an attempt.", receiver, _SECONDS)
        self.delivery_lag = self._gauge(
            "delivery_lag_records", "Review triggers that the delivery worker has not read.", ("partition",)
        )
        self.notifications_held = self._counter(
            "notifications_held", "Triggers held back: historical, silenced, inhibited, bundled.", ("why",)
        )
        self.triggers_unreadable = self._counter(
            "triggers_unreadable", "Records among the review triggers that are none; they are passed over.", ()
        )
