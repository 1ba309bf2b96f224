"""Everything that is decided before a line is written: KPIs, window, limit, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.errors import ConfigError
from engine.model.time import DAY, MINUTE
from engine.propose.columns import number_of, shown, words_of
from engine.propose.limit import Limit, limit_of
from engine.propose.naming import direction_of, slug, title_of, unit_of
from engine.propose.times import micros_of
from engine.propose.windows import (
    Aggregation,
    Rhythm,
    Series,
    aggregation_of,
    lateness_of,
    rhythm_of,
    window_values,
)
from engine.rules import calendar
from engine.rules.mapping import to_utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros
    from engine.propose.choice import Choice
    from engine.propose.naming import Direction
    from engine.propose.sample import Sample
    from engine.rules.resolved.timing import ZoneTransition

WINDOWS_MIN = 3
"""Less than that says nothing of what is usual."""


class Named(NamedTuple):
    """An owner or objective: its id, and its name or title where it is not declared yet."""

    id: str
    title: str | None


class Answers(NamedTuple):
    """What no sample can tell. `zone` is whose clock local times and days are of."""

    owner: Named
    objective: Named
    direction: Direction
    zone: str
    decision: str | None = None
    kpis: tuple[str, ...] = ()


class KpiDraft(NamedTuple):
    """One KPI, and the column that its values stand in (None: each row counts)."""

    id: str
    title: str
    unit: str
    direction: Direction
    aggregation: Aggregation
    column: str | None
    why: str


class Draft(NamedTuple):
    """All of it. `base` names the source or table, and the files; the rule is on the first KPI."""

    sample: Sample
    choice: Choice
    answers: Answers
    base: str
    kpis: tuple[KpiDraft, ...]
    rhythm: Rhythm
    lateness: Micros
    limit: Limit
    series: Series
    repeats: int

    @property
    def rule_id(self) -> str:
        """What the rule is called: by what it says."""
        low, high = self.limit.low, self.limit.high
        turn = "odd" if low is not None and high is not None else "high" if low is None else "low"
        return f"{slug(self.kpis[0].id.replace('.', '-').replace('_', '-'))}-{turn}"

    @property
    def dimensions(self) -> dict[str, str]:
        """The columns by the names of their dimensions: the last part of a path where that is enough."""
        short = [column.rpartition(".")[2] for column in self.choice.dimensions]
        names = short if len(set(short)) == len(short) else self.choice.dimensions
        return dict(zip(names, self.choice.dimensions, strict=True))


def base_of(sample: Sample) -> str:
    """The name of a file without its ending, or of a topic, as an id."""
    return slug(sample.name if sample.topic else sample.name.rpartition(".")[0]) or "data"


def kpi_ids(base: str, choice: Choice, given: Sequence[str]) -> tuple[str, ...]:
    """A KPI's id for each value: given, or made of the base and the column."""
    made = [f"{base}.{slug(name.rpartition('.')[2].replace('[0]', '')) or 'value'}" for name in choice.values]
    made = made or [f"{base}.count"]
    return (*given, *made[len(given) :])[: len(made)]


def guessed_direction(choice: Choice, kpi: str) -> Direction | None:
    """Which way is better, as the names of column and KPI tell; None where they do not."""
    words = words_of(choice.values[0]) if choice.values else []
    return direction_of(words) or direction_of([word for part in kpi.split(".") for word in words_of(part)])


def draft(sample: Sample, choice: Choice, answers: Answers, base: str) -> Draft:
    """Decide everything else; ConfigError when there is too little to go by."""
    zone = calendar.transitions(answers.zone)
    arrivals = _series(sample, choice, choice.values[0] if choice.values else None, zone)
    series = {key: sorted(points) for key, points in arrivals.items()}
    rhythm = rhythm_of(series, counted=not choice.values)
    ids = kpi_ids(base, choice, answers.kpis)
    kpis = tuple(_kpi(id_, column, base, answers) for id_, column in zip(ids, choice.values or (None,), strict=True))
    windows = [window_values(points, rhythm.every, kpis[0].aggregation, zone) for points in series.values()]
    count = len({index for held in windows for index in held})
    if count < WINDOWS_MIN:
        raise ConfigError(
            [
                (
                    f"{sample.name}: expected values of at least {WINDOWS_MIN} {_window_named(rhythm.every)}, found "
                    f"{count}: too little to propose a limit; take a longer sample"
                )
            ]
        )
    return Draft(
        sample=sample,
        choice=choice,
        answers=answers,
        base=base,
        kpis=kpis,
        rhythm=rhythm,
        lateness=lateness_of(arrivals) if sample.topic else 0,
        limit=_countable(limit_of(windows, answers.direction, rhythm.every), kpis[0].aggregation),
        series=series,
        repeats=_repeats(series) if not sample.topic and not choice.id else 0,
    )


def _countable(limit: Limit, aggregation: Aggregation) -> Limit:
    """A window in which nothing came is no zero: a count cannot be seen below one."""
    if aggregation != "count" or limit.usual is not None or limit.low is None or limit.low > 1:
        return limit
    return limit._replace(low=2.0, recover_at=None, why=f"{limit.why}; two, for a window without any is not seen")


def _series(sample: Sample, choice: Choice, column: str | None, zone: Sequence[ZoneTransition]) -> Series:
    """Points by dimension values, in the order of the rows."""
    found: Series = {}
    for row in sample.rows:
        local = micros_of(row.get(choice.time), choice.time_format)
        value = 1.0 if column is None else number_of(row.get(column))
        if local is None or value is None:
            continue
        time = to_utc(local, tuple(zone)) if choice.zone_needed else local
        key = tuple(shown(row.get(name, "")) for name in choice.dimensions)
        found.setdefault(key, []).append((time, value))
    return found


def _repeats(series: Series) -> int:
    """Rows that agree with another in time and dimensions."""
    return sum(len(points) - len({time for time, _ in points}) for points in series.values())


def _kpi(id_: str, column: str | None, base: str, answers: Answers) -> KpiDraft:
    words = words_of(column) if column else []
    aggregation, why = aggregation_of(words or ["count"], counted=column is None)
    counted = " ".join(words_of(base.rpartition(".")[2])) or "events"
    title = title_of(words) if column else f"Number of {counted}"
    unit = unit_of(words) or (" ".join(words) if column else counted)
    return KpiDraft(id_, title or id_, unit, answers.direction, aggregation, column, why)


def _window_named(every: Micros) -> str:
    return "days" if every == DAY else f"windows of {every // MINUTE} minutes"
