from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from catalogue_world import NOW, STATES, TRIGGERS
from rich.console import Console

from engine.model.time import parse_own_time
from engine.offline.catalogue.audit import audit_of
from engine.offline.catalogue.audit_text import show_audit
from engine.offline.catalogue.remarks import AuditLimits
from engine.offline.catalogue.seen import Seen, readings_of, reviews_of
from engine.offline.catalogue.tree import tree_of
from engine.offline.catalogue.tree_text import show_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from engine.offline.catalogue.audit import CatalogueAudit
    from engine.offline.catalogue.tree import CatalogueTree
    from engine.rules.loader import Loaded
    from engine.rules.ruleset import RuleSet

GOLDEN = Path(__file__).parent / "golden"
AT = parse_own_time(NOW)


@pytest.fixture
def tree(rules: RuleSet) -> CatalogueTree:
    return tree_of(rules, Seen(readings_of(rules, STATES, AT), reviews_of(rules, TRIGGERS, AT)), AT)


@pytest.fixture
def audit(rules: RuleSet, loaded: Loaded) -> CatalogueAudit:
    seen = Seen(readings_of(rules, STATES, AT), reviews_of(rules, TRIGGERS, AT))
    return audit_of(rules, loaded.tables, seen, AuditLimits(), AT)


def _shown(what: Iterable[RenderableType], width: int) -> str:
    console = Console(width=width, highlight=False, color_system=None, force_terminal=False)
    with console.capture() as capture:
        for each in what:
            console.print(each)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _compare(name: str, text: str, *, update: bool) -> None:
    if update:
        (GOLDEN / name).write_text(text, "utf-8")
    assert text == (GOLDEN / name).read_text("utf-8")


@pytest.mark.parametrize("width", [80, 120])
def test_the_tree_looks_like_this(tree: CatalogueTree, width: int, *, update_golden: bool):
    _compare(f"tree_{width}.txt", _shown(show_tree(tree), width), update=update_golden)


@pytest.mark.parametrize("width", [80, 120])
def test_the_audit_looks_like_this(audit: CatalogueAudit, width: int, *, update_golden: bool):
    _compare(f"audit_{width}.txt", _shown(show_audit(audit), width), update=update_golden)


def test_programs_get_the_same(tree: CatalogueTree, audit: CatalogueAudit, *, update_golden: bool):
    for name, whole in (("tree.json", tree), ("audit.json", audit)):
        _compare(name, msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n", update=update_golden)


def test_where_nothing_was_read_it_says_so(rules: RuleSet, loaded: Loaded, *, update_golden: bool):
    seen = Seen({}, note="no broker was to be asked (--no-broker)")
    _compare("tree_unread.txt", _shown(show_tree(tree_of(rules, seen, AT)), 100), update=update_golden)
    audit = audit_of(rules, loaded.tables, seen, AuditLimits(), AT)
    assert _shown(show_audit(audit), 100).endswith("No reviews were read: no broker was to be asked (--no-broker)\n")
