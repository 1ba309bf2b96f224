"""`counterpoint broker`: the embedded broker in the foreground."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from engine.brokers.embedded import NOTICE, EmbeddedBroker
from engine.brokers.feed import Feed
from engine.brokers.relay import Relay
from engine.brokers.topics import plan
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings

_LOOPBACK = ("127.0.0.1:", "localhost:")


def broker(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    topic: Annotated[
        list[str] | None,
        typer.Option("--topic", metavar="NAME[=FILE]", help="A topic of others beside our own. Repeatable."),
    ] = None,
) -> None:
    """Run the embedded broker, with the engine's own topics in it, until Ctrl-C.

    It is for trying and testing: in memory, at most 5 MB a partition, forgotten when it stops. It listens where the
    setting `brokers` says, so that the other commands find it; where that address is taken, at another, which the first
    line on standard output names.

    With --topic NAME it also has a topic as others would write it, of one partition; with --topic NAME=FILE the lines
    of a file are its messages, and what is appended to the file follows.
    """
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    wanted = plan(settings.prefix, settings.measurement_partitions, settings.finding_partitions)
    foreign = dict(_named(each) for each in topic or ())
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with EmbeddedBroker() as running, ExitStack() as stack:
        counts = {each.name: each.partitions for each in wanted} | dict.fromkeys(foreign, 1)
        running.create_topics(counts)
        for name, file in foreign.items():
            if file is not None:
                _feed(Feed(running.bootstrap, name, 1, file), stopped, stack)
        address = _listen(settings.brokers[0], running.bootstrap, stack)
        typer.echo(address)
        typer.echo(NOTICE, err=True)
        typer.echo(f"Topics: {', '.join(f'{name} ({count})' for name, count in counts.items())}", err=True)
        if address != settings.brokers[0]:
            typer.echo(f"{settings.brokers[0]} is not free: this is at {address}. In other terminals:", err=True)
            typer.echo(f"  export COUNTERPOINT_BROKERS={address}", err=True)
        stopped.wait()


def _named(text: str) -> tuple[str, Path | None]:
    name, equals, file = text.partition("=")
    if equals and not Path(file).is_file():
        raise typer.BadParameter(f"--topic {name}: expected a file of messages, one a line, found no file {file!r}")
    return name, Path(file) if equals else None


def _feed(feed: Feed, stopped: threading.Event, stack: ExitStack) -> None:
    feed.send_new()
    thread = threading.Thread(target=feed.follow, args=(stopped,), daemon=True)
    thread.start()
    stack.callback(thread.join)


def _listen(wanted: str, bootstrap: str, stack: ExitStack) -> str:
    """The address that clients are to use: the wanted one if it can be had."""
    if not wanted.startswith(_LOOPBACK):
        return bootstrap
    try:
        stack.enter_context(Relay(wanted, bootstrap))
    except OSError:
        return bootstrap
    return wanted
