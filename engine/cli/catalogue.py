"""`counterpoint catalogue tree` and `counterpoint catalogue audit`: the catalogue looked at as a whole."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import msgspec
import typer
from rich.console import Console

from engine.brokers.reachable import wait_until_reachable
from engine.brokers.reader import read_values
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, RulesOption, SetOption, read_settings
from engine.cli.since import parse_since
from engine.errors import BrokerError, ConfigError, WireError
from engine.model.outputs import KpiState
from engine.model.time import SECOND, Micros, parse_own_time
from engine.model.topics import KPI_STATE, TRIGGERS, full_name
from engine.model.trigger import ReviewTrigger
from engine.offline.catalogue.audit import audit_of
from engine.offline.catalogue.audit_text import show_audit
from engine.offline.catalogue.remarks import AuditLimits
from engine.offline.catalogue.seen import Seen, readings_of, reviews_of
from engine.offline.catalogue.tree import tree_of
from engine.offline.catalogue.tree_text import show_tree
from engine.rules.loader import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from engine.rules.loader import Loaded
    from engine.rules.ruleset import RuleSet
    from engine.runtime.settings import Settings

T = TypeVar("T")

_WIDTH_WITHOUT_TERMINAL = 120
_PATIENCE_SECONDS = 2.0


class Format(StrEnum):
    """How the result is written."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="For people, or for programs.")]
BrokerOption = Annotated[
    bool | None,
    typer.Option(
        "--broker/--no-broker",
        help="Insist on reading values and reviews from the brokers, or ask none. Unless said: where one answers.",
    ),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME|DURATION", help="Look at it as of then: RFC 3339, or so long ago (24h)."),
]


class _Looked(NamedTuple):
    """What was declared, what was read, and when that is."""

    loaded: Loaded
    rules: RuleSet
    seen: Seen
    now: Micros


def catalogue_tree(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    rules: RulesOption = None,
    given: SetOption = None,
    *,
    broker: BrokerOption = None,
    at: AtOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Show objectives with their initiatives and KPIs, how each fares, and what is missing.

    Values are those of the topic kpi-state, to which KPIs with `publish: true` are written. A KPI is on or off track by
    the straight line to its target; stale without a new enough value; unjudged without a target that says where it
    began; conflicting while a review of a counterpart conflict is open.
    """
    looked = _look(read_settings(config, given, brokers=brokers, prefix=prefix, rules=rules), at, broker=broker)
    tree = tree_of(looked.rules, looked.seen, looked.now)
    _print(output, tree, show_tree(tree))


def catalogue_audit(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    rules: RulesOption = None,
    given: SetOption = None,
    *,
    broker: BrokerOption = None,
    at: AtOption = None,
    reviews: Annotated[
        int, typer.Option("--reviews", min=1, help="So many ended reviews without an action: retire the KPI?")
    ] = AuditLimits().reviews,
    kpis: Annotated[int, typer.Option("--kpis", min=1, help="More KPIs than these are too many for one owner.")] = (
        AuditLimits().kpis
    ),
    open_reviews: Annotated[
        int, typer.Option("--open-reviews", min=1, help="More open reviews than these are too many for one owner.")
    ] = AuditLimits().open_reviews,
    target_days: Annotated[
        int, typer.Option("--target-days", min=1, help="A target is old so many days after it was last reviewed.")
    ] = AuditLimits().target_days,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when there is any remark.")] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Say what in the catalogue is of no use, too much for one person, or not to be trusted, and what to do about it.

    Exit status 0, whatever is found; with --strict 1 when anything is. 1 also when the rules are not sound.
    """
    looked = _look(read_settings(config, given, brokers=brokers, prefix=prefix, rules=rules), at, broker=broker)
    limits = AuditLimits(reviews, kpis, open_reviews, target_days)
    audit = audit_of(looked.rules, looked.loaded.tables, looked.seen, limits, looked.now)
    _print(output, audit, show_audit(audit))
    if strict and audit.remarks:
        raise typer.Exit(1)


def _look(settings: Settings, at: str | None, *, broker: bool | None) -> _Looked:
    loaded = load(settings.rules)
    if loaded.rule_set is None:
        raise ConfigError([problem for problem in loaded.problems if problem.severity == "error"])
    note, states, triggers = _read(settings, broker=broker)
    now = _now(settings, triggers, states) if at is None else parse_since(at)
    readings = readings_of(loaded.rule_set, states, now)
    seen = Seen(readings, reviews_of(loaded.rule_set, triggers, now), note)
    return _Looked(loaded, loaded.rule_set, seen, now)


def _read(settings: Settings, *, broker: bool | None) -> tuple[str | None, list[KpiState], list[ReviewTrigger]]:
    """Why nothing was read, or what was."""
    if broker is False:
        return "no broker was to be asked (--no-broker)", [], []
    bootstrap = ",".join(settings.brokers)
    try:
        wait_until_reachable(bootstrap, _PATIENCE_SECONDS)
        states = _decoded(bootstrap, full_name(settings.prefix, KPI_STATE), msgspec.json.Decoder(KpiState))
        triggers = _decoded(bootstrap, full_name(settings.prefix, TRIGGERS), msgspec.json.Decoder(ReviewTrigger))
    except BrokerError as error:
        if broker:
            raise
        return str(error), [], []
    return None, states, triggers


def _decoded(bootstrap: str, topic: str, decoder: msgspec.json.Decoder[T]) -> list[T]:
    found = []
    for value in read_values(bootstrap, topic):
        try:
            found.append(decoder.decode(value))
        except msgspec.MsgspecError as error:
            raise WireError(
                "bad_record", f"{topic}: expected a record of ours, found {value[:80]!r}: {error}"
            ) from error
    return found


def _now(settings: Settings, triggers: Iterable[ReviewTrigger], states: Iterable[KpiState]) -> Micros:
    """By the clock; in a replay, the newest time that anything was said at."""
    times = [parse_own_time(trigger.time) for trigger in triggers]
    times += [parse_own_time(state.window.end) for state in states]
    if settings.domain == "replay" and times:
        return max(times)
    return time.time_ns() // 1_000_000_000 * SECOND


def _print(output: Format, whole: object, shown: Iterable[RenderableType]) -> None:
    if output is Format.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(whole), indent=2))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
    with console.capture() as capture:
        for each in shown:
            console.print(each)
    for line in capture.get().splitlines():
        typer.echo(line.rstrip())
