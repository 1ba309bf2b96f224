"""The delivery file: read with positions, checked as a whole; every problem at once.

It has the form of rule packs (documents that begin with `kind:`) and is no part of them: what goes where is the
business of an installation, not of a rule set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from pydantic import ValidationError

from engine.deliver.file_checks import check_all
from engine.deliver.spec import KINDS, SECRETS, TYPES, AnyReceiverSpec, DeliverySpec, ReceiverSpec, RouteSpec
from engine.errors import ConfigError
from engine.rules.problems import has_errors
from engine.rules.shape_errors import shape_problem
from engine.rules.source import read
from engine.rules.wording import choices, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.rules.problems import Problem
    from engine.rules.source import Document
    from engine.rules.spec import Spec


class Declared(NamedTuple):
    """A document and what of it is sound; the fields in `unsound` are missing or wrong, and its model lacks them."""

    document: Document
    spec: Spec
    unsound: frozenset[str] = frozenset()

    def has(self, field: str) -> bool:
        """Whether a field is sound, or has its default."""
        return field not in self.unsound and hasattr(self.spec, field)


class DeliveryFile(NamedTuple):
    """What a delivery file says, with its references to secrets resolved."""

    delivery: DeliverySpec
    receivers: tuple[AnyReceiverSpec, ...]
    routes: tuple[RouteSpec, ...]


class LoadedFile(NamedTuple):
    """The file, or None where any problem is an error; all problems in order of place."""

    file: DeliveryFile | None
    problems: tuple[Problem, ...]


def load_file(path: Path, environment: Mapping[str, str]) -> LoadedFile:
    """Read and check. Raises nothing."""
    found = read([path])
    problems = list(found.problems)
    declared: list[Declared] = []
    for document in found.documents:
        made, wrong = _declare(document)
        problems += wrong
        declared += [] if made is None else [made]
    # What could not be read may have been the receiver that a route names.
    named = all("id" not in each.unsound for each in declared)
    whole = named and not found.problems and len(declared) == len(found.documents)
    specs, wrong = check_all(declared, environment, path.parent, whole=whole)
    problems += wrong
    sound = not has_errors(problems)
    return LoadedFile(_put_together(specs) if sound else None, tuple(sorted(set(problems))))


def load_file_or_raise(path: Path, environment: Mapping[str, str]) -> DeliveryFile:
    """As `load_file`; ConfigError with every problem, warnings included where there is an error."""
    loaded = load_file(path, environment)
    if loaded.file is None:
        raise ConfigError(loaded.problems)
    return loaded.file


def _declare(document: Document) -> tuple[Declared | None, list[Problem]]:
    model = _model(document)
    if not isinstance(model, type):
        return None, [model]
    try:
        return Declared(document, model.model_validate(document.data)), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    unsound = frozenset(str(detail["loc"][0]) for detail in details if detail["loc"])
    found: dict[object, Problem] = {}
    for detail in details:
        problem = shape_problem(document, model, detail)
        if detail["loc"] and detail["loc"][0] in SECRETS and detail["type"] != "missing":
            problem = msgspec.structs.replace(problem, found="something else (it is not shown)")
        place = (problem.line, problem.column) if detail["type"] != "missing" else detail["loc"]
        found.setdefault(place, problem)  # the branches of a union each complain, and one complaint is enough
    return Declared(document, _sound_part(document.data, model, unsound), unsound), list(found.values())


def _sound_part(data: Any, model: type[Spec], unsound: frozenset[str]) -> Spec:  # noqa: ANN401 - what the file holds
    """A model of the fields that are sound, so that the other checks can say what they can."""
    partial = model.model_construct()
    for name, info in model.model_fields.items():
        key = info.alias or name
        if key in data and key not in unsound:
            model.__pydantic_validator__.validate_assignment(partial, name, data[key])
    return partial


def _model(document: Document) -> type[Spec] | Problem:
    """The model of a document, by its `kind` and, of a receiver, its `type`."""
    data = document.data
    if not isinstance(data, dict):
        return document.problem(
            (), "document", expected="a mapping that begins with `kind:`", found=shown(data), mend=_use(KINDS)
        )
    for name, known in (("kind", KINDS), ("type", TYPES)):
        if name == "type" and data["kind"] != "receiver":
            continue
        if name not in data:
            return document.problem(
                (), "missing-field", expected=f"the field `{name}`", found="none", mend=_use(known, name)
            )
        if not isinstance(data[name], str) or data[name] not in known:
            return document.problem(
                (name,),
                name,
                expected=f"one of {choices(known)}",
                found=shown(data[name]),
                mend=suggestion(data[name], known, "use one of these"),
            )
    return TYPES[data["type"]] if data["kind"] == "receiver" else KINDS[data["kind"]]


def _use(known: Mapping[str, object], name: str = "kind") -> str:
    return f"write `{name}: ...` with {choices(known)}"


def _put_together(specs: list[Spec]) -> DeliveryFile:
    deliveries = [spec for spec in specs if isinstance(spec, DeliverySpec)]
    return DeliveryFile(
        deliveries[0] if deliveries else DeliverySpec(kind="delivery"),
        tuple(spec for spec in specs if isinstance(spec, ReceiverSpec)),  # type: ignore[misc]  # one of `TYPES`
        tuple(spec for spec in specs if isinstance(spec, RouteSpec)),
    )
