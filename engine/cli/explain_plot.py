"""`--plot`: a trigger as a picture."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import typer

from engine.errors import ConfigError, WireError
from engine.offline.explain.case import case_of
from engine.offline.plot.compose import picture_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.offline.explain.case import Case
    from engine.offline.explain.given import Given
    from engine.offline.plot.picture import Around

FORMATS = (".png", ".svg")


def case_to_plot(found: Sequence[Given], file: Path) -> Case:
    """The one trigger that is to be drawn. BadParameter, or ConfigError without matplotlib, before anything is done."""
    if file.suffix not in FORMATS:
        raise typer.BadParameter(f"--plot: expected a file that ends in .png or .svg, found {file}")
    if find_spec("matplotlib") is None:
        raise ConfigError(
            ["--plot: expected matplotlib, found none; install it with `pip install 'counterpoint-kpi[plot]'`"]
        )
    if len(found) != 1:
        raise typer.BadParameter(f"--plot: expected one trigger, found {len(found)}; name it with --only")
    try:
        if found[0].trigger is not None:
            return case_of(found[0].trigger)
    except WireError as error:
        raise typer.BadParameter(f"--plot: {error.detail}") from error
    raise typer.BadParameter("--plot: expected a trigger, found something of another shape")


def plot_case(case: Case, around: Around, file: Path) -> None:
    """Draw it. BadParameter when there is nothing to be seen."""
    from engine.offline.plot.draw import draw  # noqa: PLC0415 (it needs matplotlib)

    picture = picture_of(case, around)
    if picture is None:
        raise typer.BadParameter("--plot: this trigger has no evidence to be seen; take an earlier one of its review")
    draw(picture, file)
    typer.echo(f"Wrote {file}.", err=True)
