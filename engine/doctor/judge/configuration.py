"""Settings and rules, through the loaders that a worker uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.doctor.diagnosis import Diagnosis, counted, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.rules.loader import Loaded
    from engine.runtime.settings import Settings


def judge_settings(settings: Settings, origins: Mapping[str, str], default: str) -> Iterator[Diagnosis]:
    """What to say of settings that could be read."""
    given = sum(origin != default for origin in origins.values())
    yield ok("configuration", "settings", f"{counted(given, 'setting')} given, the others as by default")
    if settings.security_protocol != "PLAINTEXT":
        yield problem(
            "configuration",
            "security_protocol",
            expected="PLAINTEXT, which alone the worker of this version speaks",
            found=settings.security_protocol,
            mend="leave it out, and reach the brokers through a TLS proxy on the same machine",
        )


def judge_rules(loaded: Loaded, paths: str) -> Iterator[Diagnosis]:
    """What to say of the rule files: every error, and whether they make a rule set."""
    errors = [found for found in loaded.problems if found.severity == "error"]
    for found in errors:
        where = f"{found.file}:{found.line}:{found.column}"
        yield problem("configuration", where, expected=found.expected, found=found.found, mend=found.mend)
    if not loaded.files:
        mend = "set `rules` to your packs"
        yield problem("configuration", "rules", expected=f"rule files at {paths}", found="none", mend=mend)
    elif loaded.rule_set is not None:
        names = {"KPI": loaded.declared.kpi, "rule": loaded.declared.rule, "source": loaded.declared.source}
        listed = ", ".join(counted(number, noun) for noun, number in names.items())
        warnings = len(loaded.problems) - len(errors)
        told = f"; {counted(warnings, 'warning')}, which `counterpoint check` lists" if warnings else ""
        yield ok("configuration", "rules", f"{listed} in {paths}{told}")
