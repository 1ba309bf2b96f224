"""The metrics, each declared once: name, kind, meaning, labels. They live on the registry that is passed in.

Labels are bounded: rules and reasons are declared, partitions are fixed; series stand only in the opt-in KPI gauges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from engine import SEMANTICS_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0)
_RECORDS = (1, 10, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000)
_BYTES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)


class Declaration(NamedTuple):
    """What the documentation says of a metric."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...]


class Metrics:
    """Every metric of the engine. `metrics.dead_letters.labels("not_json").inc()`.

    Two of them on one registry are refused by it (ValueError): tests and demos make a registry of their own.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.declarations: list[Declaration] = []
        self._rule_sets: frozenset[str] = frozenset()
        self._declare_input()
        self._declare_outcome()
        self._declare_progress()
        self._declare_state()
        self.build_info.labels(__version__, str(SEMANTICS_VERSION)).set(1)
        self.reload_successful.set(1)

    def show_rule_sets(self, hashes: Iterable[str]) -> None:
        """Name the rule sets that run: several while partitions go over to another. Those before disappear."""
        running = frozenset(hashes)
        for gone in self._rule_sets - running:
            self.rule_set_info.remove(gone)
        for name in running:
            self.rule_set_info.labels(name).set(1)
        self._rule_sets = running

    def forget_rules(self, gone: Iterable[str]) -> None:
        """Rules that a reload removed take their series with them."""
        for rule in gone:
            for metric in (self.findings, self.shadow_findings, self.reviews_open):
                metric.remove_by_labels({"rule": rule})

    def _declare_input(self) -> None:
        self.measurements = self._counter("measurements", "Measurements accepted.", ("partition",))
        self.input_bytes = self._counter("input_bytes", "Bytes of record batches read.", ("topic",))
        self.ingested = self._counter("ingested", "Messages of foreign topics made into measurements.", ("source",))
        self.dead_letters = self._counter("dead_letters", "Inputs rejected, by reason.", ("reason",))
        self.duplicates = self._counter("duplicates", "Measurements that were there already; they count once.", ())
        self.late = self._counter("late", "Measurements that came after their window was final.", ())
        self.shares_late = self._counter(
            "shares_late",
            "Windows of series that came to a rule that joins, or to a formula, when it was final there.",
            (),
        )
        self.restated = self._counter("restated", "Measurements whose value was replaced by a higher revision.", ())
        self.forwards = self._counter("forwards", "Measurements passed on to the partition that owns them.", ())
        self.batch_records = self._histogram("batch_records", "Records in a batch.", ("stage",), _RECORDS)
        self.batch_bytes = self._histogram("batch_bytes", "Bytes in a batch.", ("stage",), _BYTES)
        self.evaluation = self._histogram("evaluation_seconds", "Time taken by a batch.", ("stage",), _SECONDS)

    def _declare_outcome(self) -> None:
        self.findings = self._counter(
            "findings", "Findings by rule, state entered (firing, resolved) and status.", ("rule", "state", "status")
        )
        self.shadow_findings = self._counter(
            "shadow_findings", "Those of them by rules in shadow mode; nobody is told.", ("rule", "state")
        )
        self.reviews_open = self._gauge(
            "reviews_open", "Reviews that are open; those of rules in shadow mode do not count.", ("rule",)
        )
        self.triggers = self._counter(
            "triggers", "Review triggers written, by what happened (opened, updated, resolved, withdrawn).", ("type",)
        )
        self.historical_triggers = self._counter(
            "historical_triggers", "Review triggers marked historical: recorded, not to be delivered as new.", ("type",)
        )
        self.limits_reached = self._counter(
            "limits_reached", "Times that something was at its limit, by the limit's name in the settings.", ("limit",)
        )
        self.kpi_value = self._gauge(
            "kpi_value",
            "Value of the newest closed window of KPIs with `publish: true`, where `kpi_gauges` is on.",
            ("kpi", "series"),
        )
        self.kpi_values_dropped = self._counter("kpi_values_dropped", "KPI values not shown: too many series.", ())

    def _declare_progress(self) -> None:
        self.consumer_lag = self._gauge("consumer_lag_records", "Records not yet read.", ("topic", "partition"))
        self.watermark_delay = self._gauge(
            "watermark_delay_seconds",
            "How far the newest event time lies behind the time of day (live) or the last tick (replay).",
            ("partition",),
        )
        self.progress_age = self._gauge("progress_age_seconds", "Time since the least advanced part moved on.", ())
        self.ready = self._gauge("ready", "1 when recovered and consuming, else 0.", ())
        self.partitions = self._gauge(
            "partitions", "Partitions of measurements and of findings, whoever works on them.", ("topic",)
        )
        self.heartbeats = self._counter(
            "heartbeats",
            "Heartbeats to `heartbeat_url`: sent, failed, or withheld because the worker did not get on.",
            ("outcome",),
        )

    def _declare_state(self) -> None:
        self.checkpoints = self._counter("checkpoints", "Checkpoints completed.", ("stage",))
        self.checkpoint_bytes = self._counter("checkpoint_bytes", "Bytes of pages written.", ("stage",))
        self.checkpoint = self._histogram("checkpoint_seconds", "Time to write a checkpoint.", ("stage",), _SECONDS)
        self.checkpoint_cpu = self._counter(
            "checkpoint_cpu_seconds", "CPU that checkpoints have used on the event loop.", ("stage",)
        )
        self.checkpoint_interval = self._gauge(
            "checkpoint_interval_seconds",
            "Rest between checkpoints that a bound asks for: `cpu` by what the last one cost, `replay` at the most.",
            ("bound",),
        )
        self.replay = self._gauge(
            "replay_seconds", "Work that would be done again if the worker died now, on the worst partition.", ()
        )
        self.recovery = self._histogram(
            "recovery_seconds", "Time from claiming a partition to being ready on it.", ("stage",), _SECONDS
        )
        self.rule_set_info = self._gauge("rule_set_info", "1 for the rule set that runs, by its hash.", ("hash",))
        self.reload_successful = self._gauge(
            "reload_successful",
            "1 when the rules that were last to be read are in place, 0 when they were refused.",
            (),
        )
        self.build_info = self._gauge("build_info", "1, by version and semantics version.", ("version", "semantics"))

    def _counter(self, name: str, meaning: str, labels: Sequence[str]) -> Counter:
        self._note(f"{name}_total", "counter", meaning, labels)
        return Counter(f"counterpoint_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, labels: Sequence[str]) -> Gauge:
        self._note(name, "gauge", meaning, labels)
        return Gauge(f"counterpoint_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
        self._note(name, "histogram", meaning, labels)
        return Histogram(f"counterpoint_{name}", meaning, labels, registry=self.registry, buckets=buckets)

    def _note(
        self, name: str, kind: Literal["counter", "gauge", "histogram"], meaning: str, labels: Sequence[str]
    ) -> None:
        self.declarations.append(Declaration(f"counterpoint_{name}", kind, meaning, tuple(labels)))


class KpiGauges:
    """Newest KPI values as gauges, for at most `series_max` series; further ones are counted as dropped."""

    def __init__(self, metrics: Metrics, series_max: int) -> None:
        self._metrics = metrics
        self._series_max = series_max
        self._shown: set[tuple[str, str]] = set()

    def show(self, kpi: str, series: str, value: float) -> bool:
        """Show the value of a series; False when it was dropped."""
        if (kpi, series) not in self._shown:
            if len(self._shown) >= self._series_max:
                self._metrics.kpi_values_dropped.inc()
                return False
            self._shown.add((kpi, series))
        self._metrics.kpi_value.labels(kpi, series).set(value)
        return True

    def forget(self, kpi: str, series: str) -> None:
        """Take a series out: its partition was given away, or its KPI is gone."""
        if (kpi, series) in self._shown:
            self._shown.remove((kpi, series))
            self._metrics.kpi_value.remove(kpi, series)
