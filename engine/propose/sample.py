"""A sample of rows: what a file or topic holds, flattened to named columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.wire.json_text import NotFinite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEPTH_MAX = 8
COLUMNS_MAX = 300
"""A wider message is cut: what lies so deep or so far out is named by hand."""

Row = dict[str, object]
"""A column's name (in a message the path to it) and what stands there; what is empty is left out."""


class Sample(NamedTuple):
    """What was looked at. `name` is the file's or topic's; `whole` says whether it is all that there was."""

    name: str
    rows: Sequence[Row]
    topic: bool
    whole: bool

    @property
    def noun(self) -> str:
        """What a row is called there."""
        return "message" if self.topic else "row"


def of_columns(row: Mapping[str, object]) -> Row:
    """A row of a table; empty cells, and such as hold more than a value, are left out."""
    return {
        name: value
        for name, value in row.items()
        if name and value is not None and value != "" and not isinstance(value, dict | list)
    }


def of_message(tree: object) -> Row:
    """A JSON object with every scalar by its path (`a.b[0].c`, of a list the first item); null is left out."""
    return dict(_leaves(tree, "", 0))


def _leaves(tree: object, path: str, depth: int) -> Iterator[tuple[str, object]]:
    if depth > DEPTH_MAX:
        return
    if isinstance(tree, dict) and not isinstance(tree, NotFinite):
        for name, value in tree.items():
            if _can_be_named(name):
                yield from _leaves(value, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(tree, list):
        if tree:
            yield from _leaves(tree[0], f"{path}[0]", depth + 1)
    elif path and tree is not None and tree != "":
        yield path, tree


def _can_be_named(name: object) -> bool:
    """Whether a path can lead through it: names with dots, brackets or spaces cannot be written."""
    return isinstance(name, str) and name != "" and not any(letter in ".[]" or letter.isspace() for letter in name)
