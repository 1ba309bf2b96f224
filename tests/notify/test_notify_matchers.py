from __future__ import annotations

import pytest

from engine.errors import ConfigError
from engine.model.audit import Matcher
from engine.notify.matchers import format_matcher, matches, parse_matcher

LABELS = {"rule": "late-share", "severity": "warning", "origin": "EWR"}


@pytest.mark.parametrize(
    ("text", "matcher", "holds"),
    [
        ("severity=warning", Matcher("severity", "warning"), True),
        ("severity!=warning", Matcher("severity", "warning", negate=True), False),
        ("rule=~late.*", Matcher("rule", "late.*", regex=True), True),
        ("rule=~late", Matcher("rule", "late", regex=True), False),
        ("rule!~late.*", Matcher("rule", "late.*", regex=True, negate=True), False),
        ("origin=", Matcher("origin", ""), False),
        ("carrier=", Matcher("carrier", ""), True),
        ("carrier!=UA", Matcher("carrier", "UA", negate=True), True),
        ("origin=~(EWR|JFK)", Matcher("origin", "(EWR|JFK)", regex=True), True),
        ("about=a=b", Matcher("about", "a=b"), False),
    ],
)
def test_a_matcher_is_read_written_and_held_against_labels(text: str, matcher: Matcher, holds: bool):  # noqa: FBT001
    assert parse_matcher(text) == matcher
    assert format_matcher(matcher) == text
    assert matches([matcher], LABELS) is holds


def test_all_matchers_must_hold_and_none_hold_always():
    assert matches([], LABELS)
    assert not matches([parse_matcher("origin=EWR"), parse_matcher("severity=info")], LABELS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("severity", "expected LABEL=VALUE"),
        ("=x", "expected LABEL=VALUE"),
        ("rule=~(", "expected a regular expression"),
        ("rule=~(a+)+b", "without repeated groups"),
        ("rule=~" + "a" * 201, "at most 200 characters, found 201"),
    ],
)
def test_what_is_wrong_with_a_matcher_is_said(text: str, message: str):
    with pytest.raises(ConfigError, match=message):
        parse_matcher(text)
