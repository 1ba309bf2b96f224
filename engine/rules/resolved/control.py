"""The condition control_chart as resolved."""

from __future__ import annotations

from typing import Literal

import msgspec


class RunRules(msgspec.Struct, frozen=True, tag_field="chart", tag="shewhart"):
    """A Shewhart chart: the run rules by name, each test once."""

    rules: tuple[str, ...]


class Ewma(msgspec.Struct, frozen=True, tag_field="chart", tag="ewma"):
    """The moving average with weight `gain` of the newest point against `limit` of its own sigmas; `varying` limits are
    those of the points so far.
    """

    gain: float
    limit: float
    varying: bool


class Cusum(msgspec.Struct, frozen=True, tag_field="chart", tag="cusum"):
    """The tabular CUSUM, in sigmas; both sums begin at `head_start`."""

    slack: float
    limit: float
    head_start: float


class ControlChart(msgspec.Struct, frozen=True, tag_field="kind", tag="control_chart"):
    """A process is out of control, on the side of `direction` (null: on either).

    `centre` and `sigma` of a window are declared; null: learned from the first `learn` windows, sigma from the mean
    moving range or as the standard deviation.
    """

    chart: RunRules | Ewma | Cusum
    direction: Literal["up", "down"] | None
    centre: float | None
    sigma: float | None
    sigma_from: Literal["moving_range", "deviation"]
    learn: int
