from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from engine.client.files import read_file
from engine.client.rows import Columns
from engine.errors import ConfigError
from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from pathlib import Path

FLIGHTS = Columns(
    kpi="flights.delay", time="when", value="late", dimensions={"origin": "from"}, zone=ZoneInfo("America/New_York")
)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path, columns: Columns | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        list(read_file(path, columns or Columns()))
    return [str(problem) for problem in caught.value.problems]


def test_columns_named_as_the_contract_need_no_options(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'kpi,time,value,dimensions,id\nk,1,2.5,"{""a"":""b""}",x\nk,2,3,,\n')
    first, second = read_file(path, Columns())
    assert (first.kpi, first.time, first.value, first.dimensions, first.id) == ("k", 1_000_000, 2.5, {"a": "b"}, "x")
    assert (second.dimensions, second.id) == ({}, None)


def test_options_name_columns_and_constants_and_the_zone(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "when,late,from\n2013-02-08 00:30:00,61,EWR\n2013-07-08,0,LGA\n")
    winter, summer = read_file(path, FLIGHTS)
    assert (winter.kpi, winter.dimensions, winter.value) == ("flights.delay", {"origin": "EWR"}, 61)
    assert winter.time == parse_own_time("2013-02-08T05:30:00Z")
    assert summer.time == parse_own_time("2013-07-08T04:00:00Z")


def test_an_id_may_be_several_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "kpi,time,value,carrier,number\nk,1,1,UA,17\n")
    (item,) = read_file(path, Columns(id=("carrier", "number")))
    assert item.id == "UA|17"


def test_every_fault_of_a_table_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "kpi,time,value\nk,1,nan\nk,1356998400000,1\nk,1,1\nk,2013-01-01T00:00:00,x\n")
    found = faults(path)
    assert [fault.split(": ")[0] for fault in found] == [f"{path}:2", f"{path}:3", f"{path}:5"]
    assert "milliseconds" in found[1]


def test_a_column_that_is_not_there_is_named_beside_those_that_are(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "kpi,time,amount\nk,1,1\n")
    (found,) = faults(path, Columns(dimensions={"origin": "from"}))
    assert "--dim from" in found
    assert "a column value (or --value)" in found
    assert "amount" in found


def test_columns_that_say_nothing_are_noted(tmp_path: Path) -> None:
    notes: list[str] = []
    path = written(tmp_path, "a.csv", "kpi,time,value,weather\nk,1,1,rain\n")
    list(read_file(path, Columns(), notes.append))
    assert ["weather" in note for note in notes] == [True]


def test_ndjson_lines_are_measurements_and_nothing_else(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "a.ndjson",
        '{"kpi":"k","time":1,"value":1}\n\n{"kpi":"k","time":1,"value":"1"}\n{"kpi":"k","vlue":1}\n',
    )
    found = faults(path)
    assert [fault.split(": ")[0] for fault in found] == [f"{path}:3", f"{path}:4"]
    assert "did you mean 'value'" in found[1]


def test_ndjson_of_other_fields_takes_the_same_options(tmp_path: Path) -> None:
    path = written(tmp_path, "a.ndjson", '{"when":"2013-01-01T00:00:00Z","late":3,"from":"EWR","more":1}\n')
    (item,) = read_file(path, FLIGHTS)
    assert (item.kpi, item.value, item.dimensions) == ("flights.delay", 3, {"origin": "EWR"})


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    text = written(tmp_path, "a.csv", "when,late,from\n2013-02-08 00:30:00,61,EWR\n2013-02-09 00:00:00,2,LGA\n")
    moments = pyarrow.array([1360283400, 1360368000], pyarrow.timestamp("s"))
    table = pyarrow.table({"when": moments, "late": [61, 2], "from": ["EWR", "LGA"]})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert list(read_file(tmp_path / "a.parquet", FLIGHTS)) == list(read_file(text, FLIGHTS))


@pytest.mark.parametrize(
    ("unit", "written_as"), [("s", "1360283400"), ("ms", "1360283400000"), ("us", "1360283400000000")]
)
def test_times_that_are_numbers_count_what_is_said(tmp_path: Path, unit: str, written_as: str) -> None:
    rows = written(tmp_path, "a.csv", f"when,late,from\n{written_as},61,EWR\n")
    lines = written(tmp_path, "a.ndjson", f'{{"when": {written_as}, "late": 61, "from": "EWR"}}\n')
    columns = FLIGHTS._replace(zone=None, time_unit=unit)
    assert [item.time for path in (rows, lines) for item in read_file(path, columns)] == [1360283400000000] * 2


def test_with_only_what_is_named_other_columns_mean_nothing_and_empty_values_are_passed_over(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "a.csv",
        "k,when,late,id,source,revision,provenance\nx,1,5,7,them,odd,odd\nx,2,,8,them,odd,odd\nx,3,NA,9,them,odd,odd\n",
    )
    columns = Columns(kpi="k", time="when", value="late", only=True, constants=("kpi",))
    notes: list[str] = []
    [item] = read_file(path, columns, notes.append)
    assert (item.kpi, item.id, item.source, item.revision, notes) == ("k", None, None, 0, [])
    assert "--value early" in faults(path, columns._replace(value="early"))[0]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert "expected a name ending in .csv" in faults(written(tmp_path, "a.xlsx", ""))[0]


def test_what_is_not_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert "expected Parquet" in faults(written(tmp_path, "a.parquet", "PAR1 it is not"))[0]
