"""What is wrong with a file: where, what was expected, what was found, and how to mend it."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["error", "warning"]


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing to mend. `line` and `column` count from 1; `code` is short and stable (`unknown-owner`).

    An error keeps a rule set from loading, a warning does not.
    """

    file: str
    line: int
    column: int
    code: str
    expected: str
    found: str
    mend: str
    severity: Level = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """The problem without its place: `expected ..., found ...; how to mend it`."""
        return f"expected {self.expected}, found {self.found}; {self.mend}"


def has_errors(problems: tuple[Problem, ...] | list[Problem]) -> bool:
    """Whether anything in there keeps a rule set from loading."""
    return any(problem.severity == "error" for problem in problems)
