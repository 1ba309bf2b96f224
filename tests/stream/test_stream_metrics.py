"""What a worker shows at /metrics after real work: every metric that is declared has moved, in a text that parses."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from metrics_world import receiver, running, shown
from prometheus_client import CollectorRegistry

from engine.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from pathlib import Path

    from metrics_world import Shown

    from engine.brokers.embedded import EmbeddedBroker

MAY_BE_ZERO = {
    "counterpoint_consumer_lag_records",
    "counterpoint_progress_age_seconds",
    "counterpoint_replay_seconds",
}


def unmoved(values: Shown) -> list[str]:
    """Declared metrics that show nothing, or nothing above zero though they should."""
    names = [declaration.name for declaration in Metrics(CollectorRegistry()).declarations]
    return [
        name
        for name in names
        if not values.get(name) or (name not in MAY_BE_ZERO and not any(value > 0 for value in values[name].values()))
    ]


def test_every_declared_metric_moves_in_a_run_that_has_to_do_with_it(embedded: EmbeddedBroker, tmp_path: Path):
    async def scenario() -> None:
        values: Shown = {}
        with receiver() as (url, _):
            async with running(embedded, tmp_path, url, goes_on=True) as port:
                with suppress(TimeoutError):
                    async with asyncio.timeout(60):
                        while unmoved(values):
                            await asyncio.sleep(0.5)
                            values = await asyncio.to_thread(shown, port)
        assert unmoved(values) == []
        assert_consistent(values)

    asyncio.run(scenario())


def assert_consistent(values: Shown) -> None:
    """What is counted in two places agrees, and nothing shows that should not."""
    shadow = {rule for rule, _ in values["counterpoint_shadow_findings_total"]}
    assert shadow == {"load-very-high", "load-anywhere"}
    found = values["counterpoint_findings_total"]
    for (rule, state), count in values["counterpoint_shadow_findings_total"].items():
        assert count == sum(number for (name, entered, _), number in found.items() if (name, entered) == (rule, state))
    assert [rule for (rule,), count in values["counterpoint_reviews_open"].items() if count] == ["load-high"]
    refused = values["counterpoint_dead_letters_total"]["too_many_series",]
    assert values["counterpoint_limits_reached_total"]["series_per_kpi_max",] == refused
    assert len(values["counterpoint_kpi_value"]) == 1
