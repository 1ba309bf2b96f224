"""The root of the command line: finds a command, imports only that one, and turns errors into exit statuses.

Exit status 0: fine. 1: the engine refused, said on standard error in one message. 2: wrong usage.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from engine import __version__
from engine.cli.commands import COMMANDS, CommandEntry
from engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer._click import Command, Context


class LazyGroup(TyperGroup):
    """A group whose listing is made of summaries; a command's module is imported when it is asked for."""

    entries: tuple[CommandEntry, ...] = COMMANDS
    group = ""
    """What stands before the names of its commands where it is a group within the root."""

    def __init__(self, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]  # typer calls it; what it passes is its own business
        for entry in self.entries:
            self.add_command(TyperCommand(entry.name, help=entry.summary, rich_markup_mode=None))

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """As the group does, suggestions for a misspelt name included; then the real command takes the place."""
        name, command, rest = super().resolve_command(ctx, args)
        found = next((entry for entry in self.entries if entry.name == name), None)
        if found is not None:
            command = load_command(found, self.group)
        return name, command, rest


def load_command(entry: CommandEntry, group: str = "") -> Command:
    """Import a command's module and make the command of its function; a group imports nothing yet."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    if entry.commands:
        within = type("LazyGroup", (LazyGroup,), {"entries": entry.commands, "group": entry.name})
        app.callback(cls=within, help=entry.summary, epilog=entry.epilog, no_args_is_help=True)(_nothing)
    else:
        module, function = entry.place(group)
        app.command(entry.name, epilog=entry.epilog)(getattr(import_module(module), function))
    return get_command(app)


def _nothing() -> None:
    """What a group does before its command."""


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"counterpoint {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nStart here:\n  counterpoint demo\n  counterpoint COMMAND --help",
)


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Counterpoint calls a review when a KPI gets better at the cost of another.

    Measurements come in through Kafka; rules are evaluated over them; review triggers go out, with their evidence.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. `arguments` default to those of the process; ends by SystemExit, always."""
    try:
        get_command(app).main(args=arguments, prog_name="counterpoint")
    except EngineError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
