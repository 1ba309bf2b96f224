"""What a rule does when its series fall silent: where it fires as well, a rule on their silence is put beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.rules.expand.derived import declare_derived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec

_OF_BOTH: Final = (
    *(
        "kpi",
        "where",
        "lateness",
        "idle",
        "inhibited_by",
        "depends_on",
        "maintenance",
        "notify_within",
        "severity",
        "mode",
        "owner",
        "known_gaps",
    ),
)
"""What the rule on silence has from the one that it stands beside; and of its review all but the step of `renotify`."""
_ON_SERIES: Final = ("threshold", "change", "trend_break", "anomaly", "control_chart")


def expand_no_data(declarations: Declarations) -> Iterator[Problem]:
    """Put ID.no_data beside each rule that says `no_data: firing`; of `ok` see that the rule can have it."""
    for rule in list(declarations.rules.values()):
        if rule.has("no_data", "condition") and rule.spec.no_data.then != "keep":
            yield from _condition(rule)
            if rule.spec.no_data.then == "firing":
                yield from declare_derived(declarations, rule.document, (), _silence(rule))


def _silence(rule: Declared[RuleSpec]) -> dict[str, Any]:
    written = rule.data
    said = written["no_data"] if isinstance(written["no_data"], dict) else {}
    data: dict[str, Any] = {key: written[key] for key in _OF_BOTH if key in written}
    data |= {"kind": "rule", "id": f"{rule.id}.no_data", "title": f"{written.get('title', rule.id)} (no data)"}
    data["condition"] = {"missing_data": {key: said[key] for key in ("after",) if key in said}}
    if isinstance(written.get("review"), dict):
        data["review"] = {key: value for key, value in written["review"].items() if key != "renotify"}
    return data


def _condition(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    [condition] = rule.spec.condition.model_fields_set
    if condition not in _ON_SERIES:
        yield rule.problem(
            ("no_data",),
            "no-data",
            expected=f"`no_data: {rule.spec.no_data.then}` of a rule on single series ({', '.join(_ON_SERIES)})",
            found=f"a rule of {condition}",
            mend="leave it out, and write a rule of `missing_data` on the KPI whose silence matters",
            at_key=True,
        )
