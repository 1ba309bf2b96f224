"""Matchers of labels as people write them: `severity=critical`, `origin!=EWR`, `rule=~late.*`, `rule!~test-.*`.

Routes, silences and the selectors of `counterpoint reviews` share them. Library: re; google-re2 would bound the time of
any pattern, here patterns are short and have no repeated groups instead.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.errors import ConfigError
from engine.model.audit import Matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PATTERN_MAX = 200
"""Characters of a regular expression."""

_WRITTEN = re.compile(r"(?P<label>[^=!~\s]+)(?P<operator>=~|!~|!=|=)(?P<value>.*)", re.DOTALL)
_REPEATED_GROUP = re.compile(r"(?<!\\)\)[*+{]")


def parse_matcher(text: str) -> Matcher:
    """The matcher that `text` writes; ConfigError says what is wrong with it."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ConfigError([f"{text!r}: expected LABEL=VALUE, LABEL!=VALUE, LABEL=~PATTERN or LABEL!~PATTERN"])
    operator = found["operator"]
    matcher = Matcher(found["label"], found["value"], regex="~" in operator, negate="!" in operator)
    check_matcher(matcher)
    return matcher


def check_matcher(matcher: Matcher) -> None:
    """ConfigError when its pattern cannot be used."""
    if not matcher.regex:
        return
    pattern = matcher.value
    if len(pattern) > PATTERN_MAX:
        raise ConfigError(
            [f"{matcher.label}: expected a pattern of at most {PATTERN_MAX} characters, found {len(pattern)}"]
        )
    if _REPEATED_GROUP.search(pattern):
        raise ConfigError(
            [f"{matcher.label}: expected a pattern without repeated groups such as (a+)*, found {pattern!r}"]
        )
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConfigError([f"{matcher.label}: expected a regular expression, found {pattern!r}: {error}"]) from error


def format_matcher(matcher: Matcher) -> str:
    """The inverse of `parse_matcher`."""
    operator = ("!" if matcher.negate else "=") + ("~" if matcher.regex else "")
    if matcher.negate and not matcher.regex:
        operator = "!="
    return f"{matcher.label}{operator}{matcher.value}"


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of them hold; a label that is not there counts as empty. True where there are none."""
    return all(_holds(matcher, labels.get(matcher.label, "")) for matcher in matchers)


def _holds(matcher: Matcher, value: str) -> bool:
    if not matcher.regex:
        return (value == matcher.value) is not matcher.negate
    return (_compiled(matcher.value).fullmatch(value) is not None) is not matcher.negate


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
