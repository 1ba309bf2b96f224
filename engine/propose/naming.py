"""What names tell: units, whether more is better, how values add up, and names for what is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Direction = Literal["higher_is_better", "lower_is_better", "in_band"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_UNITS: Final = {
    "ms": "milliseconds",
    "millis": "milliseconds",
    "milliseconds": "milliseconds",
    "s": "seconds",
    "sec": "seconds",
    "secs": "seconds",
    "seconds": "seconds",
    "min": "minutes",
    "mins": "minutes",
    "minutes": "minutes",
    "h": "hours",
    "hours": "hours",
    "days": "days",
    "eur": "EUR",
    "usd": "USD",
    "gbp": "GBP",
    "chf": "CHF",
    "pct": "percent",
    "percent": "percent",
    "bytes": "bytes",
    "kb": "kB",
    "mb": "MB",
    "gb": "GB",
    "kwh": "kWh",
    "kw": "kW",
    "kg": "kg",
    "km": "km",
    "celsius": "°C",
    "points": "points",
}
_FALLING: Final = _set(
    "error errors failure failures fault faults defect defects bug bugs ticket tickets complaint complaints incident "
    "incidents latency duration delay wait waiting elapsed response resolution answer backlog queue churn cost costs "
    "cancelled canceled cancellations refund refunds returns lag loss outage downtime timeout timeouts ms"
)
_RISING: Final = _set(
    "revenue sales order orders session sessions visit visits visitors signup signups conversion conversions customers "
    "users members subscribers score rating nps satisfaction uptime availability throughput profit margin "
    "income turnover retention"
)
_SUMMED: Final = _set(
    "count total amount sum quantity qty number revenue sales orders order sessions visits visitors signups "
    "conversions tickets errors failures complaints incidents refunds returns bytes clicks views price cost costs units"
)
_VALUES: Final = _set(
    "value amount total count revenue price duration latency elapsed score rating quantity qty delay wait "
    "response answer rate share level load temperature backlog size sum"
)
_TIMES: Final = _set("time timestamp ts at date day datetime when created occurred opened started hour month event")
_IDS: Final = _set("id uuid guid key number no ref reference nr ticket")
_PLACES: Final = _set("lat latitude lon lng longitude zip postcode year month week weekday version port")


def unit_of(words: Sequence[str]) -> str | None:
    """The unit that a name ends in, or None."""
    return _UNITS.get(words[-1]) if words else None


def direction_of(words: Sequence[str]) -> Direction | None:
    """Which way is better, where the name tells; None where it does not, or speaks both ways."""
    falling, rising = not _FALLING.isdisjoint(words), not _RISING.isdisjoint(words)
    if falling == rising:
        return None
    return "lower_is_better" if falling else "higher_is_better"


def is_summed(words: Sequence[str]) -> bool:
    """Whether values of that name are amounts that add up over time."""
    return not _SUMMED.isdisjoint(words) and _UNITS.get(words[-1]) not in ("milliseconds", "seconds", "percent")


def looks_like_value(words: Sequence[str]) -> bool:
    """Whether a column of numbers of that name is something to watch."""
    return not _VALUES.isdisjoint(words) or (len(words) > 1 and words[-1] in _UNITS)


def looks_like_time(words: Sequence[str]) -> bool:
    """Whether a name is one of a time."""
    return not _TIMES.isdisjoint(words)


def looks_like_id(words: Sequence[str]) -> bool:
    """Whether a name is one of an identifier."""
    return bool(words) and words[-1] in _IDS


def looks_like_label(words: Sequence[str]) -> bool:
    """Whether numbers of that name are labels: nothing to add up or to average."""
    return looks_like_id(words) or not _PLACES.isdisjoint(words)


def slug(text: str, longest: int = 60) -> str:
    """An id for a name: `Customer support` is customer-support; cut at a word. Empty where nothing of it can stay."""
    words = re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")
    if len(words) <= longest:
        return words
    cut = words[: longest + 1]
    return cut[: cut.rfind("-")] if "-" in cut else words[:longest]


def title_of(words: Sequence[str]) -> str:
    """A name as a title, its unit left out: `First answer`."""
    kept = list(words[:-1] if len(words) > 1 and words[-1] in _UNITS else words)
    text = " ".join(kept)
    return text[:1].upper() + text[1:]
