"""A real Prometheus scrapes a worker with the shipped configuration, and its alerts come to a real Alertmanager."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from metrics_world import receiver, running, shown
from monitoring import eventually
from queries import expressions, filled_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess

    from monitoring import Alertmanager, Prometheus

    from engine.brokers.embedded import EmbeddedBroker

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def configuration(folder: Path, worker: int, alertmanager: int) -> Path:
    """The shipped one, at the ports of the test, a second a step."""
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")
    for shipped, here in (
        ("worker:9464", f"127.0.0.1:{worker}"),
        ("alertmanager:9093", f"127.0.0.1:{alertmanager}"),
        ("_interval: 15s", "_interval: 1s"),
        ("alerts.yml", str(DEPLOY / "prometheus" / "alerts.yml")),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    (folder / "prometheus.yml").write_text(text, "utf-8")
    return folder / "prometheus.yml"


def test_a_real_prometheus_sees_what_a_worker_shows_and_its_watchdog_barks(
    embedded: EmbeddedBroker,
    tmp_path: Path,
    prometheus: Callable[[Path], Prometheus],
    alertmanager: Callable[[Path], Alertmanager],
):
    def watched(port: int) -> None:
        receiving = alertmanager(DEPLOY / "alertmanager" / "alertmanager.yml")
        server = prometheus(configuration(tmp_path, port, receiving.port))
        eventually(lambda: server.query("sum(counterpoint_measurements_total) > 0"))
        eventually(lambda: server.query('counterpoint_triggers_total{type="opened"} > 0'))
        [up] = server.query('up{job="counterpoint"}')
        assert up["value"][1] == "1"
        [accepted] = server.query("sum(counterpoint_measurements_total)")
        assert float(accepted["value"][1]) == sum(shown(port)["counterpoint_measurements_total"].values())
        names = {series["metric"]["__name__"] for series in server.query('{job="counterpoint"}')}
        assert names >= {f"process_{what}" for what in ("start_time_seconds", "resident_memory_bytes", "open_fds")}
        eventually(lambda: "Watchdog" in server.firing())
        assert "CounterpointNoWorkers" not in server.firing()
        eventually(lambda: "Watchdog" in receiving.alerts())
        for expression in expressions():
            query = partial(server.query, filled_in(expression))
            # What happened before the first scrape is no increase: those are only understood.
            _ = query() if expression.endswith("> 0") else eventually(query)

    async def scenario() -> None:
        with receiver() as (url, _):
            async with running(embedded, tmp_path, url) as port:
                await asyncio.to_thread(watched, port)

    asyncio.run(scenario())


def test_promtool_finds_nothing_to_say_about_the_metrics(
    embedded: EmbeddedBroker, tmp_path: Path, promtool: Callable[..., CompletedProcess[str]]
):
    def moved(port: int) -> bool:
        return any(shown(port).get("counterpoint_triggers_total", {}).values())

    async def scenario() -> str:
        with receiver() as (url, _):
            async with running(embedded, tmp_path, url) as port:
                await asyncio.to_thread(eventually, lambda: moved(port))
                return await asyncio.to_thread(scraped, port)

    done = promtool("check", "metrics", given=asyncio.run(scenario()))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def scraped(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text
