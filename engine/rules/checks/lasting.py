"""`for` and `keep_firing_for` stand where points or windows are judged one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations
    from engine.rules.problems import Problem

_LASTING: Final = ("for", "keep_firing_for")
_INSTEAD: Final = {
    "composite": "write it on the rules that it joins",
    "missing_data": "`after` says how long a series may be silent, and the next measurement ends it",
}


def check_lasting(declarations: Declarations) -> Iterator[Problem]:
    """They are no fields of conditions that are on or off by what others say, or by the clock."""
    for rule in declarations.rules.values():
        condition = rule.data.get("condition")
        named = [name for name in _INSTEAD if isinstance(condition, dict) and name in condition]
        for field in _LASTING:
            if named and field in rule.data:
                yield rule.problem(
                    (field,),
                    "nothing-to-last",
                    expected=f"no `{field}` beside `{named[0]}`",
                    found="one",
                    mend=f"leave it out: {_INSTEAD[named[0]]}",
                    at_key=True,
                )
