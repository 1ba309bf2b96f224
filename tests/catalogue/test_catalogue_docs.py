from __future__ import annotations

import re
from pathlib import Path

from engine.offline.catalogue.remarks import CODES
from engine.offline.catalogue.status import STATUSES

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "catalogue.md").read_text("utf-8")
GOLDEN = Path(__file__).parent / "golden"


def test_the_page_shows_what_the_commands_write():
    tree, audit = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    assert tree == (GOLDEN / "tree_120.txt").read_text("utf-8")
    written = (GOLDEN / "audit_120.txt").read_text("utf-8")
    for part in audit.split("...\n"):
        assert part in written


def test_the_page_explains_every_status_and_code():
    for name in (*STATUSES, *CODES):
        assert f"`{name}`" in PAGE
