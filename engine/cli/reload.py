"""`counterpoint reload`: the running workers take up changed rules."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, RulesOption, SetOption, read_settings
from engine.cli.who import WhoOption, whoever
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet
    from engine.runtime.reload import Reloaded
    from engine.runtime.settings import Settings


def reload(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    rules: RulesOption = None,
    given: SetOption = None,
    who: WhoOption = None,
    seconds: Annotated[int, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for them.")] = 60,
) -> None:
    """Check the rules, and have the running workers take them up: the same as SIGHUP to one of them, from anywhere.

    Returns when the new rules are in force, two or three ticks later: whatever is sent after that is evaluated by them.
    (In a replay, where the ticks come with the data, from the next tick on.) Rules that are not sound change nothing.
    The audit trail notes who asked, and what the rules change: `counterpoint audit list`.

    Exit status 0: in force, or it was already. 1: not sound, or no worker has taken them up in time; they are stored
    then, and the workers take them up when they run.
    """
    settings = read_settings(config, given, brokers=brokers, prefix=prefix, rules=rules)
    rule_set = load_or_raise(settings.rules)
    done = asyncio.run(_reload(settings, rule_set, seconds, whoever(who)))
    for kpi, fields in done.redefined.items():
        typer.echo(
            f"warning: {kpi} has another {' and another '.join(fields)}, and the same version: its rules go on with "
            "what they have learned. If its values jump, raise its `version`.",
            err=True,
        )
    if done.number is None:
        typer.echo(f"The rule set {rule_set.hash} is the one that was asked for last; nothing changed.")
    elif done.waiting:
        typer.echo(
            f"The rule set {rule_set.hash} is asked for, but partitions {', '.join(map(str, done.waiting))} have not "
            f"taken it up within {seconds} s: is a worker running?",
            err=True,
        )
        raise typer.Exit(1)
    else:
        since = "from the next tick on" if settings.domain == "replay" else "now"
        typer.echo(f"The rule set {rule_set.hash} is in force in every partition {since}.")


async def _reload(settings: Settings, rule_set: RuleSet, seconds: int, who: str) -> Reloaded:
    from engine.runtime.kafka_log import KafkaLog  # noqa: PLC0415 - the line above has checked rules and settings
    from engine.runtime.reload import reload as ask  # noqa: PLC0415
    from engine.runtime.rule_sets import Asker  # noqa: PLC0415

    now = time.time_ns() // 1_000
    tick = now // settings.tick_interval + 2 if settings.domain == "live" else None
    async with KafkaLog(",".join(settings.brokers), settings.prefix) as log:
        return await ask(log, rule_set, tick, seconds, Asker(who, now))
