"""The systemd units: systemd reads them, and their times and exit statuses are those of the workers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.model.time import SECOND
from engine.runtime.settings import Settings
from engine.stream.service import ENDING_GRACE
from engine.stream.watchdog import EXIT_STATUS

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))
WORKER, DELIVERY = "counterpoint.service", "counterpoint-deliver.service"
KNOWN_SECTIONS = ("Unit", "Service", "Install")
EXPOSURE_MAX = 2.0


def entries(unit: str) -> dict[str, list[str]]:
    """Every setting of a unit, in order."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / unit).read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_there_is_one_for_each_kind_of_worker():
    assert sorted((WORKER, DELIVERY)) == UNITS


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong_with_it(unit: str, tmp_path: Path):
    text = (FOLDER / unit).read_text("utf-8")
    assert tuple(re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)) == KNOWN_SECTIONS
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return  # what can be said without systemd is said by the other tests
    here = tmp_path / unit
    here.write_text(text.replace("/opt/counterpoint/bin/counterpoint", sys.executable), "utf-8")
    done = subprocess.run([analyze, "verify", "--man=no", here], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    done = subprocess.run(
        [analyze, "security", "--offline=true", f"--threshold={int(EXPOSURE_MAX * 10)}", here],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_it_is_started_again_after_a_failure_and_a_hang_but_not_after_wrong_usage(unit: str):
    found = entries(unit)
    assert found["Restart"] == ["on-failure"]
    assert found["RestartPreventExitStatus"] == ["2"]
    assert EXIT_STATUS not in {0, 2}


@pytest.mark.parametrize("unit", UNITS)
def test_it_has_time_to_finish_before_it_is_killed(unit: str):
    [seconds] = entries(unit)["TimeoutStopSec"]
    assert int(seconds.removesuffix("s")) * SECOND > Settings().drain_timeout + ENDING_GRACE


def test_reload_is_the_signal_that_reads_rules_again_and_the_kernels_may_be_compiled():
    found = entries(WORKER)
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert "MemoryDenyWriteExecute" not in found
    [cache] = found["Environment"]
    assert cache == f"NUMBA_CACHE_DIR=/var/cache/{found['CacheDirectory'][0]}"


def test_the_delivery_worker_keeps_its_name_and_shares_a_machine_with_a_worker():
    found = entries(DELIVERY)
    [command] = found["ExecStart"]
    assert command.endswith(" deliver --delivery delivery.yaml --http-port 9465")
    assert f"--http-port {Settings().http_port}" not in command
    assert found["Environment"] == ["COUNTERPOINT_GROUP_INSTANCE_ID=deliver-%H"]
