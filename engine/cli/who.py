"""`--who`: the name that stands in the audit trail."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

WhoOption = Annotated[
    str | None, typer.Option("--who", help="Who says it, as it will stand in the audit trail (else your user name).")
]


def whoever(who: str | None) -> str:
    """Who says it: `--who`, or the user's name."""
    try:
        return who or getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        raise typer.BadParameter("--who: expected a name, since this user has none") from None
