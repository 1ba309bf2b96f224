"""What a trend break says, as the end of a sentence that begins with the series: "broke downwards on 2 March: ..."."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.review.numbers import number, percent

if TYPE_CHECKING:
    from engine.model.finding import TrendBreak


def trend_words(trend: TrendBreak, onset: str, when: str) -> str:
    """`onset` names the window that it began with, `when` the one that it was noticed in."""
    if trend.shape == "slope":
        return _bend(trend, onset, when)
    before, after = number(trend.before), number(trend.after)
    if trend.state == "returned":
        return f"is back at its former level {when}, after about {after} from {onset} on"
    if trend.state == "usual":
        return f"has stayed at about {after} since {onset}, against {before} before; that became the usual level {when}"
    share = f" ({percent(abs(trend.size / trend.before))} {trend.direction})" if trend.before else ""
    return (
        f"broke {trend.direction}wards on {onset}: about {after} since, against {before} before{share}, noticed {when}"
    )


def _bend(trend: TrendBreak, onset: str, when: str) -> str:
    verb = "rise" if trend.direction == "up" else "fall"
    change = f"about {number(trend.after)} a day, against {number(trend.before)} before"
    if trend.state == "returned":
        return f"no longer {verb}s as it did from {onset} on ({change}), seen {when}"
    if trend.state == "usual":
        return f"has gone on to {verb} since {onset}, by {change}; that became the usual trend {when}"
    return f"began to {verb} on {onset}: by {change}, noticed {when}"
