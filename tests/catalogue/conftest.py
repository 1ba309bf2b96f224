from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.rules.loader import load

if TYPE_CHECKING:
    from engine.rules.loader import Loaded
    from engine.rules.ruleset import RuleSet

RULES = Path(__file__).parent / "rules"


@pytest.fixture(scope="session")
def loaded() -> Loaded:
    """The small company."""
    return load([RULES])


@pytest.fixture(scope="session")
def rules(loaded: Loaded) -> RuleSet:
    assert loaded.rule_set is not None, loaded.problems
    return loaded.rule_set
