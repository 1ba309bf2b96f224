"""What an audit says of owners and of objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.offline.catalogue.remarks import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.offline.catalogue.remarks import AuditLimits
    from engine.offline.catalogue.seen import Seen
    from engine.rules.resolved.catalogue import Objective, Owner
    from engine.rules.ruleset import RuleSet


def remarks_on_owner(owner: Owner, rules: RuleSet, seen: Seen, limits: AuditLimits) -> Iterator[Remark]:
    """Too many KPIs, too many reviews that wait."""
    kpis = sum(kpi.owner == owner.id for kpi in rules.kpis)
    if kpis > limits.kpis:
        sentence = f"{owner.name} answers for {kpis} KPIs, more than {limits.kpis}."
        yield Remark("too-many-kpis", owner.id, sentence, "Give some to others, or retire some.")
    waiting = sum(review.owner == owner.id and not review.ended for review in seen.reviews)
    if waiting > limits.open_reviews:
        sentence = f"{waiting} reviews of {owner.name} are open, more than {limits.open_reviews}."
        yield Remark(
            "too-many-reviews", owner.id, sentence, "Assign some to others, and mend the rules that open the most."
        )


def remarks_on_objective(objective: Objective, rules: RuleSet) -> Iterator[Remark]:
    """Nothing measures it, or only one side of it."""
    roles = {kpi.role for kpi in rules.kpis if kpi.objective == objective.id}
    if not roles:
        sentence = f"No KPI serves the objective: {objective.title}."
        yield Remark("no-kpi", objective.id, sentence, "Name what would show that it is reached, or drop it.")
    elif roles == {"leading"}:
        sentence = f"Only leading KPIs serve the objective: {objective.title}."
        yield Remark("only-leading", objective.id, sentence, "Add the lagging KPI that shows whether it is reached.")
    elif roles == {"lagging"}:
        sentence = f"Only lagging KPIs serve the objective: {objective.title}."
        yield Remark("only-lagging", objective.id, sentence, "Add a leading KPI that moves while there is still time.")
