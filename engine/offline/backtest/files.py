"""Which files there are, and which reader reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from engine.client.rows import Columns as ColumnNames
from engine.errors import ConfigError, WireError
from engine.offline.backtest.lines import read_mapped, read_messages, read_objects
from engine.offline.backtest.tables import read_csv, read_parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.offline.backtest.items import Destination
    from engine.rules.resolved.source import Source
    from engine.rules.ruleset import RuleSet
    from engine.wire.columns import Columns

    Progressed = tuple[Columns, float]

_LINES = (".ndjson", ".jsonl")
ENDINGS = (".csv", *_LINES, ".parquet")


class Reading(NamedTuple):
    """How files are read: each of `mappings` makes measurements of every row; or `source`, of the rule set, maps every
    line as it maps its topic.
    """

    mappings: tuple[ColumnNames, ...] = (ColumnNames(),)
    source: Source | None = None


def files_at(given: Iterable[str]) -> list[Path]:
    """The files that are meant by paths, folders and patterns, in order and once; ConfigError for what is none."""
    found: list[Path] = []
    problems = []
    for each in given:
        path = Path(each)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        if not path.exists():
            files = sorted(path.parent.glob(path.name))  # a pattern that no shell has resolved
        files = [file for file in files if file.suffix.lower() in ENDINGS]
        if not files:
            problems.append(f"{each}: expected a file, folder or pattern of names in {', '.join(ENDINGS)}, found none")
        found += files
    if problems:
        raise ConfigError(problems)
    return list(dict.fromkeys(found))


def read_blocks(reading: Reading, named: ColumnNames, rule_set: RuleSet, to: Destination) -> Iterator[Progressed]:
    """The measurements of one file in its order, some at once, with the share of it that was read.

    ConfigError when the file cannot be read at all.
    """
    try:
        yield from _reader(reading, named, rule_set, to)
    except WireError as error:
        raise ConfigError([f"{to.path}: {error.detail}"]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{to.path}: expected a file that can be read, found: {error}"]) from error


def _reader(reading: Reading, named: ColumnNames, rule_set: RuleSet, to: Destination) -> Iterator[Progressed]:
    ending = to.path.suffix.lower()
    if reading.source is not None:
        if ending not in _LINES:
            raise ConfigError([f"{to.path}: expected messages of {reading.source.topic}, one a line (NDJSON)"])
        return read_mapped(reading.source, rule_set, to)
    if ending in _LINES:
        return read_messages(to) if named == ColumnNames() else read_objects(named, to)
    return read_csv(named, to) if ending == ".csv" else read_parquet(named, to)
