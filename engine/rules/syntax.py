"""What the YAML parser could not read, in words, and what can still be told about it."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from engine.rules.problems import Problem

_KIND = re.compile(rb"^kind:[ \t]+([a-z]+)[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_ID = re.compile(rb"^id:[ \t]+([a-z0-9][a-z0-9._-]*)[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_OTHERWISE = "check quotes, brackets and indent on this line and the one above it"
_MENDS = (
    ("cannot start any token", "indent with spaces, not tabs, and put text that begins with @, `, % or & in quotes"),
    ("mapping values are not allowed", 'put text that holds ": " in quotes, or check the indent of this line'),
    ("unexpected end of stream", "close the quote or bracket that is open"),
    (
        "did not find expected ',' or",
        "close the bracket, put a comma between the items, or put text that holds brackets in quotes",
    ),
    ("did not find expected key", "check the indent: the keys of one mapping begin in one column"),
    ("could not find expected ':'", "write `key: value`, with a space after the colon"),
    ("undefined alias", "name an anchor (`&name`) of the same document, or put the text in quotes"),
    ("duplicate anchor", "give each anchor of a document its own name"),
)


class Salvage(NamedTuple):
    """What an unreadable document probably declares; null where not even that can be told.

    It keeps one syntax error from making every reference to that document look wrong.
    """

    kind: str | None
    id: str | None


def salvage(content: bytes) -> Salvage:
    """The `kind` and `id` of an unreadable document, if they stand on lines of their own."""
    kind, identifier = _KIND.search(content), _ID.search(content)
    return Salvage(kind and kind[1].decode(), identifier and identifier[1].decode())


def syntax_problem(file: str, content: bytes, error: yaml.YAMLError) -> Problem:
    """The parser's error as a problem at its place."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return _problem(file, line, column, _said(error))
    if isinstance(error, yaml.reader.ReaderError):
        before = content[: error.position]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        return _problem(file, line, column, str(error.reason), "save the file as UTF-8 without control characters")
    return _problem(file, 1, 1, str(error), "split it, or flatten it")


def _said(error: yaml.MarkedYAMLError) -> str:
    context = f" {error.context}" if error.context else ""
    if error.context_mark and error.problem_mark and error.context_mark.line != error.problem_mark.line:
        context += f" that begins on line {error.context_mark.line + 1}"
    return f"{error.problem}{context}"


def _problem(file: str, line: int, column: int, found: str, mend: str | None = None) -> Problem:
    chosen = mend or next((text for sign, text in _MENDS if sign in found), _OTHERWISE)
    return Problem(file, line, column, "syntax", "YAML that can be read", f"an error: {found}", chosen)
