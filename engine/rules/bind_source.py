"""A source as it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.resolved.source import FieldRule, FilterRule, Mapping, Source

if TYPE_CHECKING:
    from engine.rules.spec import SourceSpec
    from engine.rules.spec.source import FieldSpec, FilterSpec, MappingSpec


def bind_source(spec: SourceSpec) -> Source:
    """The source with its mappings in the order written: a message gives one measurement for each that it passes."""
    return Source(spec.id, spec.topic, tuple(_mapping(mapping) for mapping in spec.map))


def _mapping(spec: MappingSpec) -> Mapping:
    return Mapping(
        kpi=_field(spec.kpi),
        value=_field(spec.value),
        time=FieldRule(path=spec.time.path),
        time_unit=spec.time.unit,
        time_zone=spec.time.zone,
        dimensions={name: _field(spec.dimensions[name]) for name in sorted(spec.dimensions)},
        id=tuple(_field(field) for field in spec.id),
        filter=tuple(_filter(test) for test in spec.filter),
        provenance=spec.provenance,
    )


def _field(spec: FieldSpec) -> FieldRule:
    return FieldRule(path=spec.path, const=spec.const)


def _filter(spec: FilterSpec) -> FilterRule:
    if spec.in_ is not None:
        return FilterRule(spec.path, tuple(spec.in_))
    if spec.not_in is not None:
        return FilterRule(spec.path, tuple(spec.not_in), negate=True)
    if spec.exists is not None:
        return FilterRule(spec.path, (), negate=not spec.exists)
    return FilterRule(spec.path, (spec.equals,))
