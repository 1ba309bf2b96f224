"""What the doctor says of planted faults, word by word: golden/NAME.txt. `--update-golden` writes them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doctor_world import FACTS, RULES, SETTINGS, SOUND, found_in

from engine import SEMANTICS_VERSION, __version__
from engine.cli.doctor import as_text
from engine.doctor.facts import EndpointFacts
from engine.doctor.judge import configuration, port, retention
from engine.rules.loader import load, load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.doctor.diagnosis import Diagnosis

GOLDEN = Path(__file__).parent / "golden"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


NOW = (__version__, str(SEMANTICS_VERSION))


def ports() -> list[Diagnosis]:
    """Everything that may be found at the port, one after the other."""
    worker = EndpointFacts("127.0.0.1", 9464, server="counterpoint", ready="ready", build=NOW)
    seen: list[EndpointFacts | None] = [
        None,
        EndpointFacts("127.0.0.1", 9464, refused=True, free="free"),
        EndpointFacts("10.9.8.7", 9464, refused=True, free="Cannot assign requested address"),
        EndpointFacts("127.0.0.1", 9464, server="SimpleHTTP/0.6"),
        worker,
        EndpointFacts("127.0.0.1", 9464, server="counterpoint", ready="not ready: a[0]", build=NOW),
        EndpointFacts("127.0.0.1", 9464, server="counterpoint", ready="ready", build=("0.0.9", str(SEMANTICS_VERSION))),
        EndpointFacts("127.0.0.1", 9464, server="counterpoint", ready="ready", build=("9.0.0", "999")),
    ]
    return [found for each in seen for found in port.judge(each)]


def rules_with_errors() -> list[Diagnosis]:
    folder = GOLDEN.parent / "rules"
    loaded = load([folder])
    named = [*configuration.judge_rules(loaded, "rules"), *configuration.judge_rules(load([GOLDEN]), "nowhere")]
    return [_below(folder, each) for each in named]


def _below(folder: Path, each: Diagnosis) -> Diagnosis:
    return type(each)(
        each.area, each.about.replace(f"{folder}/", ""), each.verdict, each.found, each.expected, each.mend
    )


def tls() -> list[Diagnosis]:
    settings = SETTINGS.model_copy(update={"security_protocol": "SSL"})
    return list(configuration.judge_settings(settings, {"prefix": "a", "rules": "default"}, "default"))


def too_many_copies() -> list[Diagnosis]:
    return found_in(SOUND, SETTINGS.model_copy(update={"replication_factor": 5}))


LOOKING_BACK = """\
{kind: owner, id: ops, name: Operations}
---
{kind: objective, id: up, title: It is up, owner: ops}
---
kind: kpi
id: errors
title: Errors
owner: ops
objective: up
definition: Requests that failed
decision: Roll back
direction: lower_is_better
role: leading
unit: errors
aggregation: sum
window: {every: 1h}
target: none
---
{kind: rule, id: a, title: A, kpi: errors, condition: {threshold: {above: 1}}, for: 120d}
---
{kind: rule, id: b, title: B, kpi: errors, condition: {threshold: {above: 2}}, for: 100d, severity: critical}
---
{kind: rule, id: c, title: C, kpi: errors, condition: {threshold: {above: 3}}, for: 80d}
"""


def rules_that_look_back_further() -> list[Diagnosis]:
    rules = load_read(read_text("rules.yaml", LOOKING_BACK)).rule_set
    assert rules is not None
    return list(retention.judge(SOUND, SETTINGS, (), rules))


OTHERS: dict[str, Callable[[], Iterable[Diagnosis]]] = {
    "ports": ports,
    "rules_with_errors": rules_with_errors,
    "tls": tls,
    "rules_that_look_back_further": rules_that_look_back_further,
    "more_copies_than_brokers": too_many_copies,
}
WHOLE = {"sound", "ports", "rules_with_errors", "tls", "embedded_broker", "broker_that_says_little"}
"""Shown with what is well; of the others only what is not."""


@pytest.mark.parametrize("name", [*FACTS, *OTHERS])
def test_the_doctor_says_exactly_this(name: str, *, update_golden: bool):
    found = list(OTHERS[name]() if name in OTHERS else found_in(FACTS[name]()))
    shown = found if name in WHOLE else [each for each in found if each.verdict != "ok"]
    said = _COLOUR.sub("", "\n".join(as_text(shown))) + "\n"
    # What changes with every version is no news here.
    said = re.sub(r"semantics version \d+", "semantics version N", said.replace(RULES.hash[:12], "<these rules>"))
    if update_golden:
        (GOLDEN / f"{name}.txt").write_text(said, "utf-8")
    assert said == (GOLDEN / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in FACTS if name not in {"sound", "first_start"}])
def test_a_planted_fault_is_found_and_the_sound_installation_has_none(name: str):
    assert {each.verdict for each in found_in(SOUND)} == {"ok"}
    assert {each.verdict for each in found_in(FACTS[name]())} > {"ok"}


@pytest.mark.parametrize("name", [*FACTS, *OTHERS])
def test_whoever_hears_what_is_wrong_hears_how_to_mend_it(name: str):
    found = OTHERS[name]() if name in OTHERS else found_in(FACTS[name]())
    for each in found:
        assert bool(each.expected) == bool(each.mend) == (each.verdict in {"warning", "problem"})


def test_there_is_a_case_for_every_golden_file():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*FACTS, *OTHERS}
