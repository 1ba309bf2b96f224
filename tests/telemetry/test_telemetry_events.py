"""Logs: every event that the engine logs is declared with its level and fields, and nothing else is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.telemetry.events import EVENTS, events_page

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def logged(tree: ast.Module) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name, level and fields of each call of a structured logger: `_log.info("...", ...)`, or one got on the spot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            owner = ast.unparse(node.func.value)
            if owner == "_log" or "get_logger" in owner:
                [name] = node.args
                fixed = isinstance(name, ast.Constant)
                fields = tuple(sorted(keyword.arg or "**" for keyword in node.keywords))
                yield (
                    str(ast.literal_eval(name)) if fixed else f"line {name.lineno}: no fixed name",
                    node.func.attr,
                    fields,
                )


def own_programs() -> list[Path]:
    """All but the client: that runs in programs of others, and logs as a library does."""
    client = ROOT / "engine" / "client"
    return [path for path in (ROOT / "engine").rglob("*.py") if not path.is_relative_to(client)]


def test_every_event_that_is_logged_is_declared_and_every_declared_one_is_logged():
    calls = {call for path in own_programs() for call in logged(ast.parse(path.read_text(encoding="utf-8")))}
    assert calls == {(event.name, event.level, tuple(sorted(event.fields))) for event in EVENTS}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('_log.info("a", b=1, a=2)', ("a", "info", ("a", "b"))),
        ('_log.error(f"a {b}")', ("line 1: no fixed name", "error", ())),
        ('structlog.get_logger(__name__).critical("a")', ("a", "critical", ())),
        ("_log.warning(name, **more)", ("line 1: no fixed name", "warning", ("**",))),
    ],
)
def test_every_way_to_log_is_noticed(text: str, found: tuple[str, str, tuple[str, ...]]):
    assert list(logged(ast.parse(text))) == [found]


def test_no_module_logs_past_the_structured_logger():
    known = {"engine/stream/logs.py"}
    paths = {
        str(path.relative_to(ROOT))
        for path in own_programs()
        if any(
            isinstance(node, ast.Import) and any(alias.name == "logging" for alias in node.names)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert paths <= known


def test_names_are_unique_and_everything_but_information_says_what_to_do():
    assert len({event.name for event in EVENTS}) == len(EVENTS)
    for event in EVENTS:
        assert event.meaning.endswith(".")
        assert event.action == "" or event.action.endswith(".")
        assert event.level in {"info", "warning"} or event.action


def test_the_page_of_events_says_what_is_declared():
    page = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    assert page == events_page(), "run: python -m engine.telemetry.events > docs/logs.md"
