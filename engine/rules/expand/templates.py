"""A template's rule, once for each set of values: `${name}` in its texts is replaced."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from engine.rules.expand.derived import declare_derived
from engine.rules.wording import choices, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec.template import TemplateSpec, Value

_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_OF_KPIS: Final = ("kpi", "title", "owner", "objective", "unit")


def expand_templates(declarations: Declarations) -> Iterator[Problem]:
    """Declare the rules of every template that is sound."""
    for template in declarations.templates.values():
        sets = list(_sets(template, declarations)) if not template.unsound else []
        problems = [*_for_what(template, sets), *_unknown(template, sets)]
        yield from problems
        if problems or template.unsound:
            declarations.incomplete.add("rule")
            continue
        for values in sets:
            data = {"kind": "rule", **_filled(template.spec.rule, values)}
            yield from declare_derived(declarations, template.document, ("rule",), data)


def _sets(template: Declared[TemplateSpec], declarations: Declarations) -> Iterator[dict[str, Value]]:
    if template.spec.for_each is not None:
        yield from template.spec.for_each
        return
    for kpi in declarations.kpis.values():
        if template.spec.kpis is not None and template.spec.kpis.mean(kpi.data):
            yield {name: str(kpi.data.get("id" if name == "kpi" else name, "")) for name in _OF_KPIS}


def _for_what(template: Declared[TemplateSpec], sets: list[dict[str, Value]]) -> Iterator[Problem]:
    given = [name for name in ("for_each", "kpis") if name in template.data]
    if len(given) != 1:
        yield template.problem(
            (given[1],) if given else (),
            "template",
            expected="exactly one of `for_each` and `kpis`",
            found=" and ".join(given) or "none of them",
            mend="say for what the rule is repeated",
            at_key=True,
        )
    elif not sets and not template.unsound:
        yield template.problem(
            ("kpis",),
            "no-kpi-selected",
            expected="what holds of one KPI at least",
            found="what holds of none",
            mend="mend it, or leave the template out",
            severity="warning",
            at_key=True,
        )


def _unknown(template: Declared[TemplateSpec], sets: list[dict[str, Value]]) -> Iterator[Problem]:
    """Names in the rule that some set has no value for."""
    known = set.intersection(*map(set, sets)) if sets else set()
    for path, text in _texts(template.spec.rule, ("rule",)):
        for name in _VARIABLE.findall(text):
            if sets and name not in known:
                yield template.problem(
                    path,
                    "unknown-variable",
                    expected=f"a name that every set of values has: {choices(sorted(known))}",
                    found=f"${{{name}}}",
                    mend=suggestion(name, sorted(known), "give it a value in each of them"),
                )


def _texts(data: Any, path: Path_) -> Iterator[tuple[Path_, str]]:  # noqa: ANN401 - what the file holds
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*path, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _texts(value, (*path, place))


def _filled(data: Any, values: Mapping[str, Value]) -> Any:  # noqa: ANN401 - what the file holds
    """With values in the place of names; where a text is nothing but a name, the value as it is."""
    if isinstance(data, dict):
        return {key: _filled(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled(value, values) for value in data]
    if not isinstance(data, str):
        return data
    alone = _VARIABLE.fullmatch(data)
    return values[alone[1]] if alone else _VARIABLE.sub(lambda found: _written(values[found[1]]), data)


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
