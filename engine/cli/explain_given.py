"""The triggers that a command line names: by id, or in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from engine.brokers.reader import read_values
from engine.errors import WireError
from engine.model.topics import full_name
from engine.offline.explain.given import Given, given, read_given
from engine.offline.explain.log_stages import TOLD_IN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.runtime.settings import Settings

_STANDARD_INPUT = "-"


def is_file(trigger: str) -> bool:
    """Whether it names a file, or standard input."""
    return trigger == _STANDARD_INPUT or Path(trigger).is_file()


def triggers_named(trigger: str, only: str | None, settings: Settings) -> list[Given]:
    """The triggers that are meant. BadParameter when there is none, or more than one begins so."""
    try:
        if not is_file(trigger):
            return [_one(_in_topics(settings, trigger), trigger, " or ".join(TOLD_IN))]
        there = read_given(sys.stdin.buffer.read() if trigger == _STANDARD_INPUT else Path(trigger).read_bytes())
    except WireError as error:
        raise typer.BadParameter(error.detail, param_hint="TRIGGER") from error
    return there if only is None else [_one(there, only, trigger)]


def _in_topics(settings: Settings, beginning: str) -> list[Given]:
    return [
        given(msgspec.json.decode(value))
        for topic in TOLD_IN
        for value in read_values(",".join(settings.brokers), full_name(settings.prefix, topic))
        if b'"id":"' + beginning.encode() in value
    ]


def _one(there: Iterable[Given], beginning: str, where: str) -> Given:
    by_id = {each.id: each for each in there if each.id.startswith(beginning)}
    if beginning in by_id:
        return by_id[beginning]
    if len(by_id) == 1:
        return by_id.popitem()[1]
    if not by_id:
        message = f"expected a file or the id of a trigger, found neither {beginning!r} here nor such an id in {where}"
        raise typer.BadParameter(message, param_hint="TRIGGER")
    listed = "\n".join(f"  {name}  {each.event['data'].get('explanation')}" for name, each in sorted(by_id.items()))
    raise typer.BadParameter(f"expected one id, found {len(by_id)} that begin so:\n{listed}", param_hint="TRIGGER")
