"""A season that is declared is learned before anything is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY
from engine.rules.bind_kpi import window_of
from engine.rules.season import WEEK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec

_LENGTHS = {"day": DAY, "week": WEEK}


def check_seasons(declarations: Declarations) -> Iterator[Problem]:
    """A warning for each rule that declares a season and judges before it has seen two of them."""
    for rule in declarations.rules.values():
        kpi = declarations.kpis.get(str(rule.data.get("kpi")))
        if kpi is None or not kpi.has("window") or not rule.has("condition", "window"):
            continue
        anomaly = rule.spec.condition.anomaly
        length = None if anomaly is None else _LENGTHS.get(anomaly.season or "")
        if anomaly is not None and length is not None:
            yield from _learned_first(rule, length, window_of(rule.spec.window or kpi.spec.window).step, anomaly.learn)


def _learned_first(rule: Declared[RuleSpec], length: int, step: int, learn: int | None) -> Iterator[Problem]:
    if learn is not None and step < length and learn * step < 2 * length:
        yield rule.problem(
            ("condition", "anomaly", "learn"),
            "season-not-learned",
            expected=f"`learn` of at least {-(-2 * length // step)}, which is two seasons",
            found=f"{learn}",
            mend="leave `learn` out: two seasons are what it is then",
            severity="warning",
        )
