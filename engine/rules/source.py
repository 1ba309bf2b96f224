"""YAML 1.2 (core types) read with the place of every node. The one file of this package that opens files.

PyYAML's C parser does the syntax; the types are resolved here, because PyYAML follows YAML 1.1: there `no` is false,
`017` is 15 and `12:30:45` is 45045. Merge keys (`<<`) and tags of one's own are not part of the core types.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave the C parser out
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.rules.core_types import MAP, PLAIN, SEQ, STR
from engine.rules.plain_values import Builder
from engine.rules.problems import Problem
from engine.rules.syntax import Salvage, salvage, syntax_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from engine.rules.problems import Level

FILE_BYTES_MAX = 16_000_000
BRACKETS_MAX = 1_000
"""Open at once. What is more is refused."""

_SUFFIXES = (".yaml", ".yml")
_DOCUMENT_START = re.compile(rb"^---(?=\s|$)", re.MULTILINE)
_DIRECTIVE = re.compile(rb"^%", re.MULTILINE)
_COMPACT_LISTS = re.compile(rb"(?:[-?:][ \t]+){100}")

Path_ = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in a file, both counted from 1; columns are characters."""

    line: int
    column: int


class Document:
    """One YAML document: `data` as plain values (dict, list, str, int, float, bool, None), and where each stands.

    A path is the keys and indexes that lead to a value. Parts of a path that the document does not have are passed
    over, so that the place of something missing is the place of what should hold it.
    """

    def __init__(self, file: str, root: Node, data: object) -> None:
        self.file = file
        self.data = data
        self._root = root

    def value_at(self, path: Path_) -> Mark:
        """Where the value at `path` begins."""
        return _mark(self._walk(path)[1])

    def key_at(self, path: Path_) -> Mark:
        """Where the key of the value at `path` begins; for an item of a list, the item."""
        return _mark(self._walk(path)[0])

    def problem(
        self,
        path: Path_,
        code: str,
        *,
        expected: str,
        found: str,
        mend: str,
        severity: Level = "error",
        at_key: bool = False,
    ) -> Problem:
        """A problem at the value at `path`, or at its key."""
        line, column = self.key_at(path) if at_key else self.value_at(path)
        return Problem(self.file, line, column, code, expected, found, mend, severity)

    def _walk(self, path: Path_) -> tuple[Node, Node]:
        key = value = self._root
        for part in path:
            key, value = _step(value, part) or (key, value)
        return key, value


class Read(NamedTuple):
    """What files held: documents, what is wrong with their syntax, and what can be told of unreadable documents."""

    documents: list[Document]
    problems: list[Problem]
    salvaged: list[Salvage]
    files: int


def is_test_file(name: str) -> bool:
    """Whether a file is one of rule tests: `backlog_test.yaml`."""
    return name.endswith(tuple(f"_test{suffix}" for suffix in _SUFFIXES))


def find_files(paths: Iterable[Path], *, tests: bool = False) -> tuple[list[Path], list[Problem]]:
    """The YAML files at `paths`: directories are walked in order of name, in them rule tests only if asked for."""
    files: dict[Path, Path] = {}
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            files.update((found.resolve(), found) for found in _walk_directory(path, tests=tests))
        elif path.exists():
            files[path.resolve()] = path
        else:
            problems.append(_unreadable(path, "no such file or directory"))
    return list(files.values()), problems


def read(paths: Iterable[Path], *, tests: bool = False) -> Read:
    """Every document of every file that `find_files` finds; raises nothing: whatever cannot be read is a problem."""
    files, problems = find_files(paths, tests=tests)
    result = Read([], problems, [], len(files))
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            result.problems.append(_unreadable(path, error.strerror or type(error).__name__))
        else:
            _read_into(result, path.as_posix(), content)
    return result


def read_text(file: str, text: str) -> Read:
    """As `read`, for text that is already at hand."""
    result = Read([], [], [], 1)
    _read_into(result, file, text.encode())
    return result


class _Composer(CParser):
    """The C parser, with every plain scalar left to `core_types`."""

    def resolve(self, kind: type[Node], _value: str | None, implicit: tuple[bool, bool] | bool) -> str:  # noqa: FBT001 - PyYAML's signature
        if kind is ScalarNode:
            return PLAIN if isinstance(implicit, tuple) and implicit[0] else STR
        return MAP if kind is MappingNode else SEQ

    def descend_resolver(self, _node: Node, _index: object) -> None:
        """PyYAML's path resolvers are not used."""

    def ascend_resolver(self) -> None:
        """PyYAML's path resolvers are not used."""


def _read_into(result: Read, file: str, content: bytes) -> None:
    try:
        roots = list(_compose(content))
    except yaml.YAMLError as error:
        parts = list(_split(content))
        if len(parts) > 1:
            for part in parts:
                _read_part(result, file, part)
            return
        _note_unreadable(result, file, content, error)
        return
    for root in roots:
        _add_document(result, file, root)


def _read_part(result: Read, file: str, part: bytes) -> None:
    try:
        roots = list(_compose(part))
    except yaml.YAMLError as error:
        _note_unreadable(result, file, part, error)
        return
    for root in roots:
        _add_document(result, file, root)


def _note_unreadable(result: Read, file: str, content: bytes, error: yaml.YAMLError) -> None:
    result.problems.append(syntax_problem(file, content, error))
    result.salvaged.append(salvage(content))


def _compose(content: bytes) -> Iterator[Node]:
    if len(content) > FILE_BYTES_MAX or _COMPACT_LISTS.search(content) or _open_brackets(content) > BRACKETS_MAX:
        # The C parser recurses without a bound of its own; what is refused here would overrun its stack.
        raise yaml.YAMLError("a file that is too long or nested too deeply")
    parser = _Composer(content)
    try:
        while parser.check_node():
            yield cast("Node", parser.get_node())
    finally:
        parser.dispose()


def _open_brackets(content: bytes) -> int:
    """How many brackets are open at once, at most; those in quotes and comments count too."""
    characters = np.frombuffer(content, np.uint8)
    opening = np.isin(characters, tuple(b"[{")).astype(np.int32)
    closing = np.isin(characters, tuple(b"]}"))
    return int(np.cumsum(opening - closing).max(initial=0))


def _split(content: bytes) -> Iterator[bytes]:
    """The documents of a file with a syntax error, each padded so that its lines keep their numbers.

    `---` at the start of a line begins a document wherever it stands, in quotes and blocks too, so this cut is safe;
    with directives it would not be, and then the file is one part.
    """
    starts = [match.start() for match in _DOCUMENT_START.finditer(content)]
    if not starts or _DIRECTIVE.search(content):
        yield content
        return
    bounds = [0, *(start for start in starts if start > 0), len(content)]
    for begin, end in pairwise(bounds):
        yield b"\n" * content.count(b"\n", 0, begin) + content[begin:end]


def _add_document(result: Read, file: str, root: Node) -> None:
    if isinstance(root, ScalarNode) and root.value == "":
        return  # nothing between two `---`
    data = Builder(file, result.problems).build(root, 0)
    result.documents.append(Document(file, root, data))


def _step(node: Node, part: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item, item
    return None


def _mark(node: Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def _walk_directory(directory: Path, *, tests: bool) -> Sequence[Path]:
    return sorted(
        path
        for path in directory.rglob("*")
        if path.suffix in _SUFFIXES and (tests or not is_test_file(path.name)) and path.is_file()
    )


def _unreadable(path: Path, why: str) -> Problem:
    return Problem(path.as_posix(), 1, 1, "unreadable", "a file that can be read", why, "check the path and its rights")
