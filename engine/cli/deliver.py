"""`counterpoint deliver`: runs the delivery worker until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from engine.cli.delivery_file import DeliveryOption, delivery_path, read_delivery
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, StartAtOption, read_settings
from engine.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from engine.deliver.file import DeliveryFile
    from engine.runtime.settings import Settings


def deliver(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    delivery: DeliveryOption = None,
    start_at: StartAtOption = None,
    http_port: Annotated[
        int | None, typer.Option("--http-port", help="Port of /metrics, /healthz and /readyz.")
    ] = None,
    given: SetOption = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Check the delivery file, and deliver nothing.")] = False,
) -> None:
    """Tell people and programs of reviews, as the delivery file says.

    Each receiver gets each transition of each review, in order, at least once, through restarts: a notification log in
    Kafka says how far each is. One worker delivers; a second one waits until it is gone. Topics must be there
    (`counterpoint topics`). SIGTERM and Ctrl-C finish what is being sent.

    Ends with status 0 when it was told to stop, with 1 and the reason when it failed: let something start it again.
    """
    settings = read_settings(
        config, given, brokers=brokers, prefix=prefix, delivery=delivery, start_at=start_at, http_port=http_port
    )
    file, warnings = read_delivery(settings)
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    if check:
        counts = f"{len(file.receivers)} receivers, {len(file.routes)} routes"
        typer.echo(f"ok: {delivery_path(settings)}: {counts}")
        return
    _run(settings, file)


def _run(settings: Settings, file: DeliveryFile) -> None:
    # Imported here: settings and file are checked before aiokafka takes its time to load.
    from engine.brokers.topics import TopicAdmin, plan  # noqa: PLC0415
    from engine.deliver.service import serve  # noqa: PLC0415
    from engine.stream.logs import set_up_logs  # noqa: PLC0415

    if settings.security_protocol != "PLAINTEXT":
        raise ConfigError(
            [
                (
                    f"security_protocol: this version of the delivery worker speaks PLAINTEXT only, found "
                    f"{settings.security_protocol}; leave it out and reach the brokers through a local TLS proxy"
                )
            ]
        )
    topics = plan(settings.prefix, settings.measurement_partitions, settings.finding_partitions)
    TopicAdmin(",".join(settings.brokers)).verify(topics)
    set_up_logs(settings.log_format, settings.log_level)
    try:
        asyncio.run(serve(settings, file))
    except EngineError as error:
        # In the form of the log: whoever collects it must not meet plain text at its end.
        structlog.get_logger(__name__).critical("delivery worker ended by a failure", reason=str(error))
        raise typer.Exit(1) from None
