"""What no single document can tell: one question a module, each over all declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.checks.coverage import check_coverage
from engine.rules.checks.governance import check_governance
from engine.rules.checks.references import check_references
from engine.rules.checks.roll_up import check_roll_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

    from engine.rules.declared import Declarations
    from engine.rules.problems import Problem

CHECKS: Final[tuple[Callable[[Declarations], Iterable[Problem]], ...]] = (
    check_references,
    check_roll_up,
    check_governance,
    check_coverage,
)
