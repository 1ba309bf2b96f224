"""Which series are meant, as written: a value, a list, or what is not meant."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from engine.rules.resolved.selector import Selector, matcher
from engine.rules.spec.scalars import refuse
from engine.rules.wording import nearest, shown

_WORDS: Final = ("not", "matches", "not_matches")
_VALUES: Final = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_PATTERN: Final = {"type": "string", "format": "regex"}
_SCHEMA: Final = {
    "anyOf": [
        *_VALUES["anyOf"],
        {
            "type": "object",
            "properties": {
                "not": {**_VALUES, "description": "Any value but these, or none at all"},
                "matches": {**_PATTERN, "description": "The whole value matches this"},
                "not_matches": {**_PATTERN, "description": "The whole value does not match this, or there is none"},
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    ]
}


def _chosen(value: object) -> str | Selector:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return Selector(values=_several(value))
    if isinstance(value, dict) and len(value) == 1:
        (word, meant), *_ = value.items()
        if word == "not":
            return Selector(values=_several(meant if isinstance(meant, list) else [meant]), negate=True)
        if word in _WORDS:
            return Selector(pattern=_pattern(meant), negate=word == "not_matches")
        close = nearest(word, _WORDS)
        raise _wrong(f"{shown(word)}", f"did you mean `{close}`?" if close else "use one of these words")
    raise _wrong(shown(value), "put a number in quotes: dimension values are text")


def _several(values: list[object]) -> tuple[str, ...]:
    texts = [value for value in values if isinstance(value, str)]
    if not texts or len(texts) < len(values):
        found = "an empty list" if not values else shown(next(value for value in values if not isinstance(value, str)))
        raise _wrong(found, "list texts; put numbers in quotes")
    return tuple(sorted(set(texts)))


def _pattern(value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(shown(value), "write the pattern as text, in quotes")
    try:
        matcher(value)
    except ValueError as error:
        raise refuse(
            "pattern-of-values",
            expected="a regular expression (RE2 and Rust know the same)",
            found=f"{shown(value)}: {error}",
            mend="it must match a value as a whole, and knows neither look-around nor back-references",
        ) from error
    return value


def _wrong(found: str, mend: str) -> Exception:
    expected = "a value, a list of values, or one of `{not: ...}`, `{matches: ...}` and `{not_matches: ...}`"
    return refuse("selector", expected=expected, found=found, mend=mend)


Chosen = Annotated[str | Selector, PlainValidator(_chosen), WithJsonSchema(_SCHEMA)]
