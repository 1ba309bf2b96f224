from __future__ import annotations

import ast
import inspect
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.model import limits
from engine.model.identity import series_key
from engine.model.limits import Limits
from engine.model.trigger import ReviewTrigger
from engine.rules.loader import load
from engine.runtime.settings import Settings, format_duration
from engine.wire.reasons import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_DURATIONS = ("interval", "timeout", "_within", "_max", "_min")


def reasons_table() -> str:
    rows = "".join(f"| `{code}` | {sentence} |\n" for code, sentence in SENTENCES.items())
    return f"| reason | meaning |\n|---|---|\n{rows}"


def limits_table() -> str:
    """Defaults from the struct, meanings from the strings below its fields."""
    [body] = [node.body for node in ast.parse(inspect.getsource(limits)).body if isinstance(node, ast.ClassDef)]
    meanings = {}
    for field, doc in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(doc, ast.Expr):
            meanings[field.target.id] = " ".join(str(ast.literal_eval(doc.value)).split())
    rows = "".join(
        f"| `{name}` | {value:,} | {meanings[name]} |\n" for name, value in msgspec.structs.asdict(Limits()).items()
    )
    return f"| limit | default | what happens there |\n|---|---:|---|\n{rows}"


def settings_table() -> str:
    settings = Settings()
    rows = "".join(
        f"| `{name}` | {_shown(name, getattr(settings, name))} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
        if name != "limits"
    )
    return f"| setting | default | meaning |\n|---|---|---|\n{rows}"


def _shown(name: str, value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return f"`{','.join(map(str, value))}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int) and name.endswith(_DURATIONS) and name != "kpi_gauges_max":
        return f"`{format_duration(value)}`"
    return f"`{value}`"


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    plain = _FENCED.sub("", text)
    headings = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("table", [reasons_table, limits_table, settings_table])
def test_operations_lists_what_the_code_declares(table: Callable[[], str]):
    expected = table()
    assert expected in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8"), f"put this in:\n{expected}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    for link in _LINK.findall(text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_the_rules_of_the_readme_load(tmp_path: Path):
    blocks = [
        body
        for language, body in _FENCED.findall((ROOT / "README.md").read_text(encoding="utf-8"))
        if language == "yaml"
    ]
    rules = [body for body in blocks if body.startswith("kind:")]
    for number, body in enumerate(rules):
        (tmp_path / f"{number}.yaml").write_text(body, encoding="utf-8")
    loaded = load([tmp_path])
    assert loaded.rule_set is not None, loaded.problems
    assert len(loaded.rule_set.rules) == 1


def test_the_trigger_of_the_contracts_is_one():
    text = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    [shown] = [body for language, body in _FENCED.findall(text) if language == "json" and "specversion" in body]
    trigger = msgspec.json.decode(shown.encode(), type=ReviewTrigger)
    assert json.loads(msgspec.json.encode(trigger)) == json.loads(shown)


def test_the_key_of_the_plain_producer_is_ours():
    text = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    [function] = re.findall(r"^def series_key.*?(?=^\S)", text, re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {"json": json}
    exec(function, names)  # noqa: S102 (the snippet of our own page)
    theirs = names["series_key"]
    assert callable(theirs)
    for dimensions in ({}, {"b": "1", "a": 'é "\\/\n\x7f'}, {"é": "漢", "z": "", "Z": "😀"}):
        assert theirs("a.b", dimensions) == series_key("a.b", dimensions).encode()
