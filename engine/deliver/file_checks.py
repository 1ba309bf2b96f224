"""What the shape of a delivery file does not say: names that lead somewhere, secrets that are there, usable URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.deliver.apprise_url import what_is_wrong_with_url
from engine.deliver.routes import parse_test
from engine.deliver.secrets import NoSecretError, is_reference, resolve
from engine.deliver.spec import (
    SECRETS,
    AlertmanagerSpec,
    AppriseSpec,
    DeliverySpec,
    ReceiverSpec,
    RouteSpec,
    TemplateSpec,
    WebhookSpec,
)
from engine.deliver.template import unknown_names
from engine.deliver.webhook_key import what_is_wrong_with_key
from engine.deliver.wrong import Wrong
from engine.errors import ConfigError
from engine.rules.wording import choices, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from engine.deliver.file import Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Document, Path_
    from engine.rules.spec import Spec

_MUST_BE_REFERENCES = ("hash_key", "secrets")
_HEX = frozenset("0123456789abcdef")


def check_all(
    declared: Sequence[Declared], environment: Mapping[str, str], folder: Path, *, whole: bool
) -> tuple[list[Spec], list[Problem]]:
    """The specs with their references resolved, and what is wrong. `whole`: nothing of the file is missing here."""
    problems = [*_twice(declared), *(_references(declared) if whole else ())]
    specs: list[Spec] = []
    for each in declared:
        spec, wrong, unsound = _resolved(each, environment, folder)
        specs.append(spec)
        problems += [*wrong, *_check(each._replace(spec=spec, unsound=each.unsound | unsound))]
    return specs, problems


def _twice(declared: Sequence[Declared]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], Document] = {}
    for document, spec, unsound in declared:
        if "id" in unsound:
            continue
        kind = "receiver" if isinstance(spec, ReceiverSpec) else "route" if isinstance(spec, RouteSpec) else "delivery"
        name = spec.id if isinstance(spec, ReceiverSpec | RouteSpec) else ""
        first = seen.setdefault((kind, name), document)
        if first is not document:
            line, column = first.value_at(("id",) if name else ())
            yield document.problem(
                ("id",) if name else (),
                "duplicate-id",
                expected=f"the {kind} {shown(name)} declared once" if name else "one document of `kind: delivery`",
                found=f"it again (first at {first.file}:{line}:{column})",
                mend="give one of the two another id, or drop it" if name else "put both into one",
            )


def _references(declared: Sequence[Declared]) -> Iterator[Problem]:
    receivers = list(dict.fromkeys(each.spec.id for each in declared if isinstance(each.spec, ReceiverSpec)))
    used: set[str] = set()
    for each in declared:
        field = "receivers" if isinstance(each.spec, RouteSpec) else "default"
        names: list[str] = getattr(each.spec, field) if each.has(field) else []
        used.update(names)
        for index, name in enumerate(names):
            if name not in receivers:
                otherwise = f"use {choices(receivers)}" if receivers else "declare it with `kind: receiver`"
                yield each.document.problem(
                    (field, index),
                    "unknown-receiver",
                    expected="a receiver that is declared",
                    found=shown(name),
                    mend=suggestion(name, receivers, otherwise),
                )
    for document, spec, _ in declared:
        if isinstance(spec, ReceiverSpec) and spec.id not in used:
            yield document.problem(
                ("id",),
                "unused-receiver",
                expected="a route or the default to name it",
                found="none that does",
                mend="add it to one of them, or drop it",
                severity="warning",
            )


def _resolved(
    declared: Declared, environment: Mapping[str, str], folder: Path
) -> tuple[Spec, list[Problem], frozenset[str]]:
    """The spec with secrets in place of their references, what is wrong, and in which fields. No problem shows one."""
    changed: dict[str, object] = {}
    problems: list[Problem] = []
    unsound: set[str] = set()
    for field in sorted(SECRETS & declared.spec.model_fields_set):
        value = getattr(declared.spec, field)
        found: dict[str | int, str] = {}
        for part, text in _texts(value):
            path: Path_ = (field,) if part is None else (field, part)
            made = _resolve_one(declared.document, path, text, environment, folder)
            if isinstance(made, str):
                found["" if part is None else part] = made
            else:
                problems.append(made)
                unsound.add(field)
        if isinstance(value, list):
            changed[field] = list(found.values())
        else:
            changed[field] = found if isinstance(value, dict) else found.get("", value)
    return declared.spec.model_copy(update=changed), problems, frozenset(unsound)


def _texts(value: object) -> Iterator[tuple[str | int | None, str]]:
    """The texts of a field, each with what leads to it within the field."""
    if isinstance(value, str):
        yield None, value
    elif isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from value.items()


def _resolve_one(
    document: Document, path: Path_, text: str, environment: Mapping[str, str], folder: Path
) -> str | Problem:
    if path[0] in _MUST_BE_REFERENCES and not is_reference(text):
        return document.problem(
            path,
            "secret",
            expected="a reference to a secret",
            found="something else (it is not shown)",
            mend="write `${NAME}` for a variable of the environment, or `file:PATH`",
        )
    try:
        return resolve(text, environment, folder)
    except NoSecretError as error:
        return document.problem(
            path, "no-secret", expected="a secret that is there", found=str(error), mend="put it there"
        )


def _check(declared: Declared) -> Iterator[Problem]:
    """What the values themselves must be; a field that is wrong already is left alone."""
    document, spec, _ = declared
    match spec:
        case AlertmanagerSpec() | WebhookSpec() if declared.has("url"):
            yield from _unusable(document, ("url",), spec.url, _no_web_address)
        case _:
            pass
    if isinstance(spec, WebhookSpec) and declared.has("secrets"):
        for index, secret in enumerate(spec.secrets):
            yield from _unusable(document, ("secrets", index), secret, what_is_wrong_with_key)
    if isinstance(spec, AppriseSpec) and declared.has("urls"):
        for index, url in enumerate(spec.urls):
            yield from _unusable(document, ("urls", index), url, what_is_wrong_with_url)
        if not spec.urls and not spec.owners:
            yield document.problem(
                (), "no-urls", expected="`urls`, or `owners: true`", found="neither", mend="say who is to be told"
            )
    if isinstance(spec, AppriseSpec | DeliverySpec) and declared.has("template"):
        yield from _templates(document, spec.template)
    if isinstance(spec, DeliverySpec) and declared.has("hash_key") and spec.hash_key is not None:
        yield from _unusable(document, ("hash_key",), spec.hash_key, _no_hash_key)
    if isinstance(spec, RouteSpec) and declared.has("match"):
        yield from _matchers(document, spec)


def _unusable(
    document: Document, path: Path_, text: str, wrong_with: Callable[[str], Wrong | None]
) -> Iterator[Problem]:
    if (wrong := wrong_with(text)) is not None:
        yield document.problem(path, str(path[0]), expected=wrong.expected, found=wrong.found, mend=wrong.mend)


def _no_web_address(text: str) -> Wrong | None:
    if text.startswith(("http://", "https://")):
        return None
    return Wrong("an http(s) URL", "something else (it is not shown)", "change it")


def _no_hash_key(text: str) -> Wrong | None:
    if len(text) in range(16, 129, 2) and set(text) <= _HEX:
        return None
    mend = "make one with `openssl rand -hex 16`"
    return Wrong("16 to 128 hexadecimal digits", "something else (it is not shown)", mend)


def _templates(document: Document, template: TemplateSpec) -> Iterator[Problem]:
    for part in ("title", "body"):
        text = getattr(template, part)
        if text is not None and (problem := unknown_names(text)) is not None:
            yield document.problem(
                ("template", part), "template", expected=problem.expected, found=problem.found, mend=problem.mend
            )


def _matchers(document: Document, spec: RouteSpec) -> Iterator[Problem]:
    for index, text in enumerate(spec.match):
        try:
            parse_test(text)
        except ConfigError as error:
            yield document.problem(
                ("match", index),
                "matcher",
                expected="LABEL=VALUE, LABEL!=VALUE, LABEL=~PATTERN, LABEL!~PATTERN or `LABEL in (A, B)`",
                found=shown(text),
                mend=str(error) if "~" in text else "write for instance `severity=critical`",
            )
