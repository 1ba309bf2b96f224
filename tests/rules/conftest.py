from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.rules.loader import Loaded, load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.rules.ruleset import RuleSet

BASE = Path(__file__).parent.parent / "golden" / "base.yaml"


@pytest.fixture(scope="session")
def load_text() -> Callable[[str], Loaded]:
    """Loads documents beside those of the sound base of the golden cases."""
    base = BASE.read_text("utf-8")
    return lambda text: load_read(read_text("a.yaml", f"{base}---\n{text}"))


@pytest.fixture(scope="session")
def rule_set_of(load_text: Callable[[str], Loaded]) -> Callable[[str], RuleSet]:
    """As `load_text`, for what must be sound."""

    def bound(text: str) -> RuleSet:
        loaded = load_text(text)
        assert loaded.rule_set is not None, loaded.problems
        return loaded.rule_set

    return bound
