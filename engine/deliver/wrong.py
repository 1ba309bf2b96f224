"""What is wrong with a value that a delivery file holds; the value itself is left out."""

from __future__ import annotations

from typing import NamedTuple


class Wrong(NamedTuple):
    """The parts of a problem that do not depend on its place."""

    expected: str
    found: str
    mend: str
