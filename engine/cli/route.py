"""`counterpoint route test`: which receivers would be told, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.delivery_file import DeliveryOption, read_delivery
from engine.cli.settings import ConfigOption, SetOption, read_settings
from engine.deliver.assemble import routes_of
from engine.deliver.routes import receivers_of

if TYPE_CHECKING:
    from engine.deliver.file import DeliveryFile
    from engine.deliver.routes import Tried


def route_test(
    labels: Annotated[
        list[str], typer.Argument(metavar="LABEL=VALUE...", help="Labels of a review: severity=critical owner=ops.")
    ],
    config: ConfigOption = None,
    delivery: DeliveryOption = None,
    given: SetOption = None,
) -> None:
    """Say who would be told of a review with these labels, route by route.

    Labels are rule, severity, owner, objective, kpi, review, and the dimensions of the review; one that is not given
    is empty. Exit status 1: nobody would be told.
    """
    settings = read_settings(config, given, delivery=delivery)
    parsed = dict(map(_parse, labels))
    file, _ = read_delivery(settings)
    routes = routes_of(file)
    tried = routes.try_all(parsed)
    for each in tried:
        typer.echo(_line(each, parsed))
    receivers = receivers_of(tried, routes.default)
    if all(each.failed is not None for each in tried):
        typer.echo("no route takes it: it goes to the default")
    if not receivers:
        typer.echo("receivers: none, nobody would be told")
        raise typer.Exit(1)
    typer.echo("receivers:")
    for name in receivers:
        typer.echo(f"  {_receiver(file, name)}")


def _parse(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"expected LABEL=VALUE, found {text!r}", param_hint="LABEL=VALUE...")
    return name, value


def _line(tried: Tried, labels: dict[str, str]) -> str:
    route, failed = tried
    if failed is None:
        why = ", ".join(test.written for test in route.tests) or "it takes everything"
        onward = "; goes on" if route.goes_on else "; ends here"
        return f"route {route.id}: yes, {why} -> {', '.join(route.receivers) or 'nobody'}{onward}"
    found = labels.get(failed.matcher.label)
    shown = "is not given" if found is None else f"is {found!r}"
    return f"route {route.id}: no, {failed.written} is not met: {failed.matcher.label} {shown}"


def _receiver(file: DeliveryFile, name: str) -> str:
    spec = next(each for each in file.receivers if each.id == name)
    limit = "" if spec.on is None else f", only of {', '.join(spec.on)}"
    return f"{name} ({spec.type}{limit})"
