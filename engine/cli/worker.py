"""`counterpoint worker`: checks topics and rules, then runs the engine until it is told to stop."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from engine.cli.settings import (
    BrokersOption,
    ConfigOption,
    PrefixOption,
    RulesOption,
    SetOption,
    StartAtOption,
    read_settings,
)
from engine.errors import BrokerError, ConfigError, EngineError

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet
    from engine.runtime.settings import Settings
    from engine.stream.lane_maker import Stages


class DomainName(StrEnum):
    """Whose clock the ticks follow."""

    LIVE = "live"
    REPLAY = "replay"


def worker(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    rules: RulesOption = None,
    start_at: StartAtOption = None,
    domain: Annotated[
        DomainName | None,
        typer.Option(
            "--domain", help="live: this worker writes ticks of the wall clock; replay: the sender writes them."
        ),
    ] = None,
    http_port: Annotated[
        int | None, typer.Option("--http-port", help="Port of /metrics, /healthz and /readyz.")
    ] = None,
    given: SetOption = None,
) -> None:
    """Run the engine: measurements in, review triggers out.

    Start as many as there is work for; they share it by partitions. Topics must be there (`counterpoint topics`). The
    rules are read at the start and on SIGHUP; when they are wrong, a reload leaves the running ones in place. SIGTERM
    and Ctrl-C finish what is in work, write a checkpoint, and leave the group.

    Ends with status 0 when it was told to stop, with 1 and the reason when it failed: let something start it again.
    """
    settings = read_settings(
        config,
        given,
        brokers=brokers,
        prefix=prefix,
        rules=rules,
        start_at=start_at,
        domain=domain,
        http_port=http_port,
    )
    _run(settings)


def _run(settings: Settings) -> None:
    # Imported here: the line above has checked the settings before Faust and numba take their second to load.
    from engine.rules.loader import load_or_raise  # noqa: PLC0415
    from engine.runtime.allocation import keep_freed_memory, spare_the_collector  # noqa: PLC0415
    from engine.stream.logs import set_up_logs  # noqa: PLC0415
    from engine.stream.service import serve  # noqa: PLC0415

    if settings.security_protocol != "PLAINTEXT":
        # Better than to connect in the clear where something else was asked for.
        raise ConfigError(
            [
                (
                    f"security_protocol: this version of the worker speaks PLAINTEXT only, found "
                    f"{settings.security_protocol}; leave it out and reach the brokers through a local TLS proxy"
                )
            ]
        )
    keep_freed_memory()
    rule_set = load_or_raise(settings.rules)
    require_topics(settings, rule_set)
    set_up_logs(settings.log_format, settings.log_level)
    stages = real_stages()
    spare_the_collector()
    try:
        asyncio.run(serve(settings, rule_set, stages, load=lambda: load_or_raise(settings.rules)))
    except EngineError as error:
        # In the form of the log: whoever collects it must not meet plain text at its end.
        structlog.get_logger(__name__).critical("worker ended by a failure", reason=str(error))
        raise typer.Exit(1) from None


def real_stages() -> Stages:
    """The stages that evaluate rules and keep reviews."""
    from engine.kernels.warm import warm  # noqa: PLC0415
    from engine.runtime.stage1 import Stage1  # noqa: PLC0415
    from engine.runtime.stage2 import Stage2  # noqa: PLC0415
    from engine.stream.lane_maker import Stages  # noqa: PLC0415

    return Stages(evaluate=Stage1, review=Stage2, warm=warm)


def require_topics(settings: Settings, rule_set: RuleSet) -> None:
    """BrokerError when an own topic is not as the settings say, or a source's topic is not there."""
    from engine.brokers.topics import TopicAdmin, plan  # noqa: PLC0415

    admin = TopicAdmin(",".join(settings.brokers))
    admin.verify(plan(settings.prefix, settings.measurement_partitions, settings.finding_partitions))
    there = admin.partitions()
    missing = [source for source in rule_set.sources if source.topic not in there]
    if missing:
        raise BrokerError(
            "\n".join(
                f"source {source.id!r}: expected its topic {source.topic!r} at the broker, found none; correct its "
                "name, or make it: the engine makes no topics of others"
                for source in missing
            )
        )
