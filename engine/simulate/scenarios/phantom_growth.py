"""A product year of two companies that grow alike; at one of them the growth is paid for elsewhere.

At both, website traffic begins to rise by `lift` on the onset day. At the healthy one tickets grow with the traffic. At
the sick one tickets *per session* grow too, tickets take longer to solve, the net promoter score falls, and about two
months later customers leave. Everything is daily and noisy: weekday season, a slow trend, days that resemble their
neighbours, counts that scatter as counts do. At lift 0 there is only that.

The rules see nothing of `onset` or `sick`: these say what truly happened, for judging what was detected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.model.measurement import Measurement
from engine.model.time import DAY, HOUR, SECOND, Micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Days = NDArray[np.float64]

LIFT_MAX = 0.4
COMPANIES = ("juniper", "larkspur")
CHANNELS = {"organic": 0.42, "paid": 0.27, "direct": 0.19, "referral": 0.12}
PRIORITIES = {"low": (0.55, 1.35), "normal": (0.36, 0.8), "high": (0.09, 0.45)}
"""Share of the tickets, and time to resolution as a multiple of the company's."""

SESSIONS_A_DAY = 24_000.0
TICKETS_A_SESSION = 0.03
HOURS_TO_RESOLUTION = 8.0
PROMOTER_SCORE = 44.0
CHURN_A_MONTH = 0.02

_EPOCH = date(1970, 1, 1)
_SESSIONS_SEASON = (1.07, 1.1, 1.09, 1.06, 1.0, 0.83, 0.85)
_TICKETS_SEASON = (1.15, 1.08, 1.04, 1.0, 0.97, 0.87, 0.89)


class Effect(NamedTuple):
    """How a consequence unfolds: it starts `delay` days after the onset and takes `ramp` days to reach `full`.

    `full` is the relative change at the largest lift; a smaller lift scales it.
    """

    delay: int
    ramp: int
    full: float


TRAFFIC = Effect(delay=0, ramp=14, full=0.4)
TICKETS = Effect(delay=1, ramp=14, full=0.4)
RESOLUTION = Effect(delay=6, ramp=18, full=0.45)
PROMOTERS = Effect(delay=12, ramp=24, full=-0.4)
CHURN = Effect(delay=45, ramp=35, full=0.9)


@dataclass(frozen=True)
class PhantomGrowth:
    """One seed's year. `lift` between 0 and `LIFT_MAX`; ValueError outside.

    The seed decides the calendar year, the onset (in the first eight weeks of the second or third quarter, so that
    three weeks later is still the same quarter), which company is sick, and every day's noise.
    """

    seed: int
    lift: float = LIFT_MAX

    def __post_init__(self) -> None:
        if not 0 <= self.lift <= LIFT_MAX:
            raise ValueError(f"lift: expected 0 to {LIFT_MAX}, found {self.lift}")

    @cached_property
    def _plan(self) -> tuple[date, int, str]:
        rng = np.random.default_rng([self.seed, 0])
        first = date(2000 + int(rng.integers(25)), 1, 1)
        quarter = date(first.year, int(rng.choice([4, 7])), 1)
        onset = (quarter - first).days + int(rng.integers(56))
        return first, onset, COMPANIES[int(rng.integers(2))]

    @property
    def first_day(self) -> date:
        """The first of January."""
        return self._plan[0]

    @property
    def days(self) -> int:
        """365 or 366."""
        return (date(self.first_day.year + 1, 1, 1) - self.first_day).days

    @property
    def onset(self) -> date:
        """The day on which traffic, at both companies, begins to rise."""
        return self.first_day + timedelta(days=self._plan[1])

    @property
    def sick(self) -> str:
        """The company whose customers pay for the growth."""
        return self._plan[2]

    @property
    def twin(self) -> str:
        """The company that grows in health."""
        return COMPANIES[1 - COMPANIES.index(self.sick)]

    def measurements(self) -> Iterator[tuple[Micros, Measurement]]:
        """All measurements of both companies with their event times, in order."""
        emitted = [item for company in COMPANIES for item in self._company(company)]
        return iter(sorted(emitted, key=lambda item: (item[0], str(item[1].id))))

    def _company(self, company: str) -> Iterator[tuple[Micros, Measurement]]:
        rng = np.random.default_rng([self.seed, 1 + COMPANIES.index(company)])
        sick = company == self.sick
        sessions = self._sessions(rng)
        tickets = sessions * TICKETS_A_SESSION * self._season(_TICKETS_SEASON) / self._season(_SESSIONS_SEASON)
        tickets = tickets * self._noise(rng, 0.02) * self._grown(TICKETS, sick)
        hours = HOURS_TO_RESOLUTION * self._noise(rng, 0.04) * self._grown(RESOLUTION, sick)
        score = PROMOTER_SCORE * self._grown(PROMOTERS, sick) + rng.normal(0, 3.0, self.days)
        churn = CHURN_A_MONTH * self._noise(rng, 0.03) * self._grown(CHURN, sick)
        for channel, share in CHANNELS.items():
            values = rng.poisson(sessions * share * rng.lognormal(0, 0.04, self.days)).astype(float)
            yield from self._emit(company, "web.sessions", "web-analytics", 20, values, channel=channel)
        for priority, (share, multiple) in PRIORITIES.items():
            values = rng.poisson(tickets * share).astype(float)
            yield from self._emit(company, "support.tickets", "helpdesk", 18, values, priority=priority)
            values = np.round(hours * multiple * rng.lognormal(0, 0.05, self.days), 2)
            yield from self._emit(company, "support.time_to_resolution", "helpdesk", 19, values, priority=priority)
        yield from self._emit(company, "product.nps", "surveys", 17, np.round(score, 1))
        yield from self._emit(company, "customers.churn_rate", "billing", 16, np.round(churn, 5))

    def _sessions(self, rng: np.random.Generator) -> Days:
        trend = 1 + rng.uniform(0.0, 0.12) * np.arange(self.days) / self.days
        level = SESSIONS_A_DAY * rng.uniform(0.8, 1.25)
        return level * trend * self._season(_SESSIONS_SEASON) * self._noise(rng, 0.03) * self._grown(TRAFFIC, sick=True)

    def _season(self, weekdays: tuple[float, ...]) -> Days:
        monday_first = np.array(weekdays)
        return monday_first[(self.first_day.weekday() + np.arange(self.days)) % 7]

    def _noise(self, rng: np.random.Generator, daily: float) -> Days:
        """Factors about 1 with a standard deviation of `daily`, each day leaning on the day before."""
        resemblance = 0.3
        shocks = rng.normal(0, daily * np.sqrt(1 - resemblance**2), self.days)
        level = np.empty(self.days)
        previous = rng.normal(0, daily)
        for day, shock in enumerate(shocks):
            previous = level[day] = resemblance * previous + shock
        return np.exp(level)

    def _grown(self, effect: Effect, sick: bool) -> Days:  # noqa: FBT001 (private; the callers read well)
        if not sick:
            return np.ones(self.days)
        since = np.arange(self.days) - self._plan[1] - effect.delay
        reached = np.clip((since + 1) / effect.ramp, 0, 1)
        return 1 + effect.full * (self.lift / LIFT_MAX) * reached

    def _emit(
        self, company: str, kpi: str, source: str, hour: int, values: Days, **dimensions: str
    ) -> Iterator[tuple[Micros, Measurement]]:
        labels = "-".join([kpi, company, *dimensions.values()])
        start = (self.first_day - _EPOCH).days * DAY + hour * HOUR
        for day, value in enumerate(values.tolist()):
            name = (self.first_day + timedelta(days=day)).isoformat()
            time = start + day * DAY
            where = {"company": company, **dimensions}
            yield time, Measurement(kpi, time // SECOND, value, where, f"{labels}-{name}", source)
