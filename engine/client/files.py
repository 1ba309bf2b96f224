"""Measurements out of files: CSV with a header, NDJSON, Parquet. Faults are told with their place."""

from __future__ import annotations

import csv
import itertools
import sys
from codecs import BOM_UTF8
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.client.rows import MeasurementReader, RowReader
from engine.errors import ConfigError, WireError
from engine.wire.json_text import JsonObject
from engine.wire.message import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from engine.client.rows import Columns
    from engine.wire.item import Item

    Row = Mapping[str, object]
    Note = Callable[[str], None]

STDIN = Path("-")
PROBLEMS_MAX = 20
"""So many faults of a file are told; a file with more is wrong in some other way."""


def read_file(path: Path, columns: Columns, note: Note = lambda _: None) -> Iterator[Item]:
    """Every measurement of a file, in its order; the ending of its name tells its kind.

    ConfigError when the file cannot be read, or, at its end, with the place and reason of everything that the contract
    refuses: then what came before is not to be used either. `note` is told what else a reader should know.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError([f"{path}: expected a name ending in {', '.join(_READERS)}, found {path.suffix or 'none'}"])
    problems: list[str] = []
    try:
        yield from reader(path, columns, note, problems)
    except WireError as error:
        problems.append(f"{path}: {error.detail}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path}: expected a file that can be read, found: {error}")
    if problems:
        raise ConfigError(problems)


def sample_rows(path: Path, most: int) -> list[Row]:
    """The first rows of a file as they are, at most so many; ConfigError when it cannot be read."""
    return list(itertools.islice(raw_rows(path), most))


def raw_rows(path: Path) -> Iterator[Row]:
    """The rows of a file as they are, one by one; ConfigError when it cannot be read. `-`: CSV or NDJSON from standard
    input, as it comes.
    """
    raw = _raw_stdin if path == STDIN else _RAW.get(path.suffix.lower())
    if raw is None:
        raise ConfigError([f"{path}: expected a name ending in {', '.join(_RAW)}, found {path.suffix or 'none'}"])
    try:
        yield from raw(path)
    except UnicodeDecodeError as error:
        found = f"the byte 0x{error.object[error.start]:02x}"
        mend = f"write it anew, for instance with `iconv -f latin1 -t utf-8 {path.name}`"
        raise ConfigError([f"{path}: expected UTF-8, found {found}, which is none; {mend}"]) from None
    except WireError as error:
        raise ConfigError([f"{path}: {error.detail}"]) from error
    except (OSError, csv.Error) as error:
        raise ConfigError([f"{path}: expected a file that can be read, found: {error}"]) from error


def table_of(lines: Iterable[str]) -> csv.DictReader[str]:
    """A header and rows; the header shows what stands between columns: a comma, semicolon, tab or bar."""
    rest = iter(lines)
    header = list(itertools.islice(rest, 1))
    delimiter = max(",;\t|", key="".join(header).count)  # of equals the first
    return csv.DictReader(itertools.chain(header, rest), strict=True, restval="", delimiter=delimiter)


def _raw_csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from _rows_of_table(file)


def _rows_of_table(lines: Iterable[str]) -> Iterator[Row]:
    for row in (table := table_of(lines)):
        if None in row:
            raise WireError("columns", f"expected {len(row) - 1} columns, found more in line {table.line_num}")
        yield row


def _raw_ndjson(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        yield from _objects_of(file)


def _objects_of(lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield object_of(line)
            except WireError as error:
                raise WireError(error.reason, f"line {number}: {error.detail}") from error


def _raw_stdin(_: Path) -> Iterator[Row]:
    """NDJSON where the first line begins as an object does, else CSV."""
    lines = iter(sys.stdin.buffer.readline, b"")
    first = next(lines, b"").removeprefix(BOM_UTF8)
    whole = itertools.chain([first] if first else [], lines)
    if first.lstrip().startswith(b"{"):
        yield from _objects_of(whole)
    else:
        yield from _rows_of_table(line.decode() for line in whole)


def _raw_parquet(path: Path) -> Iterator[Row]:
    with opened_parquet(path) as table:
        for batch in table.iter_batches():
            yield from batch.to_pylist(maps_as_pydicts="strict")


_RAW = {".csv": _raw_csv, ".ndjson": _raw_ndjson, ".jsonl": _raw_ndjson, ".parquet": _raw_parquet}


def _csv(path: Path, columns: Columns, note: Note, problems: list[str]) -> Iterator[Item]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = table_of(file)
        reader = _reader(path, columns, table.fieldnames or (), note)
        yield from _items(path, reader, ((table.line_num, row) for row in table), problems)


def _ndjson(path: Path, columns: Columns, note: Note, problems: list[str]) -> Iterator[Item]:
    """Lines are objects of the contract and nothing else, or of any fields where options say which is what."""
    plain = not (columns.kpi or columns.time or columns.value or columns.dimensions or columns.id)
    with path.open("rb") as file:
        lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
        first = next(lines, None)
        if first is None:
            raise WireError("empty", "expected a JSON object a line, found none")
        reader: RowReader | MeasurementReader
        reader = MeasurementReader(columns) if plain else _reader(path, columns, object_of(first[1]), note)
        yield from _items(path, reader, itertools.chain([first], lines), problems)


def _parquet(path: Path, columns: Columns, note: Note, problems: list[str]) -> Iterator[Item]:
    with opened_parquet(path) as table:
        reader = _reader(path, columns, table.schema_arrow.names, note)
        row = 0
        for batch in table.iter_batches():
            rows = batch.to_pylist(maps_as_pydicts="strict")
            yield from _items(path, reader, enumerate(rows, row + 1), problems)
            row += len(rows)


@contextmanager
def opened_parquet(path: Path, dictionaries: Sequence[str] = ()) -> Iterator[Any]:
    """A Parquet file; WireError when it is none, ConfigError when the package that reads it is not there.

    Columns of strings that are named in `dictionaries` come as numbers of the strings that there are.
    """
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - large, and an optional dependency
    except ImportError:
        raise ConfigError(
            [f"{path}: reading Parquet needs pyarrow; install it with `pip install 'counterpoint-kpi[parquet]'`"]
        ) from None
    try:
        with parquet.ParquetFile(path, read_dictionary=[*dictionaries]) as table:
            yield table
    except ArrowException as error:
        raise WireError("not_parquet", f"expected Parquet, found: {error}") from error


_READERS = {".csv": _csv, ".ndjson": _ndjson, ".jsonl": _ndjson, ".parquet": _parquet}


def _reader(path: Path, columns: Columns, names: Iterable[str], note: Note) -> RowReader:
    reader = RowReader(columns, names)
    if reader.unused and not columns.only:
        note(f"{path}: not used: {', '.join(reader.unused)} (--dim NAME makes a column a dimension)")
    return reader


def _items(
    path: Path, reader: RowReader | MeasurementReader, rows: Iterable[tuple[int, Row | bytes]], problems: list[str]
) -> Iterator[Item]:
    for line, row in rows:
        if len(problems) >= PROBLEMS_MAX:
            return
        try:
            found = object_of(row) if isinstance(row, bytes) else row
            if not reader.passes_over(found):
                yield reader.read(found)
        except WireError as error:
            problems.append(f"{path}:{line}: {error.path}: {error.detail}")


def object_of(line: bytes) -> JsonObject:
    """The JSON object that a line is; WireError for anything else."""
    found = tree_of(line.strip())
    if not isinstance(found, JsonObject):
        raise WireError("not_an_object", "expected a JSON object a line")
    if found.duplicate is not None:
        raise WireError("duplicate_field", f"{found.duplicate!r} stands twice")
    return found
