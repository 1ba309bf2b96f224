"""The examination: configuration first, then the broker, and what it holds, then the port on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.doctor.diagnosis import AREAS, Diagnosis, problem, unknown
from engine.doctor.endpoint import look_at
from engine.doctor.gather import gather
from engine.doctor.judge import broker, clock, configuration, lag, port, retention, state, topics
from engine.errors import BrokerError
from engine.rules.loader import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.doctor.facts import Facts
    from engine.rules.ruleset import RuleSet
    from engine.runtime.settings import Settings
    from engine.runtime.settings_sources import LoadedSettings

_OF_THE_BROKER = AREAS[2:-1]


def examine(loaded: LoadedSettings, default: str) -> list[Diagnosis]:
    """Look at everything that settings lead to; `default` is the origin of a setting that nobody gave."""
    settings = loaded.settings
    rules = load(settings.rules)
    paths = ", ".join(str(path) for path in settings.rules)
    found = [*configuration.judge_settings(settings, loaded.origins, default), *configuration.judge_rules(rules, paths)]
    found += _broker(settings, rules.rule_set)
    found += port.judge(look_at(settings.http_host, settings.http_port) if settings.http_port else None)
    return found


def _broker(settings: Settings, rule_set: RuleSet | None) -> list[Diagnosis]:
    sources = rule_set.sources if rule_set else ()
    try:
        facts = gather(settings, sorted({source.topic for source in sources}))
    except BrokerError as error:
        away = problem(
            "broker",
            ", ".join(settings.brokers),
            expected="a broker that answers",
            found=str(error),
            mend="see whether it is up, and whether `brokers` names it as this machine reaches it",
        )
        return [away, *(unknown(area, "not looked at", "no broker to ask") for area in _OF_THE_BROKER)]
    return list(judge(facts, settings, rule_set))


def judge(facts: Facts, settings: Settings, rule_set: RuleSet | None) -> Iterator[Diagnosis]:
    """Everything that facts of a broker say, area by area."""
    sources = rule_set.sources if rule_set else ()
    yield from broker.judge(facts, settings)
    yield from topics.judge(facts, settings, sources)
    yield from retention.judge(facts, settings, sources, rule_set)
    yield from clock.judge(facts, settings)
    yield from lag.judge(facts, settings, sources)
    yield from state.judge(facts, settings, rule_set)
