"""Which series a rule looks at, by the values of their dimensions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from pydantic_core import SchemaError, SchemaValidator, core_schema

if TYPE_CHECKING:
    from collections.abc import Mapping


class Selector(msgspec.Struct, frozen=True):
    """One of `values`, or what `pattern` matches as a whole; `negate`: what that is not, a missing value included."""

    values: tuple[str, ...] = ()
    pattern: str | None = None
    negate: bool = False

    def holds(self, value: str | None) -> bool:
        """Whether a dimension's value (null: the series does not have it) is meant."""
        if value is None:
            return self.negate
        meant = value in self.values if self.pattern is None else matcher(self.pattern).isinstance_python(value)
        return meant != self.negate


Where = dict[str, str | Selector]
"""By dimension: the one value that is meant, or what says which are."""


def selects(where: Mapping[str, str | Selector], dimensions: Mapping[str, str]) -> bool:
    """Whether a series with these dimension values is meant."""
    return all(
        dimensions.get(name) == wanted if isinstance(wanted, str) else wanted.holds(dimensions.get(name))
        for name, wanted in where.items()
    )


def words_of(wanted: str | Selector) -> str:
    """What is meant, in words: `eu`, `eu or us`, `not eu`, `like web-.*`."""
    if isinstance(wanted, str):
        return wanted
    meant = " or ".join(wanted.values) if wanted.pattern is None else f"like {wanted.pattern}"
    return f"not {meant}" if wanted.negate else meant


@lru_cache(maxsize=1000)
def matcher(pattern: str) -> SchemaValidator:
    """Matches a whole text; ValueError with a reason for what is no pattern.

    The engine is Rust's `regex`, which pydantic brings: its time grows with the length of the text and no faster,
    whatever the pattern (it knows no backtracking, as RE2 does not).
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=f"^(?:{pattern})$", regex_engine="rust-regex"))
    except SchemaError as error:
        reasons = [line.strip() for line in str(error).splitlines() if line.strip().startswith("error:")]
        raise ValueError(reasons[0].removeprefix("error: ") if reasons else "it is too large") from error
