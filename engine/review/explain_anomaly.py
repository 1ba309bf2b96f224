"""What an anomaly says, as the end of a sentence that begins with the value: "was 53 on 2 March, ..."."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.review.numbers import number

if TYPE_CHECKING:
    from engine.model.finding import Anomaly, Episode


def band_words(anomaly: Anomaly, episode: Episode | None, began: str) -> str:
    """`began` names the window that it left its band in."""
    newest = anomaly.points[-1]
    band = f"usual band of {number(newest.low)} to {number(newest.high)}"
    worst = "" if episode is None else f", at worst {number(episode.worst)}"
    if anomaly.state == "returned":
        return f"back in its {band}, which it had left on {began}{worst}"
    if anomaly.state == "usual":
        return f"within a {band} that has moved, as it stayed out of the former one from {began} on{worst}"
    if newest.low <= newest.value <= newest.high:
        return f"after it left its {band} on {began}"
    return f"{'above' if newest.value > newest.high else 'below'} its {band}, about {number(newest.usual)}"
