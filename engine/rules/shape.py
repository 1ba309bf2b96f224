"""The first pass over documents: each against the model of its kind, every pydantic error as a problem in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from engine.rules.declared import Declarations, Declared
from engine.rules.shape_errors import shape_problem
from engine.rules.spec import KINDS, Spec
from engine.rules.wording import choices, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from engine.rules.problems import Problem
    from engine.rules.source import Document, Read
    from engine.rules.syntax import Salvage


def declare(read: Read) -> tuple[Declarations, list[Problem]]:
    """Every document of a known kind as a declaration, and what is wrong with the shape of any of them."""
    declarations = Declarations()
    problems: list[Problem] = []
    for salvaged in read.salvaged:
        _note_salvaged(declarations, salvaged)
    for document in read.documents:
        problems.extend(declare_one(declarations, document))
    return declarations, problems


def declare_one(declarations: Declarations, document: Document) -> Iterable[Problem]:
    """Declare a document; what is wrong with its shape, and with its id."""
    kind_problem = _kind_problem(document)
    if kind_problem:
        # Whatever this was meant to be, others may refer to it.
        declarations.incomplete.update(KINDS)
        return [kind_problem]
    assert isinstance(document.data, dict)  # noqa: S101 - _kind_problem has refused anything else
    kind: str = document.data["kind"]
    declared, problems = _validated(document, KINDS[kind])
    if not declared.has("id"):
        declarations.incomplete.add(kind)
        return problems
    namesake = declarations.of_kind(kind).get(declared.id)
    if namesake:
        return [*problems, _duplicate(kind, declared, namesake)]
    declarations.of_kind(kind)[declared.id] = declared
    declarations.known[kind].add(declared.id)
    return problems


def _validated(document: Document, model: type[Spec]) -> tuple[Declared[Any], list[Problem]]:
    try:
        return Declared(document, model.model_validate(document.data), frozenset()), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    unsound = frozenset(str(detail["loc"][0]) if detail["loc"] else "" for detail in details)
    return Declared(document, _of_sound_fields(document.data, model, unsound), unsound), _problems(
        document, model, details
    )


def _of_sound_fields(data: Any, model: type[Spec], unsound: frozenset[str]) -> Spec:  # noqa: ANN401 - what the file holds
    """A model with the fields that are sound, so that the later passes can say what they can."""
    partial = model.model_construct()
    validator = model.__pydantic_validator__
    for name, info in model.model_fields.items():
        key = info.alias or name
        if key in data and key not in unsound:
            validator.validate_assignment(partial, name, data[key])
    return partial


def _problems(document: Document, model: type[Spec], details: list[ErrorDetails]) -> list[Problem]:
    """One problem a place: the branches of a union each complain, and one complaint is enough."""
    found: dict[tuple[int, int], Problem] = {}
    for detail in details:
        problem = shape_problem(document, model, detail)
        key = (problem.line, problem.column) if detail["type"] != "missing" else (problem.line, -len(found) - 1)
        found.setdefault(key, problem)
    return list(found.values())


def _kind_problem(document: Document) -> Problem | None:
    data = document.data
    if not isinstance(data, dict):
        return document.problem(
            (),
            "document",
            expected="a mapping that begins with `kind:`",
            found=shown(data),
            mend=f"write `kind: ...` with {choices(KINDS)}",
        )
    if "kind" not in data:
        return document.problem(
            (),
            "missing-field",
            expected="the field `kind`",
            found="none",
            mend=f"add `kind: ...` with {choices(KINDS)}",
        )
    kind = data["kind"]
    if isinstance(kind, str) and kind in KINDS:
        return None
    return document.problem(
        ("kind",),
        "kind",
        expected=f"one of {choices(KINDS)}",
        found=shown(kind),
        mend=suggestion(kind, KINDS, "use one of these"),
    )


def _duplicate(kind: str, declared: Declared[Any], first: Declared[Any]) -> Problem:
    place = first.document.value_at(("id",))
    return declared.problem(
        ("id",),
        "duplicate-id",
        expected=f"the {'KPI' if kind == 'kpi' else kind} {shown(declared.id)} declared once",
        found=f"it again (first at {first.document.file}:{place.line}:{place.column})",
        mend="give one of the two another id, or drop it",
    )


def _note_salvaged(declarations: Declarations, salvaged: Salvage) -> None:
    if salvaged.kind in KINDS and salvaged.id is not None:
        declarations.known[salvaged.kind].add(salvaged.id)
    elif salvaged.kind in KINDS:
        declarations.incomplete.add(salvaged.kind)
    else:
        declarations.incomplete.update(KINDS)
