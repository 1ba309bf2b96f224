"""What a reader may rely on in every file: its size, and where time and chance come in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Source

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
ABOVE_THE_CLOCK = {
    "__main__",
    "cli",
    "doctor",
    "stream",
    "serve",
    "offline",
    "simulate",
    "brokers",
    "deliver",
    "client",
    "runtime",
}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
CLOCK_OWNERS = {"datetime", "date", "time"}
CHANCE = {"random", "secrets", "uuid1", "uuid4", "urandom", "getrandbits", "default_rng"}
OPENERS = {
    "open",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "iterdir",
    "glob",
    "rglob",
    "environ",
    "getenv",
}
MAY_READ_FILES = {"engine/rules/source.py", "engine/rules/loader.py", "engine/kernels/_jit.py"}
"""The YAML reader; the loader finds the files that it reads; compiled kernels are kept beside their sources."""
PURE = {"review", "correlate", "notify", "evaluate", "state", "rules", "kernels", "wire", "model", "errors"}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def clocks_and_chance(tree: ast.Module) -> Iterator[str]:
    """Calls and names that read a clock or draw at random, as `line: name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if (node.attr in CLOCKS and owner in CLOCK_OWNERS) or node.attr in CHANCE:
                yield f"{node.lineno}: {owner}.{node.attr}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.partition(".")[0] for alias in node.names}
            names |= (
                {(node.module or "").partition(".")[0]}
                if isinstance(node, ast.ImportFrom) and not node.level
                else set()
            )
            yield from (f"{node.lineno}: import {name}" for name in sorted(names & (CHANCE | {"time"})))


def file_access(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in OPENERS:
            yield f"{node.lineno}: {name}"  # type: ignore[attr-defined]


def test_no_file_is_too_long_to_be_one_idea(sources: list[Source], root: Path):
    tests = [(str(file.relative_to(root)), file.read_text(encoding="utf-8")) for file in (root / "tests").rglob("*.py")]
    lengths = {path: text.count("\n") for path, text in [(source.path, source.text) for source in sources] + tests}
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_no_function_is_too_long_to_be_read_at_once(sources: list[Source]):
    long = {
        f"{source.path}:{function.lineno} {function.name}": lines
        for source in sources
        for function in functions(source.tree)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_no_clock_and_no_chance_below_the_runtime(sources: list[Source]):
    below = [source for source in sources if source.floor not in ABOVE_THE_CLOCK]
    assert {source.floor for source in below} >= PURE | {"telemetry"}
    found = [f"{source.path}:{place}" for source in below for place in clocks_and_chance(source.tree)]
    assert found == []


def test_the_centre_reads_no_file_and_no_environment(sources: list[Source]):
    centre = [source for source in sources if source.floor in PURE and source.path not in MAY_READ_FILES]
    found = [f"{source.path}:{place}" for source in centre for place in file_access(source.tree)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from time import monotonic",
        "import random",
        "from uuid import uuid4",
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "numpy.random.normal()",
        "numpy.random.default_rng()",
    ],
)
def test_every_way_to_a_clock_or_to_chance_is_noticed(text: str):
    assert list(clocks_and_chance(ast.parse(text)))


def test_times_that_are_passed_in_are_no_clock():
    assert list(clocks_and_chance(ast.parse("measurement.time\nwindow.now\nfrom engine.model.time import DAY"))) == []
    assert list(file_access(ast.parse("open('x')\npath.read_text()"))) == ["1: open", "2: read_text"]


def test_every_module_of_the_engine_says_what_it_is(sources: list[Source]):
    assert [source.path for source in sources if not ast.get_docstring(source.tree)] == []


def test_no_committed_file_names_a_package_index_or_a_machine(root: Path):
    names = ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run")
    for name in names:
        text = (root / name).read_text(encoding="utf-8")
        assert not [word for word in ("://", "--index-url", "--find-links", "/root/", "/home/") if word in text], name


def test_constraints_pin_every_direct_dependency(root: Path):
    import tomllib  # noqa: PLC0415 (only here)

    def plain(name: str) -> str:
        return name.lower().replace("_", "-")

    pins = [line for line in (root / "constraints.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert all(line.count("==") == 1 for line in pins)
    pinned = {plain(line.partition("==")[0]) for line in pins}
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(item for group in project["optional-dependencies"].values() for item in group),
    ]
    assert {plain(item.split(">")[0].split("<")[0]) for item in wanted} - pinned == set()
