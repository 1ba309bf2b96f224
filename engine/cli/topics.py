"""`counterpoint topics`: the engine's own topics, planned, made and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.brokers.topics import TopicAdmin, plan
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.brokers.topics import Topic


def topics(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    plan_only: Annotated[bool, typer.Option("--plan", help="Show what would be made, and make nothing.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the topics of the plan, and no other.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
) -> None:
    """Make the engine's own topics and check those that are there.

    The topics stand under the prefix; partition counts and prefix are settings. What is there already must have the
    planned partition counts and cleanup policy: a mismatch is refused, with the way to mend it.
    """
    if plan_only and delete:
        raise typer.BadParameter("expected one of --plan and --delete, found both")
    settings = read_settings(config, given, brokers=brokers, prefix=prefix)
    wanted = plan(settings.prefix, settings.measurement_partitions, settings.finding_partitions)
    if plan_only:
        _show(wanted)
        return
    admin = TopicAdmin(",".join(settings.brokers))
    if delete:
        _delete(admin, wanted, yes=yes)
        return
    made = admin.create(wanted, replication=settings.replication_factor)
    _show(wanted, dict.fromkeys(made, "made") | {t.name: "as planned" for t in wanted if t.name not in made})


def _delete(admin: TopicAdmin, wanted: Sequence[Topic], *, yes: bool) -> None:
    there = admin.partitions()
    names = [topic.name for topic in wanted if topic.name in there]
    if not names:
        typer.echo("None of the topics of the plan is there; nothing to delete.")
        return
    typer.echo("\n".join(names))
    if not yes:
        typer.confirm(f"Delete these {len(names)} topics and all that stands in them?", abort=True)
    admin.delete(wanted)
    typer.echo(f"Deleted {len(names)} topics.")


def _show(wanted: Sequence[Topic], states: Mapping[str, str] | None = None) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("topic", "partitions", "cleanup", "kept", *(("state",) if states else ())):
        table.add_column(title, justify="right" if title == "partitions" else "left", no_wrap=title == "topic")
    for topic in wanted:
        state = (states[topic.name],) if states else ()
        table.add_row(topic.name, str(topic.partitions), topic.cleanup, topic.kept, *state)
    Console().print(table)
