"""The core types of YAML 1.2: which text is null, a boolean, a number, and which is just text.

But for one: there are no hexadecimal numbers, lest the values `0x24` of a rule test, twenty-four zeros, be one of 36.
"""

from __future__ import annotations

import re
from typing import Final

_PREFIX: Final = "tag:yaml.org,2002:"
STR: Final = _PREFIX + "str"
MAP: Final = _PREFIX + "map"
SEQ: Final = _PREFIX + "seq"
PLAIN: Final = "plain"
"""The tag that a scalar without quotes and without a tag of its own gets until its text is looked at."""

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_NUMERIC_START: Final = frozenset("-+.0123456789")
_DIGITS_MAX: Final = 400


class UnreadableScalar(Exception):  # noqa: N818 - it is caught one call up and becomes a problem
    """A scalar that has no core type; says what was expected, found and how to mend it."""

    def __init__(self, expected: str, found: str, mend: str) -> None:
        self.expected = expected
        self.found = found
        self.mend = mend
        super().__init__(expected)


def resolve_plain(text: str) -> str | int | float | bool | None:
    """The value of a scalar without quotes; UnreadableScalar for a number of hundreds of digits."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if len(text) > _DIGITS_MAX and _FLOAT.match(text):
        raise UnreadableScalar(f"a number of at most {_DIGITS_MAX} digits", f"{len(text)} digits", "shorten it")
    return _number(text)


def resolve_tagged(tag: str, text: str) -> str | int | float | bool | None:
    """The value of a scalar with a tag like `!!int`; UnreadableScalar when tag and text do not fit."""
    value = resolve_plain(text)
    if tag == _PREFIX + "float" and type(value) is int:
        return float(value)
    wanted = {"null": type(None), "bool": bool, "int": int, "float": float}.get(tag.removeprefix(_PREFIX))
    if wanted is None:
        raise UnreadableScalar("a plain value", f"the tag {shown_tag(tag)}", "leave the tag out")
    if type(value) is not wanted:
        raise UnreadableScalar(f"text that fits the tag {shown_tag(tag)}", f'"{text[:40]}"', "leave the tag out")
    return value


def shown_tag(tag: str) -> str:
    """A tag as people write it: `!!int`."""
    return tag.replace(_PREFIX, "!!", 1)


def _number(text: str) -> str | int | float:
    if _INT.match(text):
        return int(text)
    if _OCTAL.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    if _SPECIAL.match(text):
        return float(text.replace(".", "", 1))
    return text
