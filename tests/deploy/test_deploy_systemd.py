"""The systemd unit: systemd reads it, and its times and exit statuses are those of the worker."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from engine.model.time import SECOND
from engine.runtime.settings import Settings
from engine.stream.service import ENDING_GRACE
from engine.stream.watchdog import EXIT_STATUS

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "counterpoint.service"
KNOWN_SECTIONS = ("Unit", "Service", "Install")
EXPOSURE_MAX = 2.0


def entries() -> dict[str, list[str]]:
    """Every setting of the unit, in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path):
    text = UNIT.read_text("utf-8")
    assert tuple(re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)) == KNOWN_SECTIONS
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return  # what can be said without systemd is said by the other tests
    here = tmp_path / "counterpoint.service"
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


def test_it_is_started_again_after_a_failure_and_a_hang_but_not_after_wrong_usage():
    found = entries()
    assert found["Restart"] == ["on-failure"]
    assert found["RestartPreventExitStatus"] == ["2"]
    assert EXIT_STATUS not in {0, 2}


def test_it_has_time_to_finish_before_it_is_killed():
    [seconds] = entries()["TimeoutStopSec"]
    assert int(seconds.removesuffix("s")) * SECOND > Settings().drain_timeout + ENDING_GRACE


def test_reload_is_the_signal_that_reads_rules_again_and_the_kernels_may_be_compiled():
    found = entries()
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert "MemoryDenyWriteExecute" not in found
    [cache] = found["Environment"]
    assert cache == f"NUMBA_CACHE_DIR=/var/cache/{found['CacheDirectory'][0]}"
