"""The ingest benchmark at its smoke size, on a real Kafka: every row that is cheap runs, and its answers are right."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cpu_clock import CpuSampler, cpu_seconds

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker

SCRIPT = Path(__file__).with_name("bench_ingest.py")


@pytest.mark.kafka
@pytest.mark.slow
def test_the_smoke_size_runs_and_fills_the_page(kafka: KafkaBroker, tmp_path: Path):
    page = tmp_path / "performance.md"
    names = ("machine", "a", "curves", "profile")
    page.write_text("".join(f"before {name}\n<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in names))
    small = ("--messages", "20000", "--series", "500", "--runs", "1", "--faust-messages", "10000", "--partitions", "2")
    done = subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--bootstrap", kafka.bootstrap, "--only", "a", "foreign", "profile"),
            *(*small, "--codec", "lz4", "--into", str(page)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "old" not in text
    for what in ("Counterpoint, committed", "Faust", "getmany", "consume", "through `sources:`", "| decode |"):
        assert what in text
        assert what in done.stdout


def test_the_help_teaches_every_row_and_contender():
    done = subprocess.run([sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, check=True)
    for word in ("ours", "faust", "aiokafka", "librdkafka", "curves", "profile", "1m", "twenty", "foreign", "zstd"):
        assert word in done.stdout


def test_the_cpu_clock_of_another_process_tells_what_the_kernel_books_for_it():
    program = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
    with (
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
        CpuSampler(process.pid) as sampler,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        booked = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        used = cpu_seconds(process.pid)
        while sampler.at(time.time()).cpu < 0.5:
            time.sleep(0.01)
        process.communicate(b"\n")
    assert used >= 0.5
    assert booked == pytest.approx(used, abs=0.2)
    assert sampler.at(0.0).cpu < 0.5
    assert sampler.peak_bytes > 1_000_000
