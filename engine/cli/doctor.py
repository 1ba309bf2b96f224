"""`counterpoint doctor`: looks at an installation, and says of each thing whether it is well and how to mend it."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, RulesOption, SetOption, load
from engine.errors import ConfigError
from engine.runtime.settings_sources import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.doctor.diagnosis import Diagnosis

_COLOURS = {
    "ok": typer.colors.GREEN,
    "warning": typer.colors.YELLOW,
    "problem": typer.colors.RED,
    "unknown": typer.colors.CYAN,
}


class ReportFormat(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"


def doctor(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    rules: RulesOption = None,
    given: SetOption = None,
    output: Annotated[ReportFormat, typer.Option("--format", help="For people, or for programs.")] = ReportFormat.TEXT,
) -> None:
    """Look at an installation: is it well, and how is what is not mended?

    Configuration, broker, topics and partition counts, retention, clocks, lag, stored state and its versions, and the
    port on this machine. Nothing is written. Give it the settings of the workers.

    Exit status 0: fine, warnings allowed. 1: there are problems. 2: wrong usage.
    """
    # Imported here, so that a misspelt option is answered at once.
    from engine.doctor.diagnosis import Diagnosis  # noqa: PLC0415
    from engine.doctor.examine import examine  # noqa: PLC0415

    try:
        loaded = load(config, given, brokers=brokers, prefix=prefix, rules=rules)
    except ConfigError as error:
        found = [Diagnosis("configuration", "settings", "problem", str(line)) for line in error.problems]
    else:
        found = examine(loaded, DEFAULT)
    typer.echo(_as_json(found) if output is ReportFormat.JSON else "\n".join(as_text(found)))
    if any(each.verdict == "problem" for each in found):
        raise typer.Exit(1)


def _as_json(found: Sequence[Diagnosis]) -> str:
    fine = not any(each.verdict == "problem" for each in found)
    counts = Counter(each.verdict for each in found)
    report = {"ok": fine, "counts": counts, "diagnoses": found}
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def as_text(found: Sequence[Diagnosis]) -> Iterator[str]:
    """The report for people, a line for what is well and three for what is not."""
    for area, diagnoses in groupby(found, key=lambda each: each.area):
        yield typer.style(area, bold=True)
        for each in diagnoses:
            yield from _lines(each)
    counts = Counter(each.verdict for each in found)
    colour = _COLOURS["problem" if counts["problem"] else "warning" if counts["warning"] else "ok"]
    summary = f"{counts['ok']} ok, {_plural(counts['warning'], 'warning')}, {_plural(counts['problem'], 'problem')}"
    unseen = f", {counts['unknown']} not looked at" if counts["unknown"] else ""
    yield typer.style(summary + unseen, fg=colour, bold=True)


def _lines(each: Diagnosis) -> Iterator[str]:
    mark = typer.style(f"{each.verdict:<8}", fg=_COLOURS[each.verdict])
    wanted = f"expected {each.expected}, found " if each.expected else ""
    yield f"  {mark} {each.about}: {wanted}{each.found}"
    if each.mend:
        yield f"           {each.mend}"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
