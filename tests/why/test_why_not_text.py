"""What people read: one plain sentence first, then value, needed and since when; and what programs get."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from explain_world import RULES, history
from typer.testing import CliRunner

from engine.cli.main import app
from engine.errors import WireError
from engine.offline.why.named import Named, parse_series

if TYPE_CHECKING:
    from click.testing import Result

GOLDEN = Path(__file__).parent / "golden" / "answers.txt"
PAGE = Path(__file__).parents[2] / "docs" / "why-not.md"
ASKED = [
    "latency-above page=home --at 2024-03-13T10:20:00Z",
    "latency-above page=home --at 2024-03-13T11:20:00Z",
    "latency-above page=home --at 2024-03-13T12:20:00Z",
    "latency-above page=home --at 2024-03-13T13:20:00Z",
    "latency-above page=home --at 2024-03-13T16:20:00Z",
    "latency-above page=home --at 2024-03-14T06:00:00Z",
    "latency-above page=nix --at 2024-03-13T10:20:00Z",
    "latency-above 'orders{region=eu}' --at 2024-03-13T10:20:00Z",
    "latency-inside page=cart --at 2024-03-13T14:20:00Z",
    "latency-abov page=home",
    "orders-fall region=eu --at 2024-03-13T12:00:00Z",
    "orders-fall region=eu --at 2024-03-11T12:00:00Z",
    "orders-fall region=eu --at 2024-03-20T12:00:00Z",
    "orders-missing region=us --at 2024-03-13T12:00:00Z",
    "growth-paid-for region=eu --at 2024-03-13T12:00:00Z",
    "growth-paid-for region=eu --at 2024-03-22T12:00:00Z",
    "slow-and-odd page=home --at 2024-03-13T12:20:00Z",
    "latency-anywhere page=home --at 2024-03-13T11:20:00Z",
    "wait-shift desk=lasting --at 2024-03-20T12:00:00Z",
]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["why-not", *map(str, arguments)])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A fortnight of the shop."""
    path = tmp_path_factory.mktemp("shop") / "rows.ndjson"
    path.write_text("".join(json.dumps(msgspec.to_builtins(told)) + "\n" for _, told in history()[:3_000]), "utf-8")
    return ["--rules", str(RULES), "--input", str(path), "--ticks", "1h"]


def test_answers_are_those_of_the_golden_file(files: list[str], *, update_golden: bool):
    told = [
        f"$ counterpoint why-not {asked}\n{run(*shlex.split(asked), *files).output}".rstrip() + "\n\n"
        for asked in ASKED
    ]
    text = re.sub(r" +$", "", "".join(told), flags=re.MULTILINE)
    if update_golden:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_the_documentation_shows_what_comes_out():
    shown = re.findall(r"^```\n(\$ counterpoint why-not .*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(shown) >= 3
    answers = "".join(file.read_text("utf-8") for file in sorted(GOLDEN.parent.glob("*.txt")))
    for each in shown:
        assert each in answers


@pytest.mark.parametrize(
    ("at", "status", "gate"),
    [("2024-03-13T10:20:00Z", 0, "within_bounds"), ("2024-03-13T12:20:00Z", 3, None),
     ("2024-03-13T13:20:00Z", 3, "already_firing")],
)  # fmt: skip
def test_the_exit_status_says_whether_it_fires_and_json_has_the_same(
    at: str, status: int, gate: str | None, files: list[str]
):
    done = run("latency-above", "page=home", "--at", at, "--json", *files)
    assert done.exit_code == status
    told = json.loads(done.stdout)
    assert (told["gate"], told["rule"], told["series"]) == (gate, "latency-above", 'latency{"page":"home"}')


@pytest.mark.parametrize(
    "arguments",
    [["--rules", RULES], ["--input", "x.csv"], ["--at", "soon", "--rules", RULES, "--input", RULES.parent]],
)
def test_wrong_usage_exits_2(arguments: list[object]):
    assert run("latency-above", "page=home", *arguments).exit_code == 2


def test_a_series_is_named_by_its_key_or_in_short():
    wanted = Named("latency", {"page": "home", "zone": "eu"})
    for text in (
        'latency{"page":"home","zone":"eu"}',
        "latency{page=home, zone=eu}",
        "page=home,zone=eu",
        "{page=home,zone=eu}",
    ):
        assert parse_series(text, "latency") == wanted
    assert parse_series("latency", "orders") == Named("latency", {})
    assert parse_series("{}", None) == Named(None, {})


@pytest.mark.parametrize("text", ["latency{page=home", "latency{page}", 'latency{"page":1}', "=home"])
def test_what_names_no_series_is_refused(text: str):
    with pytest.raises(WireError, match="expected KPI"):
        parse_series(text, "latency")
