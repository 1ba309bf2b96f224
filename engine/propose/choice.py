"""Which column is the time, which the values, which the dimensions and the id; with the reason for each."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import ConfigError
from engine.propose.columns import Column, columns_of, has_commas
from engine.propose.naming import direction_of, looks_like_id, looks_like_label, looks_like_time, looks_like_value
from engine.propose.times import DESCRIBED, Format, nearly_a_time
from engine.rules.wording import choices, suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.propose.sample import Sample

VALUES_A_DIMENSION_MAX = 50
"""A column with more different values is not proposed as a dimension; named by hand it is taken up to SERIES_MAX."""
DIMENSIONS_MAX = 3
SERIES_PROPOSED_MAX = 200
SERIES_MAX = 10_000
"""More series than this is no dimension but an identifier."""
_TWO = 2
_TOGETHER_MAX = 3
"""So many columns may name a row together."""
_OF_ROWS = 3
"""A dimension's values come again: at least so often, on average."""


class Wish(NamedTuple):
    """What was said by hand; what is None is guessed. An empty tuple of dimensions means: none."""

    time: str | None = None
    values: tuple[str, ...] = ()
    dimensions: tuple[str, ...] | None = None
    id: tuple[str, ...] = ()


class Reason(NamedTuple):
    """Something that was chosen, and why."""

    what: str
    chosen: str
    why: str


class Choice(NamedTuple):
    """The columns. Without `values` each row counts as one. `zone_needed`: the times do not say whose clock it is."""

    time: str
    time_format: Format
    zone_needed: bool
    values: tuple[str, ...]
    dimensions: tuple[str, ...]
    id: tuple[str, ...]
    reasons: tuple[Reason, ...]


def choose(sample: Sample, wish: Wish) -> Choice:
    """The columns of a sample; ConfigError with everything that keeps it from being used, and how to mend it."""
    if not sample.rows:
        raise ConfigError([f"{sample.name}: expected at least one {sample.noun}, found none"])
    columns = {column.name: column for column in columns_of(sample)}
    problems = list(_unknown(sample, wish, columns))
    if problems:
        raise ConfigError(problems)
    reasons: list[Reason] = []
    time = _time(sample, wish, columns, reasons, problems)
    left = [column for column in columns.values() if time is None or column.name != time.name]
    identity = _id(sample, wish, left, reasons)
    values = _values(sample, wish, [each for each in left if each.name not in identity], reasons, problems)
    free = [each for each in left if each.name not in (*identity, *values)]
    dimensions = _dimensions(sample, wish, free, columns, reasons, problems)
    if not identity and not sample.topic and time is not None:
        identity = _together(sample, time, dimensions, [each for each in free if each.name not in dimensions], reasons)
    if problems or time is None or time.reading is None:
        raise ConfigError(problems)
    return Choice(
        time=time.name,
        time_format=time.reading.format,
        zone_needed=time.reading.needs_zone,
        values=values,
        dimensions=dimensions,
        id=identity,
        reasons=tuple(reasons),
    )


def _unknown(sample: Sample, wish: Wish, columns: dict[str, Column]) -> list[str]:
    named = [("--time", wish.time), *(("--value", each) for each in wish.values if each != "1")]
    named += [("--dimension", each) for each in wish.dimensions or ()] + [("--id", each) for each in wish.id]
    return [
        f"{sample.name}: expected a column for {option}, found no {name!r}; "
        + suggestion(name, columns, f"there are {choices(columns)}")
        for option, name in named
        if name is not None and name not in columns
    ]


def _time(
    sample: Sample, wish: Wish, columns: dict[str, Column], reasons: list[Reason], problems: list[str]
) -> Column | None:
    if wish.time is not None:
        column: Column | None = columns[wish.time]
    else:
        able = [each for each in columns.values() if each.reading is not None and not _is_number_without_a_hint(each)]
        column = max(able, key=lambda each: (_every_row(each, sample), looks_like_time(each.words)), default=None)
    if column is None or column.reading is None:
        problems.append(_no_time(sample, list(columns.values()) if column is None else [column]))
        return None
    missing = len(sample.rows) - column.present
    if column.reading.odd is not None:
        place, value = column.reading.odd
        others = column.present - column.reading.fit
        problems.append(
            f"{sample.name}: expected {DESCRIBED[column.reading.format]} throughout {column.name}, found {others} of "
            f"{column.present} that are none, the first {value!r} in {sample.noun} {place}; "
            f"{nearly_a_time(value) or 'mend or leave out these'}"
        )
    elif missing:
        problems.append(
            f"{sample.name}: expected a time in every {sample.noun}, found none in {missing} of {len(sample.rows)} "
            f"({column.name}); leave these out, or name another column with --time"
        )
    example = column.examples[0]
    reasons.append(Reason("time", column.name, f"{DESCRIBED[column.reading.format]}, such as {example}"))
    return column


def _every_row(column: Column, sample: Sample) -> bool:
    return column.present == len(sample.rows) and column.reading is not None and column.reading.odd is None


def _is_number_without_a_hint(column: Column) -> bool:
    """A number may be a time by chance; it is one only if it is called so."""
    return column.kind == "number" and not looks_like_time(column.words)


def _no_time(sample: Sample, columns: Sequence[Column]) -> str:
    mends = [f"{each.name}: {mend}" for each in columns if (mend := nearly_a_time(each.examples[0]))]
    found = ", ".join(f"{each.name} ({each.examples[0]})" for each in columns[:8])
    return (
        f"{sample.name}: expected a column of times: RFC 3339, local times (2026-01-31 13:00:00), dates (2026-01-31) "
        f"or numbers since the epoch; found {found}; " + ("; ".join(mends) or "add one, or name it with --time")
    )


def _id(sample: Sample, wish: Wish, columns: Sequence[Column], reasons: list[Reason]) -> tuple[str, ...]:
    if wish.id:
        reasons.append(Reason("id", ", ".join(wish.id), "named by you"))
        return wish.id
    asked = {*wish.values, *(wish.dimensions or ())}
    for column in columns:
        unique = column.distinct == len(sample.rows) > 1
        if unique and looks_like_id(column.words) and column.name not in asked:
            reasons.append(Reason("id", column.name, f"another in each of {len(sample.rows):,} {sample.noun}s"))
            return (column.name,)
    return ()


def _together(
    sample: Sample, time: Column, dimensions: tuple[str, ...], free: Sequence[Column], reasons: list[Reason]
) -> tuple[str, ...]:
    """Columns that together name a row, where several rows agree in time and dimensions; none where none do."""
    named: list[str] = []
    keys = [tuple(str(row.get(name)) for name in (time.name, *dimensions)) for row in sample.rows]
    whole = [each for each in free if each.present == len(sample.rows)]
    for column in [None, *sorted(whole, key=lambda each: -each.distinct)[:_TOGETHER_MAX]]:
        if column is not None:
            named.append(column.name)
            keys = [(*key, str(row[column.name])) for key, row in zip(keys, sample.rows, strict=True)]
        if len(set(keys)) == len(keys):
            break
    else:
        return ()
    if named:
        named.insert(0, time.name)
        reasons.append(
            Reason("id", ", ".join(named), "together they tell rows apart that agree in time and dimensions")
        )
    return tuple(named)


def _values(
    sample: Sample, wish: Wish, columns: Sequence[Column], reasons: list[Reason], problems: list[str]
) -> tuple[str, ...]:
    if wish.values == ("1",):
        reasons.append(Reason("value", "1", f"each {sample.noun} counts"))
        return ()
    if wish.values:
        for column in columns:
            if column.name in wish.values:
                problems += _not_numbers(sample, column)
        reasons.append(Reason("value", ", ".join(wish.values), "named by you"))
        return wish.values
    able = [each for each in columns if each.kind != "text" and not looks_like_label(each.words) and not each.reading]
    able += [each for each in columns if each.kind == "number" and each.reading and looks_like_value(each.words)]
    if not able:
        reasons.append(Reason("value", "1", f"no column of numbers: each {sample.noun} counts"))
        return ()
    column = max(able, key=_promising)
    problems += _not_numbers(sample, column)
    others = [each.name for each in able if each is not column]
    beside = f"; numbers too: {choices(others)} (--value takes several)" if others else ""
    reasons.append(Reason("value", column.name, f"numbers, such as {', '.join(column.examples[:3])}{beside}"))
    return (column.name,)


def _promising(column: Column) -> tuple[bool, bool, bool, int]:
    """How much a column of numbers looks like something to watch."""
    words = column.words
    return looks_like_value(words), direction_of(words) is not None, column.distinct > _TWO, column.present


def _not_numbers(sample: Sample, column: Column) -> list[str]:
    if column.kind == "number":
        return []
    place, value = column.odd or (1, column.examples[0])
    mend = "mend or empty these" if column.kind == "mixed" else "name a column of numbers, or --value 1 to count"
    if has_commas(value):
        mend = "write numbers with a point, and with nothing between the thousands: 1234.5"
    return [
        f"{sample.name}: expected numbers in {column.name}, found {value!r} in {sample.noun} {place}; {mend}",
    ]


def _dimensions(
    sample: Sample,
    wish: Wish,
    free: Sequence[Column],
    columns: dict[str, Column],
    reasons: list[Reason],
    problems: list[str],
) -> tuple[str, ...]:
    if wish.dimensions is not None:
        _check_series(sample, wish.dimensions, problems)
        reasons.append(Reason("dimensions", ", ".join(wish.dimensions) or "none", "named by you"))
        return wish.dimensions
    able = [each for each in free if _can_divide(each, sample)]
    able.sort(key=lambda each: each.distinct)
    chosen: list[Column] = []
    for column in able[:DIMENSIONS_MAX]:
        if prod(each.distinct for each in (*chosen, column)) <= SERIES_PROPOSED_MAX:
            chosen.append(column)
    names = tuple(name for name in columns if name in {each.name for each in chosen})
    counted = ", ".join(f"{columns[name].distinct} of {name}" for name in names)
    why = f"few values that come again: {counted}" if names else "no text with few values that come again"
    reasons.append(Reason("dimensions", ", ".join(names) or "none", why))
    return names


def _can_divide(column: Column, sample: Sample) -> bool:
    """Text in every row, of few values that come again."""
    return (
        column.kind == "text"
        and column.reading is None
        and column.present == len(sample.rows)
        and 1 < column.distinct <= min(VALUES_A_DIMENSION_MAX, len(sample.rows) // _OF_ROWS)
        and not looks_like_id(column.words)
    )


def _check_series(sample: Sample, dimensions: Sequence[str], problems: list[str]) -> None:
    missing = [name for name in dimensions if any(name not in row for row in sample.rows)]
    problems += [
        f"{sample.name}: expected a value of {name} in every {sample.noun}, found some without; fill them in, "
        "or leave the dimension out"
        for name in missing
    ]
    series = {tuple(str(row.get(name)) for name in dimensions) for row in sample.rows}
    if len(series) > SERIES_MAX:
        problems.append(
            f"{sample.name}: expected at most {SERIES_MAX:,} series, found {len(series):,} by {', '.join(dimensions)}; "
            "leave out the dimension that names single things"
        )
