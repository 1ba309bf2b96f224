"""Declarations that stand for several: they are put in place of what was written before anything looks at rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.expand.burn_rate import expand_burn_rates
from engine.rules.expand.critical import expand_critical
from engine.rules.expand.depends_on import expand_depends_on
from engine.rules.expand.no_data import expand_no_data
from engine.rules.expand.templates import expand_templates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations
    from engine.rules.problems import Problem


def expand(declarations: Declarations) -> Iterator[Problem]:
    """Put rules in the place of templates, and of rules that are several; what is wrong with them."""
    yield from expand_templates(declarations)
    yield from expand_no_data(declarations)
    yield from expand_critical(declarations)
    yield from expand_burn_rates(declarations)
    yield from expand_depends_on(declarations)
