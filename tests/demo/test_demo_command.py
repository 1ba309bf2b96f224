"""The demo as anybody runs it: embedded broker, a worker in its own process, the terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.model.topics import TRIGGERS
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise
from engine.simulate.scenarios.phantom_growth import PhantomGrowth

PACK = Path(__file__).resolve().parents[2] / "rules" / "phantom-growth"
SEED = 4711


def by_id(values: list[bytes]) -> dict[str, bytes]:
    return {msgspec.json.decode(value)["id"]: value for value in values}


@pytest.mark.slow
def test_the_demo_ends_well_and_says_byte_for_byte_what_the_stages_say_in_process(tmp_path: Path):
    out = tmp_path / "triggers.ndjson"
    options = ["--scenario", "phantom-growth", "--seed", str(SEED), "--partitions", "3", "--triggers-out", str(out)]
    ended = subprocess.run(
        [sys.executable, "-m", "engine", "demo", *options], capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    world = PhantomGrowth(SEED)
    outputs = replay(load_or_raise([PACK]), world.measurements()).outputs
    expected = by_id([output.record.value or b"" for output in outputs if output.topic == TRIGGERS])
    assert by_id(out.read_bytes().splitlines()) == expected
    text = " ".join(ended.stdout.split())
    for words in (f"seed {SEED}", "Traffic grows", f"{world.sick} paid for it", "0 dead letters", str(out.name)):
        assert words in text


def test_a_lift_that_there_is_not_is_wrong_usage():
    ended = subprocess.run(
        [sys.executable, "-m", "engine", "demo", "--scenario", "phantom-growth", "--lift", "0.9"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "0.4" in ended.stderr
