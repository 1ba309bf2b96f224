from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.source import FILE_BYTES_MAX, find_files, read, read_text

if TYPE_CHECKING:
    from pathlib import Path

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
SCALARS = st.one_of(
    WORDS, st.integers(-(10**9), 10**9), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3), st.dictionaries(WORDS, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


class _Writer:
    """Writes a document as block YAML and notes, beside the code under test, where every value and key begins."""

    def __init__(self) -> None:
        self.text = ""
        self.values: dict[tuple[str | int, ...], tuple[int, int]] = {}
        self.keys: dict[tuple[str | int, ...], tuple[int, int]] = {}

    def _here(self) -> tuple[int, int]:
        return self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n")

    def write(self, value: Any, path: tuple[str | int, ...], indent: int) -> None:
        if not isinstance(value, dict | list):
            self.values[path] = self._here()
            self.text += json.dumps(value, ensure_ascii=False) + "\n"
            return
        items = value.items() if isinstance(value, dict) else enumerate(value)
        self.text += "\n"
        for number, (key, item) in enumerate(items):
            self.text += " " * indent
            if number == 0:
                self.values[path] = self._here()
            self.keys[*path, key] = self._here()
            self.text += "- " if isinstance(value, list) else json.dumps(key, ensure_ascii=False) + ": "
            self.write(item, (*path, key), indent + 2)


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4), st.integers(0, 3))
def test_every_value_is_read_back_and_found_where_it_was_written(data: dict[str, Any], empty_lines: int):
    writer = _Writer()
    writer.text = "#\n" * empty_lines
    writer.write(data, (), 0)
    (document,) = read_text("a.yaml", writer.text).documents
    assert document.data == data
    for path, place in writer.values.items():
        assert document.value_at(path) == place
    in_mappings = {path: place for path, place in writer.keys.items() if isinstance(path[-1], str)}
    for path, place in in_mappings.items():
        assert document.key_at(path) == place


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", "0x1F"),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("12e03", 12000.0),
        ("-.inf", float("-inf")),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2013-12-31", "2013-12-31"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("0b11", "0b11"),
        ("+", "+"),
        (".", "."),
    ],
)
def test_plain_scalars_have_the_core_types_of_yaml_1_2(written: str, value: object):
    (document,) = read_text("a.yaml", f"x: {written}\n").documents
    assert document.data == {"x": value}
    assert type(document.data["x"]) is type(value)


def test_the_place_of_something_missing_is_the_place_of_what_should_hold_it():
    (document,) = read_text("a.yaml", "a: 1\nb:\n  c: [2, {d: 3}]\n").documents
    assert document.value_at(("b", "c", 1, "e")) == (3, 10)
    assert document.value_at(("b", "x", "y")) == (3, 3)
    assert document.value_at(()) == (1, 1)


def test_columns_count_characters_not_bytes():
    (document,) = read_text("a.yaml", '{"äöü": x, b: y}\n').documents
    assert document.value_at(("b",)) == (1, 15)


def test_a_syntax_error_costs_only_its_own_document():
    found = read_text("a.yaml", "a: 1\n---\nb: [\n---\nc: 3\n")
    assert [document.data for document in found.documents] == [{"a": 1}, {"c": 3}]
    assert found.documents[1].value_at(("c",)) == (5, 4)
    assert [(problem.line, problem.code) for problem in found.problems] == [(4, "syntax")]


def test_what_an_unreadable_document_declares_is_salvaged():
    found = read_text("a.yaml", "kind: kpi\nid: shop.orders  # here\ntitle: a: b\n")
    assert found.salvaged == [("kpi", "shop.orders")]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "\n".join(" " * depth + "a:" for depth in range(300)),
        "a: &a [*a]\n",
        "a: &a [x, x, x, x]\n" + "".join(f"b{n}: &{chr(98 + n)} [{f'*{chr(97 + n)}, ' * 9}]\n" for n in range(9)),
        "a: " + "1" * 1000,
        "#" * (FILE_BYTES_MAX + 1),
    ],
    ids=["lists", "mappings", "compact", "keys", "indents", "itself", "billion", "digits", "length"],
)
def test_what_would_overrun_the_reader_is_refused(text: str):
    assert len(read_text("a.yaml", text).problems) == 1


@pytest.mark.parametrize("content", [b"a: \xff\xfe\n", b"a: \x01\n", b"a: 1\nb: \xc3("])
def test_bytes_that_are_not_text_are_a_problem_in_their_place(content: bytes, tmp_path: Path):
    (tmp_path / "a.yaml").write_bytes(content)
    (problem,) = read([tmp_path]).problems
    assert (problem.code, problem.line) == ("syntax", content.count(b"\n", 0, -1) + 1)


def test_folders_are_walked_in_order_and_rule_tests_left_out(tmp_path: Path):
    for name in ("b.yaml", "a/z.yml", "a/b_test.yaml", "a/notes.md", "c.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    files, problems = find_files([tmp_path, tmp_path / "c.yaml"])
    assert sorted(file.relative_to(tmp_path).as_posix() for file in files) == ["a/z.yml", "b.yaml", "c.yaml"]
    assert problems == []


def test_a_path_that_is_not_there_is_a_problem(tmp_path: Path):
    (problem,) = read([tmp_path / "nowhere"]).problems
    assert problem.code == "unreadable"
