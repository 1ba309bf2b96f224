"""How long records stay: counted from their sending, and longer than workers may need to come back to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.brokers.topics import plan
from engine.doctor.diagnosis import Diagnosis, ok, problem, unknown, warning
from engine.doctor.judge.topics import alter
from engine.model.time import DAY, HOUR, MILLISECOND, MINUTE, Micros
from engine.model.topics import FINDINGS, MEASUREMENTS, full_name
from engine.rules.looks_back import look_back_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.brokers.topics import Topic
    from engine.doctor.facts import Facts
    from engine.rules.resolved.source import Source
    from engine.rules.ruleset import RuleSet
    from engine.runtime.settings import Settings

LEAST: Micros = DAY
"""A weekend without workers is longer, but who keeps less than a day has no time to mend anything."""


def judge(facts: Facts, settings: Settings, sources: Sequence[Source], rule_set: RuleSet | None) -> Iterator[Diagnosis]:
    """What to say of the topics whose records are kept for a time; those of sources lose records unread."""
    if facts.embedded:
        yield unknown("retention", "all topics", "the embedded broker tells no settings; it drops records beyond 5 MB")
        return
    for topic in plan(settings.prefix, settings.measurement_partitions, settings.finding_partitions):
        found = facts.topics.get(topic.name)
        if found is not None and topic.cleanup == "delete" and found.config:
            wrong = [*_of_time(topic, found.config), *_of_place(topic.name, found.config)]
            yield from wrong or [ok("retention", topic.name, f"kept {_days(_time(found.config))}")]
    inputs = [full_name(settings.prefix, topic) for topic in (MEASUREMENTS, FINDINGS)]
    if rule_set is not None:
        yield from _of_rules(inputs[0], facts, rule_set)
    for name in (*inputs, *sorted({source.topic for source in sources})):
        yield from _of_need(name, facts)


def _time(config: Mapping[str, str]) -> Micros | None:
    """None: for ever."""
    found = int(config.get("retention.ms", -1))
    return None if found < 0 else found * MILLISECOND


def _days(time: Micros | None) -> str:
    if time is None:
        return "for ever"
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if time >= 2 * unit:
            return f"{time // unit:,} {name}"
    return f"{time // 1_000_000} seconds"


def _of_time(topic: Topic, config: Mapping[str, str]) -> Iterator[Diagnosis]:
    kept, planned = _time(config), _time(topic.config)
    wanted = topic.config["retention.ms"]
    if kept is not None and (planned is None or kept < planned):
        say = problem if kept < LEAST or planned is None else warning
        yield say(
            "retention",
            topic.name,
            expected=f"records kept {_days(planned)}",
            found=_days(kept),
            mend=f"{alter(topic.name, 'retention.ms', wanted)}, unless it is meant so: a worker that is away for "
            "longer cannot go on, and nothing can be explained from the log",
        )
    stamps = config.get("message.timestamp.type", "CreateTime")
    if stamps != "LogAppendTime":
        yield problem(
            "retention",
            topic.name,
            expected="message.timestamp.type=LogAppendTime",
            found=stamps,
            mend=f"{alter(topic.name, 'message.timestamp.type', 'LogAppendTime')}: history that is sent with its own "
            "times is deleted as old within minutes",
        )


def _of_place(name: str, config: Mapping[str, str]) -> Iterator[Diagnosis]:
    size = int(config.get("retention.bytes", -1))
    if size >= 0:
        yield warning(
            "retention",
            name,
            expected="no limit in bytes (retention.bytes=-1)",
            found=f"{size:,} a partition",
            mend=f"{alter(name, 'retention.bytes', '-1')}: a busy day deletes what is not read yet",
        )


def _of_rules(name: str, facts: Facts, rule_set: RuleSet) -> Iterator[Diagnosis]:
    """Against what a state that must be made anew from the log has to see again."""
    found = facts.topics.get(name)
    kept = None if found is None else _time(found.config)
    backs = {rule.id: look_back_of(rule).time for rule in rule_set.rules if rule.mode != "off"}
    longer = sorted(rule for rule, back in backs.items() if kept is not None and back > kept)
    if longer:
        furthest = max(longer, key=lambda rule: backs[rule])
        more = f", and {len(longer) - 1} more" if len(longer) > 1 else ""
        wanted = -(-backs[furthest] // DAY) * DAY
        yield warning(
            "retention",
            name,
            expected=f"measurements kept as long as rules look back on them: {furthest} on {_days(wanted)}{more}",
            found=_days(kept),
            mend=f"{alter(name, 'retention.ms', str(wanted // MILLISECOND))}, or look back less far: without a "
            "checkpoint, or with another semantics version, they are silent or see a part until enough has come",
        )


def _of_need(name: str, facts: Facts) -> Iterator[Diagnosis]:
    """Against what is waiting: committed and gone, or nearly so."""
    found, committed = facts.topics.get(name), facts.group.committed.get(name, {}) if facts.group else {}
    if found is None:
        return
    gone = sum(
        offset < found.partitions[number].start
        for number, offset in committed.items()
        if number < len(found.partitions)
    )
    if gone:
        yield problem(
            "retention",
            name,
            expected="every record that the workers have not taken",
            found=f"{gone} of {len(found.partitions)} partitions that begin after it",
            mend="records were deleted unread; see `the log begins at` under refusals in docs/operations.md",
        )
        return
    kept, waits = _time(found.config), facts.now - facts.waiting.get(name, facts.now)
    if kept is not None and waits > kept // 2:
        yield warning(
            "retention",
            name,
            expected=f"records taken well within the {_days(kept)} that they are kept",
            found=f"one that has waited for {_days(waits)}",
            mend="start workers, or keep records longer, before they are deleted unread",
        )
