"""A rule on how fast an error budget is spent: a threshold over each of its windows, and a composite of both.

Source: Beyer, Murphy, Rensin, Kawahara and Thorne (eds.), The Site Reliability Workbook (2018), chapter 5,
"Multiwindow, Multi-Burn-Rate Alerts".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.rules.expand.derived import declare_derived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.burn_rate import BurnRateSpec

_OF_SERIES: Final = ("kpi", "where", "lateness", "grace", "idle", "warm_up", "keep_firing_for", "known_gaps", "owner")
_OF_BOTH: Final = ("owner", "known_gaps")
_OF_NEITHER: Final = ("window", "points", "at_least", "for")


def expand_burn_rates(declarations: Declarations) -> Iterator[Problem]:
    """Put three rules in the place of each: ID.long and ID.short, which are in shadow, and ID, which calls reviews."""
    written = [rule for rule in declarations.rules.values() if rule.has("condition")]
    for rule in written:
        burn_rate = rule.spec.condition.burn_rate
        if burn_rate is not None:
            yield from _field_problems(rule)
            del declarations.rules[rule.id]
            for data in _rules_of(rule, burn_rate, declarations):
                yield from declare_derived(declarations, rule.document, (), data)


def _field_problems(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    for name in _OF_NEITHER:
        if name in rule.data:
            yield rule.problem(
                (name,),
                "burn-rate-field",
                expected=f"no `{name}` beside `burn_rate`",
                found="one",
                mend="leave it out: its own two windows say how long and how soon",
                at_key=True,
            )


def _rules_of(
    rule: Declared[RuleSpec], burn_rate: BurnRateSpec, declarations: Declarations
) -> Iterator[dict[str, Any]]:
    written = dict(rule.data)
    bad = _threshold(burn_rate, _direction(rule, declarations))
    spans = written["condition"]["burn_rate"]
    every = {"every": spans["short"]}
    for name, window in (("long", {"size": spans["long"], **every}), ("short", every)):
        yield {
            **{key: written[key] for key in _OF_SERIES if key in written},
            "kind": "rule",
            "id": f"{rule.id}.{name}",
            "title": f"{written.get('title', rule.id)} (over {spans[name]})",
            "condition": {"threshold": bad},
            "window": window,
            "mode": "off" if written.get("mode") == "off" else "shadow",
        }
    left_out = {*_OF_SERIES, *_OF_NEITHER} - {*_OF_BOTH}
    rest = {key: value for key, value in written.items() if key not in left_out}
    yield {**rest, "condition": {"composite": {"all": [f"{rule.id}.long", f"{rule.id}.short"]}}}


def _direction(rule: Declared[RuleSpec], declarations: Declarations) -> object:
    kpi = declarations.kpis.get(str(rule.data.get("kpi")))
    return None if kpi is None else kpi.data.get("direction")


def _threshold(burn_rate: BurnRateSpec, direction: object) -> dict[str, float]:
    """Of a KPI that is better when higher, the share of good ones; else the share of bad ones."""
    if direction == "higher_is_better":
        return {"below": round(1 - burn_rate.limit, 12)}
    return {"above": burn_rate.limit}
