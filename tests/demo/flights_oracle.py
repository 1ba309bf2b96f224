"""On which airport-days each rule of the flights pack fires, by pandas and the slow twin of trend_break, from the raw
table alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from engine.rules.resolved.condition import TrendBreak

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluate"))
from naive_trend import DAY, NaiveTrend

if TYPE_CHECKING:
    from collections.abc import Mapping


def fired(flights: pd.DataFrame) -> dict[str, set[tuple[str, str]]]:
    """(airport, date) by rule."""
    days = flights.assign(date=pd.to_datetime(flights[["year", "month", "day"]])).groupby(["origin", "date"])
    table = pd.DataFrame(
        {
            "volume": days.size(),
            "cancelled": days["dep_time"].apply(lambda times: times.isna().mean()),
            "delay": days["arr_delay"].mean(),
        }
    )
    airports = [_usual(volume.droplevel("origin")) for _, volume in table["volume"].groupby("origin")]
    usual = pd.concat(airports, keys=sorted(flights["origin"].unique())).reindex(table.index)
    return {
        "cancelled-share-high": _days(table["cancelled"] > 0.30),
        "arrival-delay-high": _days(table["delay"] > 60),
        "full-schedule-late": _days((table["volume"] > 1.05 * usual) & (table["delay"] > 60)),
        "schedule-shrank": _days(table["volume"] < 0.8 * usual),
        "schedule-moved": {day for _, volume in table["volume"].groupby("origin") for day in _moved(volume)},
    }


def _moved(volume: pd.Series) -> set[tuple[str, str]]:
    """The days of one airport from which a lasting change of 3 % was noticed up to where it was over or usual."""
    twin = NaiveTrend(TrendBreak(7.0, None, None, 0.03, relative=True, learn=None), DAY, zone=True)
    found = set()
    for (origin, date), value in volume.items():
        verdict = twin.judge((date - pd.Timestamp(0)).days, float(value))
        if verdict is not None and verdict.breach:
            found.add((str(origin), date.strftime("%Y-%m-%d")))
    return found


def _usual(volume: pd.Series) -> pd.Series:
    """The median of the eight same weekdays before each date; NaN unless all of them are there."""
    volume = volume.asfreq("D")
    earlier = pd.concat([volume.shift(7 * weeks) for weeks in range(1, 9)], axis="columns", sort=True)
    return earlier.median(axis="columns", skipna=False)


def _days(flags: pd.Series) -> set[tuple[str, str]]:
    return {(str(origin), date.strftime("%Y-%m-%d")) for origin, date in flags[flags].index}


def exchanged(flights: pd.DataFrame, pairs: Mapping[tuple[int, int], tuple[int, int]]) -> pd.DataFrame:
    """The rows of one (month, day) with the date of the other, both ways."""
    both = {**pairs, **{there: here for here, there in pairs.items()}}
    dates = [both.get(date, date) for date in zip(flights["month"], flights["day"], strict=True)]
    return flights.assign(month=[month for month, _ in dates], day=[day for _, day in dates])


def without(flights: pd.DataFrame, dates: set[tuple[int, int]]) -> pd.DataFrame:
    """The table without the rows of these (month, day)."""
    kept = [date not in dates for date in zip(flights["month"], flights["day"], strict=True)]
    return flights[kept]
