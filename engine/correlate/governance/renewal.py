"""KPIs that an activation gave another version: one notice of each, with what was firing on it.

What fires tells stage 1 at the tick of the activation, so that it stands in the barrier at which stage 2 takes the rule
set over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.governance.goalposts import firing_then, moved_between
from engine.model.governance import GovernanceEvidence, OtherVersion
from engine.model.identity import digest_of, scope_key
from engine.model.judgement import Judgement
from engine.model.time import format_time
from engine.rules.own_rules import version_rule_id
from engine.rules.resolved.catalogue import version_of
from engine.rules.versions import renewed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from engine.model.limits import Limits
    from engine.model.records import Signal
    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.ruleset import RuleSet

WHOLE = scope_key({})


def notices(
    before: RuleSet,
    after: RuleSet,
    fired: Mapping[str, Sequence[Signal]],
    now: Micros,
    limits: Limits,
    owns: Callable[[str], bool],
) -> Iterator[Judgement]:
    """What to say of the KPIs that have another version in `after`, those that `owns` gives to this partition.

    `fired`: by the id of the KPI's own rule, what stage 1 has said of it at this barrier. They begin and never end: an
    answer closes them, and the next version is another notice.
    """
    for kpi in renewed(before, after):
        rule = version_rule_id(kpi)
        if not owns(f"{rule}|{WHOLE}"):
            continue
        found = other_version(
            before.kpi_by_id[kpi], after.kpi_by_id[kpi], fired.get(rule, ()), limits.members_listed_max
        )
        time = format_time(now)
        declared = after.rule_by_id[rule].declared
        digests = {"condition": digest_of(declared), "found": digest_of(found)}
        yield Judgement(
            rule=rule,
            scope=WHOLE,
            rule_set=after.hash,
            turn="began",
            opened=time,
            event_time=time,
            evidence=GovernanceEvidence(declared, time, None, (), found, after.hash, digests),
            taking_part=(kpi,),
        )


def other_version(before: Kpi, after: Kpi, fired: Sequence[Signal], most: int) -> OtherVersion:
    """The versions and what else was changed; of what was firing first those that ended, by rule and series."""
    ordered = sorted(fired, key=lambda signal: (signal.state == "firing", signal.rule, signal.series))
    firing = tuple(firing_then(signal) for signal in ordered[:most])
    ended = sum(signal.state == "inactive" for signal in fired)
    return OtherVersion(version_of(before), version_of(after), moved_between(before, after), firing, len(fired), ended)
