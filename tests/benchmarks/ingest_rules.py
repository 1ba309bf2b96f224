"""The rule sets of the ingest benchmark: as facts for the brute-force answer, and as the YAML that a worker loads."""

from __future__ import annotations

from typing import NamedTuple

from ingest_messages import KPI, SOURCE, host


class Limit(NamedTuple):
    """A threshold on the minute's mean that must be passed for so many minutes."""

    id: str
    op: str
    at: float
    recover_at: float | None = None
    hold: int = 0

    def condition(self) -> str:
        """As YAML."""
        recover = "" if self.recover_at is None else f", recover_at: {self.recover_at}"
        return f"{{threshold: {{{self.op}: {self.at}{recover}}}}}"


class Shift(NamedTuple):
    """A change, up or down, by more than `percent` of the median of the last minutes' means."""

    id: str
    median_of: int
    percent: int
    hold: int = 0

    def condition(self) -> str:
        """As YAML."""
        against = f"against: {{median_of: {self.median_of}, same: windows}}"
        return f'{{change: {{{against}, up: "{self.percent}%", down: "{self.percent}%"}}}}'


class Silent(NamedTuple):
    """Nothing for `after` minutes of ticks."""

    id: str
    after: int

    def condition(self) -> str:
        """As YAML."""
        return f"{{missing_data: {{after: {self.after}m}}}}"


Rules = tuple[Limit | Shift | Silent, ...]

JOBS: dict[str, Rules] = {
    "a": (Limit("high", "above", 3.0),),
    "b": (
        Limit("warm", "above", 2.6, 2.4, 1),
        Limit("hot", "above", 3.0, 2.6, 2),
        Limit("cold", "below", 1.4, 1.6, 1),
        Shift("jump", 5, 30),
        Silent("silent", 3),
    ),
    "twenty": (
        *(Limit(f"above-{n}", "above", 2.6 + n / 10, 2.4 + n / 10, n % 3) for n in range(8)),
        *(Limit(f"below-{n}", "below", 1.5 - n / 10, 1.6 - n / 10, n % 3) for n in range(6)),
        *(Shift(f"change-{n}", n, 25 + n, n % 2) for n in (3, 5, 7, 9)),
        *(Silent(f"silent-{n}", n) for n in (2, 4)),
    ),
}
"""a: one threshold. b: three thresholds with `for` and `recover_at`, a change, missing data. twenty: more of the same
kinds."""


def out_of_reach(rules: Rules) -> Rules:
    """The same rules with limits that nothing reaches: all the work of looking, and nothing to say."""
    return tuple(
        rule._replace(after=100_000)
        if isinstance(rule, Silent)
        else rule._replace(percent=1_000_000)
        if isinstance(rule, Shift)
        else rule._replace(at=1e9 if rule.op == "above" else -1e9, recover_at=None)
        for rule in rules
    )


DECLARED_MAX = 90_000
"""Series that a KPI declares at most here: a YAML document holds 200,000 values, and each series is two of them."""

_CATALOGUE = """\
kind: owner
id: operations
name: Operations
---
kind: objective
id: capacity
title: Enough of everything
owner: operations
---
kind: kpi
id: {kpi}
title: Load
owner: operations
objective: capacity
definition: Runnable processes for each processor, every ten seconds
decision: Add machines
direction: lower_is_better
role: leading
unit: processes
aggregation: mean
window: {{every: 60s}}
cadence: 10s
sources: [{source}]
dimensions: [host]
target: none
series: [{series}]
"""

_RULE = """\
---
kind: rule
id: {rule.id}
title: Load is {rule.id}
kpi: {kpi}
condition: {condition}
{lasting}severity: warning
owner: operations
review: {{due_in: 1h, question: What runs there?}}
"""

_SOURCE = """\
---
kind: source
id: {source}
topic: {topic}
map:
  kpi: {kpi}
  value: {{path: reading.value}}
  time: {{path: event.at, unit: ms}}
  dimensions: {{host: {{path: event.host.name}}}}
  id: {{path: uid}}
  filter: [{{path: metric, equals: cpu.load}}]
"""


def declared(rules: Rules, hosts: int) -> int:
    """How many series, from the first on, are declared: those whose silence can be seen."""
    return min(hosts, DECLARED_MAX) if any(isinstance(rule, Silent) for rule in rules) else 0


def rules_yaml(rules: Rules, known: int, foreign_topic: str | None = None) -> str:
    """Catalogue, with the first `known` series declared, and rules; with a source of `foreign_topic` if named."""
    series = ", ".join(f"{{host: {host(number)}}}" for number in range(known))
    text = _CATALOGUE.format(kpi=KPI, source=SOURCE, series=series)
    for rule in rules:
        lasting = "" if isinstance(rule, Silent) else f"for: {rule.hold}m\n"
        text += _RULE.format(rule=rule, kpi=KPI, condition=rule.condition(), lasting=lasting)
    if foreign_topic is not None:
        text += _SOURCE.format(source=SOURCE, topic=foreign_topic, kpi=KPI)
    return text
