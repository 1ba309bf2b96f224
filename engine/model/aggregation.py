"""How the measurements of a window become one value, by the name that the catalogue gives it."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

QUANTILE_UNIT: Final = 10_000
"""A quantile is a whole number of these parts: 9,990 for p99.9."""

NAMED: Final = ("count", "sum", "mean", "min", "max", "last", "share", "rate", "deviation", "distinct")
"""Those with a name; the others are quantiles."""

QUANTILE_PATTERN: Final = r"^(median|p[1-9][0-9]?(\.[0-9]{1,2})?|p0\.[0-9]{1,2})$"


@cache
def quantile_of(aggregation: str) -> int | None:
    """The parts of QUANTILE_UNIT of `p95` or `median`; None for an aggregation that is no quantile."""
    if aggregation == "median":
        return QUANTILE_UNIT // 2
    if re.match(QUANTILE_PATTERN, aggregation) is None:
        return None
    whole, _, rest = aggregation[1:].partition(".")
    return int(whole) * 100 + int(rest.ljust(2, "0"))


def kind_of(aggregation: str) -> str:
    """`quantile` for all quantiles, else the name itself."""
    return "quantile" if quantile_of(aggregation) is not None else aggregation
