"""What carries a change, in few words: the end of what a sentence says of a side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.bottleneck import Bottleneck
from engine.review.numbers import number

if TYPE_CHECKING:
    from msgspec import UnsetType


def bottleneck_words(bottleneck: Bottleneck | UnsetType) -> str:
    """`most of it in channel=email: -410 of -520`; nothing where there is nothing to name."""
    if not isinstance(bottleneck, Bottleneck) or bottleneck.named is None:
        return ""
    named = bottleneck.named
    size = f"{signed(named.change)} of {signed(bottleneck.change)}"
    if named.what == "mix":
        return f"most of it a change of mix over {named.dimension}: {size}"
    if named.what == "apart":
        return f"furthest out of step {named.dimension}={value_named(named.value)}: {size}"
    return f"most of it in {named.dimension}={value_named(named.value)}: {size}"


def value_named(value: str | None) -> str:
    """A value, or that there is none."""
    return "(none)" if value is None else value


def signed(value: float) -> str:
    """`+12`, `-410`."""
    return f"{'+' if value > 0 else ''}{number(value + 0.0)}"
