"""Pydantic's errors in this engine's words: expected, found, how to mend it, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel

from engine.rules.wording import choices, shown, suggestion

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from engine.rules.problems import Problem
    from engine.rules.source import Document, Path_
    from engine.rules.spec.scalars import Spec

_TYPES: Final[dict[str, tuple[str, str]]] = {
    "string_type": ("text", "write text; a number or true/false in quotes"),
    "int_type": ("a whole number", "write a number without quotes and without a fraction"),
    "int_from_float": ("a whole number", "write a number without a fraction"),
    "float_type": ("a number", "write a number without quotes"),
    "finite_number": ("a finite number", "write a number that is not infinite"),
    "bool_type": ("true or false", "write `true` or `false` without quotes"),
    "list_type": ("a list", "write `[a, b]`, or one item a line after `- `"),
    "dict_type": ("a mapping", "write `{name: value}`"),
    "model_type": ("a mapping", "write `{name: value}`"),
    "string_too_short": ("some text", "say it in a few words"),
}
_CODES: Final = {
    "literal_error": "choice",
    "string_pattern_mismatch": "pattern",
    "string_too_short": "empty",
    "string_too_long": "length",
    "too_short": "length",
    "too_long": "length",
    "greater_than": "range",
    "greater_than_equal": "range",
    "less_than_equal": "range",
    "finite_number": "range",
}
"""What is not here is a value of the wrong type."""

_PATTERNS: Final = {
    "^[a-z0-9]": (
        "an id of lower-case letters, digits, dots, dashes and underscores",
        "begin with a letter or digit; no spaces, no capitals",
    ),
    r"^[^.\[\]": ("a path like `a.b[0].c`", "write names with dots between, and indexes in brackets"),
    "^[A-Za-z0-9._-]": ("the name of a topic", "use letters, digits, dots, dashes and underscores"),
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "not below"),
    "less_than_equal": ("le", "not above"),
}


def shape_problem(document: Document, model: type[Spec], detail: ErrorDetails) -> Problem:
    """One error of pydantic as a problem."""
    path = tuple(part for part in detail["loc"])
    context = detail.get("ctx", {})
    if "mend" in context:
        return _own(document, path, detail["type"], context)
    if detail["type"] == "missing":
        return _missing(document, path, model)
    if detail["type"] == "extra_forbidden":
        return _unknown(document, path, model)
    expected, mend = _expectation(detail["type"], context, detail)
    found = shown(detail["input"])
    return document.problem(path, _CODES.get(detail["type"], "type"), expected=expected, found=found, mend=mend)


def _own(document: Document, path: Path_, code: str, context: dict[str, Any]) -> Problem:
    at = context.get("at")
    return document.problem(
        (*path, at) if at else path,
        code,
        expected=context["expected"],
        found=context["found"],
        mend=context["mend"],
    )


def _missing(document: Document, path: Path_, model: type[Spec]) -> Problem:
    name = str(path[-1])
    info = _fields(model, path[:-1]).get(name)
    example = f"add `{name}: {_example(info)}`" if info else f"add `{name}`"
    reason = f" ({info.description[0].lower()}{info.description[1:]})" if info and info.description else ""
    code = "no-owner" if name == "owner" else "missing-field"
    return document.problem(path[:-1], code, expected=f"the field `{name}`", found="none", mend=example + reason)


def _unknown(document: Document, path: Path_, model: type[Spec]) -> Problem:
    name = str(path[-1])
    fields = _fields(model, path[:-1])
    otherwise = f"leave it out, or use {choices(fields)}"
    if name == "<<":
        otherwise = "write the fields out: YAML 1.2 has no merge keys"
    return document.problem(
        path,
        "unknown-field",
        expected=f"a field of {_holder(path)}",
        found=f"the unknown field {shown(name)}",
        mend=suggestion(name, fields, otherwise),
        at_key=True,
    )


def _expectation(code: str, context: dict[str, Any], detail: ErrorDetails) -> tuple[str, str]:
    if code in _TYPES:
        return _TYPES[code]
    if code == "literal_error":
        names = [name.strip("'") for name in context["expected"].replace(" or ", ", ").split(", ")]
        return f"one of {choices(names)}", suggestion(detail["input"], names, "use one of these")
    if code == "string_pattern_mismatch":
        return next(
            (text for sign, text in _PATTERNS.items() if context["pattern"].startswith(sign)),
            (detail["msg"], "change it"),
        )
    if code in _BOUNDS:
        name, words = _BOUNDS[code]
        return f"a number {words} {context[name]:g}", "change it"
    if code in ("too_short", "too_long"):
        limit = context.get("min_length", context.get("max_length"))
        return (
            f"{'at least' if 'min_length' in context else 'at most'} {limit} item{'' if limit == 1 else 's'}",
            "change the list",
        )
    return f"something else ({detail['msg']})", "change it"


def _holder(path: Path_) -> str:
    names = [part for part in path[:-1] if isinstance(part, str)]
    return f"`{names[-1]}`" if names else "this kind"


def _example(info: FieldInfo) -> str:
    return str(info.examples[0]) if info.examples else "..."


def _fields(model: type[BaseModel], path: Path_) -> dict[str, FieldInfo]:
    """The fields, by the names that the file uses, of the model at `path` below `model`."""
    current: type[BaseModel] | None = model
    for part in path:
        if not isinstance(part, str) or current is None:
            continue
        info = _by_key(current).get(part)
        current = _model_in(info.annotation) if info else current
    return _by_key(current) if current else {}


def _by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any type expression
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)
