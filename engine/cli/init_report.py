"""What `counterpoint init` shows: what it chose and why, what the rule would have said, what to do next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.model.identity import scope_key
from engine.model.measurement import Measurement
from engine.model.time import DAY, HOUR, MINUTE, Micros, format_time
from engine.offline.episodes import episodes
from engine.offline.replay import replay
from engine.offline.reviews import place
from engine.offline.rule_tests import run_test
from engine.propose.documents import condition_of
from engine.propose.written import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine.offline.episodes import Episode
    from engine.propose.choice import Choice
    from engine.propose.draft import Draft
    from engine.propose.sample import Sample
    from engine.rules.loader import Loaded
    from engine.runtime.settings import Settings

_WIDTH_WITHOUT_TERMINAL = 120
_SHOWN = 3
_TICKS_MAX = 20_000


def show_choice(sample: Sample, choice: Choice) -> None:
    """What was looked at, and each column that was chosen."""
    kind = "messages of the topic" if sample.topic else "rows of"
    part = "" if sample.whole else ("the newest " if sample.topic else "the first ")
    typer.echo(f"Looked at {part}{len(sample.rows):,} {kind} {sample.name}.")
    _print([(reason.what, reason.chosen, reason.why) for reason in choice.reasons])


def show_draft(draft: Draft, loaded: Loaded) -> None:
    """What was made of it, and what the rule would have said of the sample."""
    kpi, rhythm = draft.kpis[0], draft.rhythm
    window = f"a day of {draft.answers.zone}" if rhythm.every == DAY else duration(rhythm.every)
    rows = [
        ("KPI", kpi.id, f"{kpi.aggregation} in {kpi.unit}: {kpi.why}"),
        ("window", window, rhythm.why),
        ("better", kpi.direction.replace("_", " "), "change it in the catalogue if it is the other way"),
        ("series", f"{len(draft.series):,}", "one for each set of dimension values"),
        ("rule", condition_of(draft), draft.limit.why),
    ]
    if draft.lateness:
        rows.insert(2, ("lateness", duration(draft.lateness), "so late came what came late in the sample"))
    _print(rows)
    if draft.repeats:
        typer.secho(
            f"{draft.repeats:,} rows agree with another in time and dimensions and would count once: "
            "name a column that tells them apart with --id, or one more --dimension.",
            fg=typer.colors.YELLOW,
        )
    _show_test(loaded, draft)
    _show_episodes(draft, _over_the_sample(draft, loaded))


def _print(rows: Sequence[tuple[str, str, str]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(ratio=2, overflow="fold")
    table.add_column(ratio=5, style="dim")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL, highlight=False)).print(table)


def _show_test(loaded: Loaded, draft: Draft) -> None:
    assert loaded.rule_set is not None  # noqa: S101 - the caller has looked
    [test] = [each for each in loaded.tests if each.id == draft.rule_id]
    verdict = run_test(test, loaded.rule_set)
    typer.echo(f"Its test {'passes' if verdict.passed else 'fails: mend it before you go on'}.")


def _over_the_sample(draft: Draft, loaded: Loaded) -> list[tuple[str, Episode]]:
    """Where the rule would have fired, in order of time."""
    assert loaded.rule_set is not None  # noqa: S101 - the caller has looked
    timed = sorted(_measurements(draft), key=lambda pair: pair[0])
    if not timed:
        return []
    span = timed[-1][0] - timed[0][0]
    every = max(min(draft.rhythm.every, HOUR), -(-span // (_TICKS_MAX * MINUTE)) * MINUTE)
    found = episodes(replay(loaded.rule_set, timed, every=every))
    fired = [(scope, each) for (rule, scope), held in found.items() if rule == draft.rule_id for each in held]
    return sorted(fired, key=lambda pair: pair[1].begin)


def _measurements(draft: Draft) -> Iterator[tuple[Micros, Measurement]]:
    for key, points in draft.series.items():
        dimensions = dict(zip(draft.dimensions, key, strict=True))
        name = scope_key(dimensions)
        for number, (time, value) in enumerate(points):
            identity = f"{number}{name}"[:200]
            yield time, Measurement(draft.kpis[0].id, format_time(time), value, dimensions, identity, draft.base)


def _show_episodes(draft: Draft, fired: Sequence[tuple[str, Episode]]) -> None:
    if not fired:
        typer.echo("Over the sample it would never have fired: the limit lies beyond all that was there.")
        return
    times = "once" if len(fired) == 1 else f"{len(fired)} times"
    typer.echo(f"Over the sample it would have fired {times}{':' if len(fired) <= _SHOWN else ', last:'}")
    for scope, episode in fired[-_SHOWN:]:
        until = "to the end" if episode.to is None else f"to {format_time(episode.to)}"
        where = f"{place(scope)}, " if draft.choice.dimensions else ""
        typer.echo(f"  {where}{format_time(episode.begin)} {until}: {episode.says}")


def show_files(written: Sequence[Path]) -> None:
    """The files that are there now."""
    typer.echo("Wrote " + ", ".join(path.as_posix() for path in written) + ".")


def say_next(draft: Draft, data: str, out: Path, settings: Settings | None) -> None:
    """The commands that lead from here to a first review; `settings` are null where they have just been written."""
    folder = shlex.quote(out.as_posix())
    domain = "" if settings is None or settings.domain == "replay" or draft.sample.topic else " --domain replay"
    commands = [
        f"counterpoint test {folder}",
        "counterpoint topics",
        f"counterpoint worker{domain} --start-at earliest",
    ]
    if draft.sample.topic:
        commands.insert(0, f"counterpoint try-source {draft.base}")
    else:
        every, ticks = draft.rhythm.every, min(draft.rhythm.every, HOUR)
        clock = f"--replay-ticks {duration(ticks)} --final-ticks {duration(2 * every + 2 * ticks)}"
        commands.append(f"counterpoint send {shlex.quote(data)} --table {draft.base} {clock}")
    commands.append("counterpoint triggers --shadow")
    typer.echo("\nNext, with a broker (`counterpoint broker` in another terminal, or a Kafka of yours):")
    for command in commands:
        typer.echo(f"  {command}")
    typer.echo(f"When it says what it should: `mode: on` in {folder}/{draft.rule_id}.yaml, then `counterpoint reload`.")
    if settings is not None and out not in settings.rules:
        typer.secho(
            f"The setting `rules` is {', '.join(map(str, settings.rules))}: add {folder} to it.", fg=typer.colors.YELLOW
        )
