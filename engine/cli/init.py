"""`counterpoint init`: from a sample of data to rules that check, a rule test that passes, and what to do next."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.settings import DEFAULT_FILE, BrokersOption, ConfigOption, SetOption, read_settings
from engine.errors import ConfigError
from engine.rules import calendar
from engine.rules.source import find_files, read, read_text
from engine.rules.wording import suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.cli.init_answers import There
    from engine.propose.sample import Sample
    from engine.rules.loader import Loaded
    from engine.runtime.settings import Settings

ROWS_MAX = 100_000
"""So many rows of a file are looked at, from its beginning."""


class DirectionName(StrEnum):
    """Which way is better."""

    HIGHER = "higher_is_better"
    LOWER = "lower_is_better"
    BAND = "in_band"


DataOption = Annotated[str, typer.Option("--from", metavar="FILE|TOPIC", help="CSV, NDJSON or Parquet, or a topic.")]
OwnerOption = Annotated[
    str | None, typer.Option("--owner", metavar="NAME", help="Who answers for the KPI: a person or team.")
]
ObjectiveOption = Annotated[
    str | None, typer.Option("--objective", metavar="TEXT", help="What the KPI is for, in a sentence.")
]
DecisionOption = Annotated[str | None, typer.Option("--decision", help="What is done when it moves.")]
DirectionOption = Annotated[DirectionName | None, typer.Option("--direction", help="Which way is better.")]
ZoneOption = Annotated[
    str | None, typer.Option("--zone", help="Whose clock local times and days are of: Europe/Vienna.")
]
TimeOption = Annotated[str | None, typer.Option("--time", metavar="COLUMN", help="Where the time of an event is.")]
ValueOption = Annotated[
    list[str] | None, typer.Option("--value", metavar="COLUMN", help="What is watched; 1 to count. Repeatable.")
]
DimensionOption = Annotated[
    list[str] | None, typer.Option("--dimension", metavar="COLUMN", help="What divides it; none for no. Repeatable.")
]
IdOption = Annotated[
    list[str] | None, typer.Option("--id", metavar="COLUMN", help="What names an event. Repeatable: joined.")
]
KpiOption = Annotated[
    list[str] | None, typer.Option("--kpi", metavar="ID", help="What it is to be called. One for each --value.")
]
OutOption = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the files go.")]
MessagesOption = Annotated[int, typer.Option("--messages", min=10, max=100_000, help="Of a topic: the newest so many.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the guesses, refuse what is missing.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]


def init(
    data: DataOption,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    given: SetOption = None,
    *,
    owner: OwnerOption = None,
    objective: ObjectiveOption = None,
    direction: DirectionOption = None,
    zone: ZoneOption = None,
    time: TimeOption = None,
    value: ValueOption = None,
    dimension: DimensionOption = None,
    identity: IdOption = None,
    kpi: KpiOption = None,
    decision: DecisionOption = None,
    out: OutOption = Path("my-rules"),
    messages: MessagesOption = 2_000,
    yes: YesOption = False,
    force: ForceOption = False,
) -> None:
    """Propose rules for data of your own: a catalogue, a mapping, one rule in shadow mode, and its test.

    Looks at a file or at the newest messages of a topic, guesses which column or path is the time, the value, the
    dimensions and the id, how often values come and what is usual, and says why. What no sample can tell it asks for:
    the owner, the objective, which way is better, whose local time it is; in scripts the options say it.

    What it writes passes `counterpoint check` and `counterpoint test`. No file is overwritten without --force. Paths
    into nested messages are written like `payment.items[0].amount`.
    """
    from engine.cli.init_answers import Asked, answers  # noqa: PLC0415 - with all that proposing takes
    from engine.cli.init_report import say_next, show_choice, show_draft, show_files  # noqa: PLC0415
    from engine.propose.choice import Wish, choose  # noqa: PLC0415
    from engine.propose.documents import documents  # noqa: PLC0415
    from engine.propose.draft import base_of, draft, kpi_ids  # noqa: PLC0415

    _check_zone(zone)
    asking = sys.stdin.isatty() and not yes
    settings = read_settings(config, given, brokers=brokers)
    sample = _sample(data, ",".join(settings.brokers), messages)
    none = [each for each in dimension or () if each != "none"]
    wish = Wish(time, tuple(value or ()), None if dimension is None else tuple(none), tuple(identity or ()))
    choice = choose(sample, wish)
    show_choice(sample, choice)
    base = base_of(sample)
    there = _there(out, base)
    asked = Asked(owner, objective, None if direction is None else direction.value, zone, decision, tuple(kpi or ()))
    ids = kpi_ids(base, choice, asked.kpis)
    told = answers(asked, choice, ids[0], there, interactive=asking)
    proposed = draft(sample, choice, told, base)
    files = {out / name: text for name, text in documents(proposed).items()}
    _refuse_to_overwrite(files, force=force)
    checked = _checked(out, files)
    show_draft(proposed, checked)
    if asking:
        typer.confirm(f"Write {len(files)} files to {out}?", default=True, abort=True)
    written = _write(files, out, settings, history=not sample.topic)
    show_files(written)
    say_next(proposed, data, out, None if DEFAULT_FILE in written else settings)


def _check_zone(zone: str | None) -> None:
    if zone is not None and not calendar.zone_exists(zone):
        mend = suggestion(zone, calendar.zone_names(), "use a name of the IANA time zone database")
        raise typer.BadParameter(f"--zone: expected a time zone such as Europe/Vienna, found {zone!r}; {mend}")


def _sample(data: str, bootstrap: str, messages: int) -> Sample:
    from engine.cli.init_sample import sample_of_file, sample_of_topic  # noqa: PLC0415 - with a Kafka client

    path = Path(data)
    if path.is_file() or path.suffix.lower() in (".csv", ".ndjson", ".jsonl", ".parquet"):
        return sample_of_file(path, ROWS_MAX)
    return sample_of_topic(bootstrap, data, messages)


def _there(out: Path, base: str) -> There:
    """Owners and objectives that the folder declares already, but for the file that is to be written anew."""
    from engine.cli.init_answers import There  # noqa: PLC0415

    files = [path for path in find_files([out])[0] if path != out / f"{base}.yaml"] if out.is_dir() else []
    declared: dict[str, dict[str, str]] = {"owner": {}, "objective": {}}
    for document in read(files).documents:
        data = document.data if isinstance(document.data, dict) else {}
        if data.get("kind") in declared and isinstance(data.get("id"), str):
            declared[data["kind"]][data["id"]] = str(data.get("name", data.get("title")))
    return There(declared["owner"], declared["objective"])


def _refuse_to_overwrite(files: dict[Path, str], *, force: bool) -> None:
    there = [path for path in files if path.exists()]
    if there and not force:
        raise ConfigError([f"{path}: expected no such file; pass --force to overwrite it" for path in there])


def _checked(out: Path, files: dict[Path, str]) -> Loaded:
    """The folder as it will be, loaded; ConfigError when that is not sound."""
    from engine.rules.loader import load_read  # noqa: PLC0415

    beside = [path for path in find_files([out], tests=True)[0] if path not in files] if out.is_dir() else []
    found = read(beside)
    for path, text in files.items():
        new = read_text(path.as_posix(), text)
        found.documents.extend(new.documents)
        found.problems.extend(new.problems)
    loaded = load_read(found)
    if loaded.rule_set is None:
        raise ConfigError([problem for problem in loaded.problems if problem.severity == "error"])
    return loaded


def _write(files: dict[Path, str], out: Path, settings: Settings, *, history: bool) -> Sequence[Path]:
    from engine.propose import documents  # noqa: PLC0415

    out.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    if DEFAULT_FILE.exists():
        return [*files]
    text = documents.settings(
        out.as_posix(), settings.brokers, settings.prefix, settings.measurement_partitions, history=history
    )
    DEFAULT_FILE.write_text(text, encoding="utf-8")
    return [*files, DEFAULT_FILE]
