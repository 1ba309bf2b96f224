"""A KPI as it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.formula import formula_of
from engine.model.time import DAY, MINUTE
from engine.rules.bind_review import bind_cadence
from engine.rules.resolved.catalogue import FIRST_VERSION, Counterpart, Kpi, Target, version_of
from engine.rules.resolved.timing import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def bind_kpis(specs: Mapping[str, KpiSpec]) -> dict[str, Kpi]:
    """All KPIs, sorted by id; those with a formula rest on the others."""
    measured = {id_: _bind(spec) for id_, spec in specs.items() if spec.formula is None}
    derived = {
        id_: _derived(_bind(spec), [measured[part] for part in formula_of(spec.formula).kpis])
        for id_, spec in specs.items()
        if spec.formula is not None
    }
    return dict(sorted({**measured, **derived}.items()))


def _derived(kpi: Kpi, parts: list[Kpi]) -> Kpi:
    """A KPI with a formula: restated for as long as a share of its parts may change it, and of another version with
    any of them.
    """
    versions = {part.id: version_of(part) for part in parts if version_of(part) != FIRST_VERSION}
    named = " ".join([version_of(kpi), *(f"{id_}={version}" for id_, version in versions.items())])
    idle, lateness = max([kpi.idle, *(part.idle for part in parts)]), max(part.lateness for part in parts)
    waits = idle + max(part.lateness + part.grace for part in parts)
    kept = 2 + -(-waits // kpi.window.step)  # for so many windows it is worked out again when a share changes
    return msgspec.structs.replace(
        kpi,
        idle=idle,
        lateness=lateness,
        grace=kept * kpi.window.step,
        version=named if versions else kpi.version,
    )


def _bind(spec: KpiSpec) -> Kpi:
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
        formula=spec.formula or msgspec.UNSET,
    )


def _target(spec: TargetSpec | None) -> Target | None:
    return None if spec is None else Target(spec.value, spec.by, spec.start, spec.reviewed)
