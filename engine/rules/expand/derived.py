"""A document that was made from another one: its problems are told in the place of what it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.rules.shape import declare_one
from engine.rules.source import Document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.rules.declared import Declarations
    from engine.rules.problems import Problem
    from engine.rules.source import Mark, Path_


class Derived(Document):
    """`data` as if it had been written at `prefix` of `origin`; what is not there is where it would be."""

    def __init__(self, origin: Document, prefix: Path_, data: object) -> None:
        self.file = origin.file
        self.data = data
        self._origin = origin
        self._prefix = prefix

    def value_at(self, path: Path_) -> Mark:
        """See `Document`."""
        return self._origin.value_at((*self._prefix, *path))

    def key_at(self, path: Path_) -> Mark:
        """See `Document`."""
        return self._origin.key_at((*self._prefix, *path))


def declare_derived(
    declarations: Declarations, origin: Document, prefix: Path_, data: dict[str, Any]
) -> Iterable[Problem]:
    """Declare `data` as if it had been written at `prefix` of `origin`."""
    return declare_one(declarations, Derived(origin, prefix, data))
