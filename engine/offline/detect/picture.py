"""A judged series as a picture: its values with onsets and alarms, and the scores below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.offline.plot.picture import Level, Mark, Moment, Panel, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros
    from engine.offline.detect.run import Judged


def picture_of(judged: Sequence[Judged], value: str, condition: str) -> Picture:
    """Over time where rows have times, else over the rows themselves."""
    is_time = judged[0].row.place.is_time
    places = [round(each.row.place.at) if is_time else number for number, each in enumerate(judged)]
    alarms = [each.alarm for each in judged if each.alarm is not None]
    moments = [Moment("onset", places[alarm.onset_row]) for alarm in alarms]
    moments += [Moment("alarm", places[alarm.row]) for alarm in alarms]
    values = [
        Mark(place, each.row.value) for place, each in zip(places, judged, strict=True) if each.row.value is not None
    ]
    scores = [Mark(place, each.score) for place, each in zip(places, judged, strict=True)]
    found = f"{len(alarms)} alarms" if len(alarms) != 1 else "one alarm"
    return Picture(
        sentence=f"{condition} on {len(judged)} rows of {value}: {found}",
        zone="UTC" if is_time else None,
        local=_as_written,
        moments=tuple(moments),
        panels=(
            Panel(value, value, (), around=tuple(values)),
            Panel("score", "score", (), around=tuple(scores), levels=(Level("limit", "limit", 1.0),)),
        ),
    )


def _as_written(time: Micros) -> Micros:
    return time
