"""Foreign messages into measurements, as a source's mappings say. Pure: the rule set carries the time zones.

A message is a JSON object, an array of them, or NDJSON; every item goes through every mapping whose filter it passes.
What comes out is checked as a measurement from outside would be, so that nothing is copied that stage 1 refuses.

- A local time that a clock change skips is read with the offset before the change (it moves on by the gap); one that
  comes twice means its first coming. A date alone is the midnight that it begins with.
- The id is the source's name, a slash, and what the id rule's path holds (several paths: a JSON array of them); without
  a rule topic, partition and offset. Such an id cannot tell that the same event was written to the topic twice.
- Numbers may be written as strings; nothing else is converted. Dimensions take strings, numbers and booleans.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.errors import WireError
from engine.model.identity import series_key
from engine.model.limits import Limits
from engine.model.time import SECOND, Micros, format_time
from engine.wire.columns import Rejected
from engine.wire.encode import encode_measurement
from engine.wire.item import Item, item_of, kind_of, number
from engine.wire.json_text import JsonObject
from engine.wire.message import items_of, tree_of
from engine.wire.times import LATEST, parse_local, parse_time, within_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Mapping as Lookup

    from engine.rules.resolved.source import FieldRule, FilterRule, Mapping, Source
    from engine.rules.resolved.timing import ZoneTransition
    from engine.rules.ruleset import RuleSet


class Position(NamedTuple):
    """Where a foreign message stands."""

    topic: str
    partition: int
    offset: int


class Mapped(NamedTuple):
    """A measurement made of a foreign message: `key` its series key, `value` its JSON, `item` the same as a value."""

    item: Item
    key: bytes
    value: bytes


class _Missing:
    """What a path that leads nowhere holds."""


_MISSING = _Missing()
_WRITTEN_MAX = 1e24
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)", re.ASCII)


def map_message(
    source: Source, rule_set: RuleSet, value: bytes | None, position: Position, limits: Limits | None = None
) -> list[Mapped | Rejected]:
    """The measurements of one foreign message, in order, with what is refused among them.

    An item that no mapping's filter lets through gives nothing. A refusal has the code and path as
    `wire.reasons` lists them; `missing_field` names a path of the mapping that leads nowhere.
    """
    limits = limits or Limits()
    message = value or b""
    try:
        if len(message) > limits.message_bytes_max:
            detail = f"expected at most {limits.message_bytes_max} bytes, found {len(message)}"
            return [Rejected(position.offset, WireError("too_long", detail), message)]
        items = items_of(message)
        several = items is not None
        found: list[Mapped | Rejected] = []
        for index, item in enumerate([message] if items is None else items):
            found += _map_item(source, rule_set, item, position, index if several else None, message, limits)
    except WireError as error:
        return [Rejected(position.offset, error, message)]
    return found


def _map_item(
    source: Source,
    rule_set: RuleSet,
    item: object,
    position: Position,
    index: int | None,
    message: bytes,
    limits: Limits,
) -> Iterator[Mapped | Rejected]:
    place = "-".join(map(str, position if index is None else (*position, index)))
    try:
        tree = _object(item)
    except WireError as error:
        error.index = index
        yield Rejected(position.offset, error, message)
        return
    for count, mapping in enumerate(source.mappings):
        try:
            if all(_passes(tree, test) for test in mapping.filter):
                derived = f"{place}-m{count}" if count else place
                yield _map(source.id, mapping, rule_set, tree, derived, limits)
        except WireError as error:
            error.index = index
            yield Rejected(position.offset, error, message)


def _object(item: object) -> JsonObject:
    tree = tree_of(item) if isinstance(item, bytes) else item
    if not isinstance(tree, JsonObject):
        raise WireError("not_an_object", f"expected a JSON object, found {kind_of(tree)}")
    return tree


def _map(source: str, mapping: Mapping, rule_set: RuleSet, tree: JsonObject, derived: str, limits: Limits) -> Mapped:
    kpi = _text(tree, mapping.kpi)
    if kpi not in rule_set.kpi_by_id:
        raise WireError("unknown_kpi", f"the catalogue has no KPI {kpi[:200]!r}", path=_path(mapping.kpi))
    fields = JsonObject(
        kpi=kpi,
        time=format_time(_time(tree, mapping, rule_set.zones)),
        value=_value(tree, mapping.value),
        dimensions={name: _text(tree, rule) for name, rule in mapping.dimensions.items()},
        id=f"{source}/{_identifier(tree, mapping) if mapping.id else derived}",
        source=source,
        provenance=mapping.provenance,
    )
    item = item_of(fields, limits.dimensions_max)
    value = encode_measurement(
        item.kpi, item.time, item.value, item.dimensions, id=item.id, source=source, provenance=mapping.provenance
    )
    return Mapped(item, series_key(item.kpi, item.dimensions).encode(), value)


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str | int, ...]:
    """`a.b[0].c` as ("a", "b", 0, "c")."""
    return tuple(int(index) if index else name for index, name in _STEP.findall(path))


def look_up(tree: object, path: str) -> object:
    """What stands at `path`, or a value that is no JSON value where it leads nowhere."""
    found = tree
    for step in _steps(path):
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and step < len(found) else _MISSING
        elif isinstance(found, JsonObject) and step in found:
            if found.duplicate == step:
                raise WireError("duplicate_field", f"{step!r} stands twice", path=f"$.{path}")
            found = found[step]
        else:
            return _MISSING
    return found


def _field(tree: JsonObject, rule: FieldRule) -> object:
    """The constant, or what stands at the path; WireError `missing_field` where that is nothing or null."""
    if rule.path is None:
        return rule.const
    found = look_up(tree, rule.path)
    if found is None or found is _MISSING:
        what = "null" if found is None else "nothing"
        raise WireError("missing_field", f"expected a value at {rule.path}, found {what}", path=f"$.{rule.path}")
    return found


def _path(rule: FieldRule) -> str:
    return "$" if rule.path is None else f"$.{rule.path}"


def _text(tree: JsonObject, rule: FieldRule) -> str:
    found = _field(tree, rule)
    if isinstance(found, str):
        return found
    if isinstance(found, bool | int | float):
        return msgspec.json.encode(found).decode()
    raise WireError("wrong_type", f"expected a string, found {kind_of(found)}", path=_path(rule))


def _value(tree: JsonObject, rule: FieldRule) -> float:
    return number(_unquoted(_field(tree, rule)), _path(rule))


def _unquoted(found: object) -> object:
    """A number that was written as a string."""
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        return tree_of(found.encode())
    return found


def _identifier(tree: JsonObject, mapping: Mapping) -> str:
    parts = [_text(tree, rule) for rule in mapping.id]
    return parts[0] if len(parts) == 1 else msgspec.json.encode(parts).decode()


def _passes(tree: JsonObject, test: FilterRule) -> bool:
    found = look_up(tree, test.path)
    holds = any(_same(found, value) for value in test.values) if test.values else found is not _MISSING
    return holds != test.negate


def _same(found: object, value: object) -> bool:
    """Equal as JSON: true is not 1, 1 is 1.0."""
    return found == value and isinstance(found, bool) == isinstance(value, bool)


def _time(tree: JsonObject, mapping: Mapping, zones: Lookup[str, tuple[ZoneTransition, ...]]) -> Micros:
    found, path = _field(tree, mapping.time), _path(mapping.time)
    if mapping.time_unit in _SCALES:
        written = _unquoted(found)
        return within_range(_SCALES[mapping.time_unit](number(written, path), written), found, path)
    if not isinstance(found, str):
        raise WireError("wrong_type", f"expected a time as a string, found {kind_of(found)}", path=path)
    if mapping.time_unit == "rfc3339":
        return parse_time(found, path)
    local = parse_local(f"{found}T00:00:00" if _DATE.fullmatch(found) else found, path)
    return within_range(to_utc(local, zones[mapping.time_zone or "UTC"]), found, path)


def _scaled(micros: int, per: int) -> Callable[[float, object], Micros]:
    """Numbers of a unit that is `micros` / `per` microseconds: whole ones exactly, others to the nearest one."""

    def scale(rounded: float, written: object) -> Micros:
        if abs(rounded) > _WRITTEN_MAX:
            return LATEST  # no time that is taken is that far away, in any unit
        return written * micros // per if isinstance(written, int) else round(rounded * micros / per)

    return scale


_SCALES = {"s": _scaled(SECOND, 1), "ms": _scaled(1_000, 1), "us": _scaled(1, 1), "ns": _scaled(1, 1_000)}


def to_utc(local: Micros, transitions: tuple[ZoneTransition, ...]) -> Micros:
    """A local time as UTC: the first of two readings, and across a gap with the offset before it."""

    def local_start(place: int) -> Micros:
        """From this local time on, the offset at `place` is the only one that can be meant."""
        return transitions[place].start + max(transitions[place - 1].offset, transitions[place].offset)

    place = bisect_right(range(1, len(transitions)), local, key=local_start)
    return local - transitions[place].offset
