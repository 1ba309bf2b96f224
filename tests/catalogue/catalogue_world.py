"""What the topics said of the test's catalogue, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.model.outputs import KpiState
from engine.model.records import Parts, WindowBounds
from engine.model.time import DAY, format_time, parse_own_time
from engine.model.trigger import KpiSummary, ReviewTrigger, TriggerData, event_type

if TYPE_CHECKING:
    from engine.model.records import Verdict
    from engine.model.trigger import Happening

NOW = "2026-06-15T12:00:00Z"
Domain = Literal["live", "replay"]


def state(kpi: str, day: str, value: float, *, series: str = "", revision: int = 0) -> KpiState:
    """One series' window of a day."""
    start = parse_own_time(f"{day}T00:00:00Z")
    window = WindowBounds(format_time(start), format_time(start + DAY), start // DAY)
    parts = Parts(1, value, value, value, int(value != 0), value, format_time(start))
    dimensions = {"site": series} if series else {}
    return KpiState(kpi, f"{kpi}{series}", dimensions, window, revision, value, "u", parts)


def trigger(
    review: str,
    rule: str,
    kpi: str | None,
    happening: Happening = "opened",
    *,
    ordinal: int = 1,
    verdict: Verdict | None = None,
    owner: str = "marketing",
    time: str = "2026-06-10T09:00:00Z",
    historical: bool = False,
) -> ReviewTrigger:
    """A transition of a review, with what a catalogue looks at."""
    summary = None if kpi is None else KpiSummary(kpi, kpi, "d", "u", "higher_is_better", owner, "growth", None)
    data = TriggerData(
        review=review,
        ordinal=ordinal,
        rule=rule,
        title="t",
        severity="warning",
        scope="{}",
        kpi=summary,
        owner=owner,
        participants=(),
        objective=None,
        opened="2026-06-10T09:00:00Z",
        due=None,
        question=None,
        runbook=None,
        explanation="e",
        event_time="2026-06-10T00:00:00Z",
        evidence=None,
        episode=None,
        historical=historical,
        cause=None,
        rule_set="r",
        state="resolved" if happening == "resolved" else "withdrawn" if happening == "withdrawn" else "open",
        verdict=verdict,
    )
    return ReviewTrigger(
        "1.0", f"{review}-{ordinal}", "/counterpoint", event_type(happening), "s", time, "application/json", data
    )


STATES = (
    state("web.sessions", "2026-06-14", 25_000.0, series="shop"),
    state("web.sessions", "2026-06-14", 14_500.0, series="blog"),
    state("web.sessions", "2026-02-01", 900.0, series="old"),
    state("sales.revenue", "2026-06-14", 75_000.0),
    state("support.tickets", "2026-06-13", 420.0, series="shop"),
    state("support.tickets", "2026-06-14", 421.0, series="shop"),
    state("support.answer_time", "2026-06-01", 3.5),
    state("brand.followers", "2026-06-14", 61_000.0),
)
TRIGGERS = (
    trigger("aaaaaaaabbbb", "traffic-paid-for-by-support", "web.sessions"),
    *(trigger(f"f{number}", "followers-few", "brand.followers") for number in range(6)),
    *(trigger(f"f{number}", "followers-few", "brand.followers", "resolved", ordinal=2) for number in range(3)),
    *(
        trigger(f"f{number}", "followers-few", "brand.followers", "resolved", ordinal=2, verdict="false_alarm")
        for number in range(3, 6)
    ),
)
