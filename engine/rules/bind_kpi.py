"""A KPI as it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import DAY, MINUTE
from engine.rules.bind_review import bind_cadence
from engine.rules.resolved.catalogue import FIRST_VERSION, Counterpart, Kpi, Target
from engine.rules.resolved.timing import Window

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.spec import KpiSpec
    from engine.rules.spec.catalogue import TargetSpec, WindowSpec


def idle_default(window: Window) -> Micros:
    """How long a series may be silent before its open windows close: one window's size, at least a minute."""
    return max(window.size, MINUTE)


def window_of(spec: WindowSpec) -> Window:
    """The window in numbers; a calendar day is nominally 24 hours."""
    if spec.every == "day":
        return Window(DAY, DAY, spec.zone, spec.since)
    return Window(spec.size or spec.every, spec.every)


def bind_kpi(spec: KpiSpec) -> Kpi:
    """The KPI with its defaults, its dimensions and counterparts sorted."""
    window = window_of(spec.window)
    return Kpi(
        id=spec.id,
        title=spec.title,
        owner=spec.owner,
        objective=spec.objective,
        definition=spec.definition,
        decision=None if spec.decision == "none" else spec.decision,
        direction=spec.direction,
        role=spec.role,
        unit=spec.unit,
        aggregation=spec.aggregation,
        window=window,
        lateness=spec.lateness,
        grace=spec.grace,
        idle=spec.idle or idle_default(window),
        cadence=spec.cadence,
        sources=tuple(spec.sources),
        dimensions=tuple(sorted(spec.dimensions)),
        series=tuple(spec.series),
        rolls_up_to=spec.rolls_up_to,
        target=_target(spec.target),
        counterparts=tuple(
            Counterpart(it.kpi, it.minimum_effect, it.lag, it.per)
            for it in sorted(spec.counterparts, key=lambda counterpart: counterpart.kpi)
        ),
        publish=spec.publish,
        sensitive=tuple(sorted(set(spec.sensitive))),
        review=bind_cadence(spec.review),
        version=msgspec.UNSET if str(spec.version) == FIRST_VERSION else str(spec.version),
    )


def _target(spec: TargetSpec | None) -> Target | None:
    return None if spec is None else Target(spec.value, spec.by, spec.start, spec.reviewed)
