"""What workers have written of themselves: could this engine, with these settings and rules, go on from there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import SEMANTICS_VERSION
from engine.doctor.diagnosis import Diagnosis, counted, ok, problem, unknown, warning
from engine.doctor.facts import ends_after
from engine.model.topics import CONTROL, FINDINGS, MEASUREMENTS, RULE_SETS, full_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.doctor.facts import Facts, RuleSets, Stored
    from engine.rules.ruleset import RuleSet
    from engine.runtime.manifest import Manifest
    from engine.runtime.settings import Settings

_ANEW = "take another prefix; or stop all workers, `counterpoint topics --delete`, `counterpoint topics`"


def judge(facts: Facts, settings: Settings, rule_set: RuleSet | None) -> Iterator[Diagnosis]:
    """What to say of checkpoints, stored rule sets and requests."""
    if "manifests" in facts.troubles:
        yield unknown("state", "checkpoints", facts.troubles["manifests"])
    elif facts.manifests:
        yield from _manifests(facts, settings)
    else:
        yield _beginning(facts, settings)
    if facts.rule_sets is not None:
        yield from _rule_sets(facts.rule_sets, facts.manifests, rule_set)
    elif "rule sets" in facts.troubles:
        yield unknown("state", "rule sets", facts.troubles["rule sets"])


def _beginning(facts: Facts, settings: Settings) -> Diagnosis:
    measurements = facts.topics.get(full_name(settings.prefix, MEASUREMENTS))
    if measurements is not None and ends_after(measurements.partitions) and settings.start_at is None:
        return warning(
            "state",
            "checkpoints",
            expected="where a first start begins, since measurements are there already",
            found="no checkpoint, and no start_at",
            mend="pass `--start-at` with earliest, latest or a time to the first worker",
        )
    return ok("state", "checkpoints", "none yet: the next start is the first")


def _manifests(facts: Facts, settings: Settings) -> Iterator[Diagnosis]:
    """The same trouble in many partitions is said once."""
    counts = {MEASUREMENTS: settings.measurement_partitions, FINDINGS: settings.finding_partitions}
    places: dict[Diagnosis, list[str]] = {}
    for stored in facts.manifests:
        for found in _trouble(stored, facts, settings, counts):
            places.setdefault(found, []).append(stored.place)
    for found, where in places.items():
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield problem(
            "state", f"checkpoint of {where[0]}{more}", expected=found.expected, found=found.found, mend=found.mend
        )
    if not places:
        yield ok(
            "state",
            "checkpoints",
            f"{counted(len(facts.manifests), 'partition')} can go on, semantics version {SEMANTICS_VERSION}",
        )


def _trouble(stored: Stored, facts: Facts, settings: Settings, counts: dict[str, int]) -> Iterator[Diagnosis]:
    manifest = stored.manifest
    if manifest is None:
        mend = "run the engine that wrote it"
        yield problem("state", "", expected="a manifest that this engine reads", found=stored.trouble, mend=mend)
        return
    if manifest.semantics != SEMANTICS_VERSION:
        yield problem(
            "state",
            "",
            expected=f"semantics version {SEMANTICS_VERSION}, which this engine has",
            found=str(manifest.semantics),
            mend="run the engine that wrote it",
        )
    if manifest.counts != counts:
        yield problem(
            "state",
            "",
            expected=f"partition counts {_shown(counts)}, as the settings say",
            found=_shown(manifest.counts),
            mend="set the counts back to what the state was made with, or take a new prefix and replay",
        )
    yield from _log_of(stored, manifest, facts, settings)


def _shown(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), reverse=True))


def _log_of(stored: Stored, manifest: Manifest, facts: Facts, settings: Settings) -> Iterator[Diagnosis]:
    topic = facts.topics.get(full_name(settings.prefix, stored.topic))
    if topic is None or stored.partition >= len(topic.partitions):
        return
    if manifest.identity != topic.identity:
        yield problem(
            "state",
            "",
            expected=f"the topic that it is of, {manifest.identity}",
            found=f"{topic.identity}: the topic was deleted and made anew",
            mend=_ANEW,
        )
        return
    partition, position = topic.partitions[stored.partition], manifest.offset + 1
    if not partition.start <= position <= partition.end:
        yield problem(
            "state",
            "",
            expected=f"the log to hold offset {position}, where it stands",
            found=f"{partition.start} to {partition.end}",
            mend="records were lost (retention, or an unclean election): a new prefix, and replay",
        )


def _rule_sets(found: RuleSets, manifests: Sequence[Stored], rule_set: RuleSet | None) -> Iterator[Diagnosis]:
    for name, trouble in found.stored.items():
        if trouble:
            yield problem(
                "state",
                f"rule set {name[:12]}",
                expected="a rule set that this engine reads",
                found=trouble,
                mend="run the engine that stored it, or begin anew: workers read every stored set",
            )
    running = {stored.manifest.rule_set for stored in manifests if stored.manifest}
    lost = sorted((running | ({found.requested} if found.requested else set())) - found.stored.keys())
    for name in lost:
        yield problem(
            "state",
            f"rule set {name[:12]}",
            expected=f"it in {RULE_SETS}, since it runs or was requested",
            found="none",
            mend=_ANEW,
        )
    if found.requests_lost:
        mend = f"records of {CONTROL} were deleted; {_ANEW}"
        yield problem("state", CONTROL, expected="every request ever made", found="the first are gone", mend=mend)
    yield from _requested(found, running, rule_set)


def _requested(found: RuleSets, running: set[str], rule_set: RuleSet | None) -> Iterator[Diagnosis]:
    if rule_set is None:
        return
    if found.requested is None:
        yield ok("state", "rules", "none requested yet: the first start does")
    elif found.requested != rule_set.hash:
        yield warning(
            "state",
            "rules",
            expected=f"the rules of these files to be those requested last, {found.requested[:12]}",
            found=rule_set.hash[:12],
            mend="send a worker SIGHUP, or restart one, to request them; or bring the newest files here",
        )
    elif running and running != {rule_set.hash}:
        others = ", ".join(sorted(name[:12] for name in running - {rule_set.hash}))
        yield warning(
            "state",
            "rules",
            expected=f"the rules of these files, {rule_set.hash[:12]}, in every checkpoint",
            found=f"{others} in some",
            mend="look again in a minute: partitions change over at a tick; if it lasts, one gets no ticks",
        )
    else:
        yield ok("state", "rules", f"these files are what was requested last, {rule_set.hash[:12]}")
