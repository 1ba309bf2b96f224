"""`counterpoint broker`: the embedded broker in the foreground."""

from __future__ import annotations

import signal
import threading

import typer

from engine.brokers.embedded import NOTICE, EmbeddedBroker
from engine.brokers.topics import plan
from engine.cli.settings import ConfigOption, PrefixOption, SetOption, read_settings


def broker(config: ConfigOption = None, prefix: PrefixOption = None, given: SetOption = None) -> None:
    """Run the embedded broker, with the engine's own topics in it, until Ctrl-C.

    It is for trying and testing: in memory, at most 5 MB a partition, forgotten when it stops. The first line on
    standard output is its address; hand it to the other commands with --brokers or COUNTERPOINT_BROKERS.
    """
    settings = read_settings(config, given, prefix=prefix)
    wanted = plan(settings.prefix, settings.measurement_partitions, settings.finding_partitions)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with EmbeddedBroker() as running:
        running.create_topics({topic.name: topic.partitions for topic in wanted})
        typer.echo(running.bootstrap)
        typer.echo(NOTICE, err=True)
        typer.echo(f"Topics: {', '.join(f'{topic.name} ({topic.partitions})' for topic in wanted)}", err=True)
        typer.echo(f"In another terminal: export COUNTERPOINT_BROKERS={running.bootstrap}", err=True)
        stopped.wait()
