"""Whatever is changed in a trigger is found: every leaf of every kind, in every way."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from explain_world import explained, world
from test_explain_golden import CASES

from engine.model.event_parts import OWN_DIGEST
from engine.model.time import HOUR, format_time, parse_own_time

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every number, text, truth value and null; and of what is empty, itself."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list) and value:
        for place, each in enumerate(value):
            yield from leaves(each, (*path, place))
    else:
        yield path


def branches(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every object and list, the event itself included."""
    if isinstance(value, dict | list):
        yield path
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from branches(each, (*path, name))


def written(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def at(event: Any, path: Path) -> Any:
    for step in path:
        event = event[step]
    return event


def instead(value: Any) -> list[Any]:
    """Other values for a leaf: near ones and strange ones."""
    match value:
        case bool():
            return [not value, None, 1]
        case int():
            return [value + 1, -value - 1, None, str(value), 2**80]
        case float():
            return [math.nextafter(value, math.inf), value + 1, -value - 1.5, None, "x"]
        case str():
            return [value + "x", "", value[:-1] + "~", "2024-03-31T01:00:00Z", None, 0, {}]
        case None:
            return ["x", 0, {}, []]
        case _:
            return [None, ["x"], {"x": "y"}]


def changed(event: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each leaf set to something else and taken away, something added to each branch; with the place of the change."""
    for path in leaves(event):
        if not path:
            continue
        value = at(event, path)
        for other in instead(value):
            if type(other) is not type(value) or other != value:
                yield path, with_leaf(event, path, other)
        without = copy.deepcopy(event)
        del at(without, path[:-1])[path[-1]]
        yield path, without
    for path in branches(event):
        more = copy.deepcopy(event)
        branch = at(more, path)
        if isinstance(branch, dict):
            branch["unheard_of"] = 1
            yield (*path, "unheard_of"), more
        else:
            branch.append(copy.deepcopy(branch[-1]) if branch else "x")
            yield path, more


def with_leaf(event: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    other = copy.deepcopy(event)
    at(other, path[:-1])[path[-1]] = value
    return other


def parts_of(path: Path) -> set[str]:
    """What may be named for a leaf: itself, and the parts that it stands in. A digest names the part that it is of."""
    if path[0] != "data":
        return {"event", written(path)}
    for owner in (("data",), ("data", "evidence")):
        if path[: len(owner) + 1] == (*owner, "digests"):
            of = written((*owner, *path[len(owner) + 1 :]))
            return {written(path), of, *{"data.event": {"event"}, "data.review": {"data"}}.get(of, ())}
    first = 2 if path[1] in OWN_DIGEST else 1
    return {written(path[:length]) for length in range(first, len(path) + 1)}


@pytest.mark.parametrize("name", CASES)
def test_every_change_is_found_and_its_part_is_named(name: str):
    event = msgspec.json.decode(world().of(*CASES[name]))
    assert explained(event).evidence == "consistent"
    count = 0
    for path, other in changed(event):
        told = explained(other)
        assert told.evidence == "not consistent", written(path)
        assert parts_of(path) & {check.path for check in told.failures}, written(path)
        count += 1
    assert count > 500


OF_ALL = [
    *("specversion", "id", "source", "type", "subject", "datacontenttype", "data.review", "data.title"),
    *("data.severity", "data.owner", "data.objective", "data.question", "data.runbook", "data.explanation"),
]
OF_KPI = [f"data.kpi.{field}" for field in ("id", "title", "definition", "unit", "direction", "owner", "objective")]
OF_FINDING = [f"data.moved_by.{field}" for field in ("id", "series", "transition")]
OF_OPENING = ["time", "data.ordinal", "data.opened", "data.due", "data.first_event_time"]
OF_VERDICT = [f"data.evidence.{field}" for field in ("statistic", "limit", "rule_set")]
OF_WINDOW = [
    f"data.evidence.point.{field}" for field in ("value", "aggregation", "window.start", "window.end", "ids.count")
]
LEAVES_TOLD = {
    "threshold_above_for": [
        *(*OF_ALL, *OF_KPI, *OF_FINDING, *OF_OPENING, *OF_VERDICT, *OF_WINDOW),
        *("data.evidence.condition.threshold.above", "data.event_time", "data.episode.last"),
    ],
    "threshold_outside_raw": [*OF_ALL, *OF_KPI, *OF_FINDING, *OF_OPENING, *OF_VERDICT, "data.episode.worst"],
    "change_relative": [
        *(*OF_ALL, *OF_KPI, *OF_FINDING, *OF_OPENING, *OF_VERDICT, *OF_WINDOW, "data.evidence.baseline"),
        *(f"data.evidence.baseline_points[{place}].start" for place in range(4)),
        *(f"data.evidence.point.parts.{part}" for part in ("sum", "min", "max", "last")),
    ],
    "trend_level": [
        *(*OF_ALL, *OF_KPI, *OF_FINDING, *OF_OPENING, *OF_VERDICT, *OF_WINDOW, "data.evidence.baseline"),
        *(f"data.evidence.trend.{field}" for field in ("state", "onset", "alarm", "before", "after", "size")),
        *(f"data.evidence.trend.{field}" for field in ("clip", "slack", "points[3].start", "points[23].value")),
    ],
    "trend_slope": [
        *(*OF_ALL, *OF_KPI, *OF_FINDING, *OF_OPENING, *OF_VERDICT, "data.evidence.trend.size"),
        *("data.evidence.trend.state", "data.evidence.trend.after", "data.evidence.trend.points[7].start"),
    ],
    "control_runs": [
        *(*OF_ALL, *OF_KPI, *OF_FINDING, *OF_OPENING, *OF_VERDICT, *OF_WINDOW, "data.evidence.baseline"),
        *(f"data.evidence.control.{field}" for field in ("chart", "rules[0]", "direction", "onset")),
        *("data.evidence.control.points[0].start", "data.evidence.control.points[0].statistic"),
    ],
    "control_ewma": [
        *(*OF_ALL, *OF_VERDICT, *OF_WINDOW, "data.evidence.baseline"),
        *(f"data.evidence.control.{field}" for field in ("chart", "direction", "points[14].statistic")),
    ],
    "control_cusum": [
        *(*OF_ALL, *OF_VERDICT, *OF_WINDOW, "data.evidence.baseline"),
        *(f"data.evidence.control.{field}" for field in ("chart", "centre", "sigma", "learned", "direction", "onset")),
        *("data.evidence.control.points[9].start", "data.evidence.control.points[9].statistic"),
    ],
    "missing_data": [
        *(*OF_ALL, *OF_KPI, "data.evidence.count", "data.evidence.listed[0].rule", "data.evidence.listed[1].finding"),
        *("data.evidence.listed[0].event_time", "data.evidence.condition.missing_data.after", "data.moved_by.turn"),
    ],
    "conflict_per_lag": [
        *(*OF_ALL, *OF_KPI, *OF_OPENING, "data.evidence.verdict", "data.evidence.window.index"),
        *("data.episode.first", "data.episode.last", "data.episode.worst", "data.evidence.rule_set", "data.event_time"),
        *(
            f"data.evidence.sides[{side}].{field}"
            for side in (0, 1)
            for field in ("kpi", "per", "verdict", "value", "usual", "effect", "limit", "noise", "windows[1].end")
        ),
        *(f"data.evidence.sides[1].shares[3].{field}" for field in ("series", "ids_count", "window.start")),
    ],
    "composite_all": [
        *(*OF_ALL, *OF_OPENING, "data.kpi", "data.evidence.count", "data.evidence.listed[0].finding"),
        *("data.evidence.listed[1].rule", "data.evidence.condition.composite.all[1]", "data.moved_by.taking_part[0]"),
    ],
    "conflict_answered": [*OF_ALL, *OF_KPI],
}
"""Everything that follows from something else; what is left are the inputs, which only digests and log know."""


def later(value: object) -> str:
    """A time an hour later; of other text, another."""
    try:
        return format_time(parse_own_time(str(value)) + HOUR)
    except ValueError:
        return f"{value}x"


@pytest.mark.parametrize("name", LEAVES_TOLD)
def test_a_leaf_that_follows_from_others_is_named_itself(name: str):
    event = msgspec.json.decode(world().of(*CASES[name]))
    by_name = {written(path): path for path in leaves(event)}
    for leaf in LEAVES_TOLD[name]:
        value = at(event, by_name[leaf])
        other = {str: later(value), int: 77, float: 77.5}.get(type(value), "x")
        told = explained(with_leaf(event, by_name[leaf], other))
        assert leaf in {check.path for check in told.failures}, leaf
