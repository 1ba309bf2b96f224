"""YAML nodes as plain Python values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yaml.nodes import ScalarNode, SequenceNode

from engine.rules.core_types import MAP, PLAIN, SEQ, STR, UnreadableScalar, resolve_plain, resolve_tagged, shown_tag
from engine.rules.problems import Problem

if TYPE_CHECKING:
    from yaml.nodes import Node

NODES_MAX = 200_000
DEPTH_MAX = 50
"""Of one document: its nesting, and its values with those that aliases repeat. What is more is refused."""


class Builder:
    """Turns nodes into plain values and notes duplicate keys and values that have no core type."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._nodes = 0
        self._refused = False

    def build(self, node: Node, depth: int) -> Any:  # noqa: ANN401 - YAML holds anything
        """The node as dict, list, str, int, float, bool or None; what is refused is noted, and stands for something."""
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            self._note_too_large(node)
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if node.tag not in (MAP, SEQ):
            self._note(node, "tag", "a plain mapping or list", f"the tag {shown_tag(node.tag)}", "leave the tag out")
        if isinstance(node, SequenceNode):
            return [self.build(item, depth + 1) for item in node.value]
        return self._mapping(node, depth)

    def _scalar(self, node: ScalarNode) -> object:
        if node.tag == STR:
            return node.value
        try:
            return resolve_plain(node.value) if node.tag == PLAIN else resolve_tagged(node.tag, node.value)
        except UnreadableScalar as error:
            self._note(node, "scalar", error.expected, error.found, error.mend)
            return node.value

    def _mapping(self, node: Node, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                self._note(key_node, "key", "a name as key", "a mapping or list", "write `name: value`")
            elif key in result:
                self._note_duplicate(key_node, first[key])
            else:
                first[key] = key_node
                result[key] = self.build(value_node, depth + 1)
        return result

    def _note_duplicate(self, node: Node, first: Node) -> None:
        mark = first.start_mark
        self._note(
            node,
            "duplicate-key",
            f"the key `{node.value}` once",
            f"it again (first at {mark.line + 1}:{mark.column + 1})",
            "keep one of the two",
        )

    def _note_too_large(self, node: Node) -> None:
        """Once a document: what follows from it needs no saying."""
        if not self._refused:
            self._refused = True
            limits = f"at most {DEPTH_MAX} levels and {NODES_MAX:,} values in a document"
            self._note(node, "too-large", limits, "more", "split the document, or use fewer aliases")

    def _note(self, node: Node, code: str, expected: str, found: str, mend: str) -> None:
        mark = node.start_mark
        self._problems.append(Problem(self._file, mark.line + 1, mark.column + 1, code, expected, found, mend))
