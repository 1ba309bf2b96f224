"""What no single document can tell: one question a module, each over all declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.checks.calendars import check_calendars
from engine.rules.checks.composites import check_composites
from engine.rules.checks.conditions import check_conditions
from engine.rules.checks.conflicts import check_conflicts
from engine.rules.checks.coverage import check_coverage
from engine.rules.checks.dimensions import check_dimensions
from engine.rules.checks.formulas import check_formulas
from engine.rules.checks.governance import check_governance
from engine.rules.checks.inhibition import check_inhibition
from engine.rules.checks.lasting import check_lasting
from engine.rules.checks.maintenance import check_maintenance
from engine.rules.checks.off_track import check_off_track
from engine.rules.checks.reach import check_reach
from engine.rules.checks.reconciliations import check_reconciliations
from engine.rules.checks.references import check_references
from engine.rules.checks.reviews import check_reviews
from engine.rules.checks.roll_up import check_roll_up
from engine.rules.checks.roll_up_fit import check_roll_up_fit
from engine.rules.checks.rule_tests import check_rule_tests
from engine.rules.checks.seasons import check_seasons
from engine.rules.checks.selectors import check_selectors
from engine.rules.checks.shadowed import check_shadowed
from engine.rules.checks.sparse import check_sparse
from engine.rules.checks.timing import check_timing
from engine.rules.checks.watched import check_watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

    from engine.rules.declared import Declarations
    from engine.rules.problems import Problem

CHECKS: Final[tuple[Callable[[Declarations], Iterable[Problem]], ...]] = (
    check_references,
    check_roll_up,
    check_roll_up_fit,
    check_dimensions,
    check_formulas,
    check_selectors,
    check_conditions,
    check_reach,
    check_timing,
    check_sparse,
    check_seasons,
    check_shadowed,
    check_conflicts,
    check_reconciliations,
    check_off_track,
    check_composites,
    check_watched,
    check_lasting,
    check_calendars,
    check_reviews,
    check_inhibition,
    check_governance,
    check_maintenance,
    check_coverage,
    check_rule_tests,
)
