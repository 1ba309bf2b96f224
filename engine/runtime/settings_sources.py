"""Where settings come from: a file, then the environment, then flags; the later one counts. Origins are kept.

Everything is read as text and given its type in one place, so that `no` in a file is the same two letters as in a
variable. Every problem of every origin is reported at once.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import yaml
from pydantic import SecretStr, ValidationError

from engine.errors import ConfigError
from engine.runtime.settings import LimitSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

PREFIX = "COUNTERPOINT_"
FILE_VARIABLE = "COUNTERPOINT_CONFIG"
"""Names the settings file; not a setting itself."""
NO_SETTINGS = frozenset({FILE_VARIABLE, "COUNTERPOINT_KAFKA_LIBS", "COUNTERPOINT_HYPOTHESIS"})
"""Variables with our prefix that are meant for others: the settings file's name, the tests' Kafka and properties."""
DEFAULT = "default"

_LIMITS = "limits"
_PATHS = ("rules", "delivery", "tls_ca_file", "tls_certificate_file", "tls_key_file")
_NAMES = (
    *(name for name in Settings.model_fields if name != _LIMITS),
    *(f"limits.{f}" for f in LimitSettings.model_fields),
)


class Given(NamedTuple):
    """A value as somebody wrote it, and where."""

    value: object
    origin: str


class LoadedSettings(NamedTuple):
    """Settings, and for each name (`prefix`, `limits.dimensions_max`) where its value comes from."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> LoadedSettings:
    """Settings from `file`, over them the variables `COUNTERPOINT_*`, over them `flags` (by name; None is absent).

    ConfigError with every problem: unknown names with what was probably meant, values that do not fit.
    """
    given: dict[str, Given] = {}
    problems: list[str] = []
    if file is not None:
        given |= _from_file(file, problems)
    given |= _from_environment(environment or {}, problems)
    given |= _from_flags(flags or {}, problems)
    values: dict[str, object] = {name: item.value for name, item in given.items() if "." not in name}
    values[_LIMITS] = {name.partition(".")[2]: item.value for name, item in given.items() if "." in name}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        # A default that is taken from another setting cannot be had while that one is wrong: no problem of its own.
        details = [detail for detail in error.errors() if detail["type"] != "default_factory_not_called"]
        problems += [line for detail in details for line in _explain(detail, given)]
    if problems:
        raise ConfigError(problems)
    return LoadedSettings(settings, {name: given[name].origin if name in given else DEFAULT for name in _NAMES})


def setting_names() -> Sequence[str]:
    """Every setting's name, in the order in which they are shown."""
    return _NAMES


def _from_file(file: Path, problems: list[str]) -> dict[str, Given]:
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except OSError as error:
        raise ConfigError([f"{file}: the settings file cannot be read: {error.strerror}; mend its path"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: expected YAML: {' '.join(str(error).split())}"]) from None
    given: dict[str, Given] = {}
    for name, origin, value in _entries(file, root, problems):
        if name in given:
            problems.append(f"{origin}: {name}: expected once, found again (first at {given[name].origin}); remove one")
        elif _known(name, origin, problems):
            given[name] = Given(_beside(file, name, value) if name in _PATHS else value, origin)
    return given


def _entries(file: Path, root: yaml.Node | None, problems: list[str]) -> Iterable[tuple[str, str, object]]:
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        problems.append(f"{_place(file, root)}: expected settings as `name: value`, found something else")
        return
    for key, node in root.value:
        if key.value == _LIMITS and isinstance(node, yaml.MappingNode):
            yield from ((f"limits.{sub.value}", _place(file, sub), _text(leaf)) for sub, leaf in node.value)
        else:
            yield str(key.value), _place(file, key), _text(node)


def _place(file: Path, node: yaml.Node) -> str:
    return f"{file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _text(node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        plain_null = node.style is None and node.value in ("", "~", "null")
        return None if plain_null else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_text(item) for item in node.value]
    return {str(key.value): _text(value) for key, value in node.value}


def _beside(file: Path, name: str, value: object) -> object:
    """Paths in a file are meant from where the file stands."""
    if name == "rules" and isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if isinstance(value, list):
        return [_beside(file, "", item) for item in value]
    return str(file.parent / value) if isinstance(value, str) else value


def _from_environment(environment: Mapping[str, str], problems: list[str]) -> dict[str, Given]:
    given = {}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in NO_SETTINGS:
            continue
        rest = variable.removeprefix(PREFIX).lower()
        name = f"limits.{rest.removeprefix('limits_')}" if rest.startswith("limits_") else rest
        origin = f"environment {variable}"
        if _known(name, origin, problems):
            given[name] = Given(environment[variable], origin)
    return given


def _from_flags(flags: Mapping[str, object], problems: list[str]) -> dict[str, Given]:
    given = {}
    for name, value in flags.items():
        origin = f"flag {name}"
        if value is not None and _known(name, origin, problems):
            given[name] = Given(value, origin)
    return given


def _known(name: str, origin: str, problems: list[str]) -> bool:
    if name in _NAMES:
        return True
    near = get_close_matches(name, _NAMES, n=1)
    hint = f"did you mean {near[0]}?" if near else "`counterpoint config` lists them all"
    problems.append(f"{origin}: {name}: expected the name of a setting, found none of this name; {hint}")
    return False


def _explain(detail: ErrorDetails, given: Mapping[str, Given]) -> list[str]:
    """A problem of pydantic's as ours: where it was written, what was expected, what was found."""
    parts = [str(part) for part in detail["loc"]]
    name = ".".join(parts[:2]) if parts[:1] == [_LIMITS] else "".join(parts[:1])
    message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "expected", 1)
    if not name:
        return [f"{_origin_of(line, given)}: {line}" for line in message.split("\n")]
    origin = given[name].origin if name in given else DEFAULT
    found = "" if _is_secret(name) else f", found {detail['input']!r}"
    return [f"{origin}: {name}: {message}{found}"]


def _origin_of(line: str, given: Mapping[str, Given]) -> str:
    name = line.replace(":", " ").split()[0]
    return given[name].origin if name in given else DEFAULT


def _is_secret(name: str) -> bool:
    field = Settings.model_fields.get(name)
    return field is not None and "SecretStr" in str(field.annotation)


def masked(settings: Settings, name: str) -> object:
    """The value of a setting as it may be shown: a secret that is set is `********`."""
    group, _, limit = name.partition(".")
    value: object = getattr(settings, group)
    if limit:
        return getattr(value, limit)
    return "********" if isinstance(value, SecretStr) else value
