"""Samples for `counterpoint init`: the first rows of a file, the newest messages of a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli.newest_messages import newest_messages
from engine.client.files import sample_rows
from engine.errors import ConfigError, WireError
from engine.propose.sample import Row, Sample, of_columns, of_message
from engine.wire.json_text import JsonObject
from engine.wire.message import items_of, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHOWN = 60


def sample_of_file(path: Path, most: int) -> Sample:
    """At most so many rows of a file, from its beginning; ConfigError when it cannot be read."""
    rows = [of_columns(row) for row in sample_rows(path, most + 1)]
    return Sample(path.name, rows[:most], topic=False, whole=len(rows) <= most)


def sample_of_topic(bootstrap: str, topic: str, most: int) -> Sample:
    """The newest messages of a topic, oldest first; ConfigError when they are no JSON objects.

    BrokerError when there is no such topic, or no broker.
    """
    records = newest_messages(bootstrap, topic, most)
    rows: list[Row] = []
    refused: list[bytes] = []
    for _, record in records:
        value = record.value or b""
        try:
            rows += [of_message(tree) for tree in _objects(value)]
        except WireError:
            refused.append(value)
    if refused and not rows:
        raise ConfigError(
            [f"{topic}: expected JSON objects, found {_short(refused[0])} and {len(refused) - 1} more that are none"]
        )
    return Sample(topic, rows, topic=True, whole=len(records) < most)


def _objects(value: bytes) -> Iterator[JsonObject]:
    items = items_of(value)
    for item in [value] if items is None else items:
        tree = tree_of(item) if isinstance(item, bytes) else item
        if not isinstance(tree, JsonObject):
            raise WireError("not_an_object", "expected a JSON object")
        yield tree


def _short(value: bytes) -> str:
    return repr(value[:_SHOWN].decode(errors="replace"))
