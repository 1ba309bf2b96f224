"""Numbers as people read them."""

from __future__ import annotations

_PLAIN_BELOW = 1e15
_ONE_DECIMAL_BELOW = 10


def number(value: float | None) -> str:
    """Four significant digits, without an exponent where that is short enough."""
    if value is None:
        return "unknown"
    text = f"{value:.4g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < _PLAIN_BELOW else text


def percent(share: float) -> str:
    """`38 %`; one decimal below ten."""
    size = share * 100
    return f"{size:.0f} %" if size >= _ONE_DECIMAL_BELOW else f"{size:.1f} %"
