"""The contenders that are not ours, each a process of its own over the topic of the run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from ingest_answer import Found, simple_answer
from ingest_findings import require_equal
from ingest_messages import KPI, host
from ingest_report import Span

from engine.model.identity import series_key
from engine.model.time import SECOND
from engine.wire.partition import owner

if TYPE_CHECKING:
    from ingest_load import Load
    from ingest_site import Site

_SECONDS = 600.0


def run_librdkafka(site: Site, load: Load) -> Span:
    """librdkafka's consume, to the end."""
    return _span(_told("librdkafka", site, sum(site.ends(site.measurements))), load.total)


def run_aiokafka(site: Site, load: Load) -> Span:
    """aiokafka's getmany, to the end."""
    return _span(_told("aiokafka", site, sum(site.ends(site.measurements))), load.total)


def run_faust(site: Site, load: Load, count: int) -> Span:
    """Faust over the first `count` measurements; what it found is checked against the simple answer for those."""
    told = _told("faust", site, min(count, load.total))
    found = [Found("high", what, name, minute * SECOND, mean) for what, name, minute, mean in told["found"]]
    require_equal(Counter(found), simple_answer(load, _first_of(load, told["taken"])))
    return _span(told, sum(told["taken"]))


def _first_of(load: Load, taken: list[int]) -> list[int]:
    """The places of the first measurements of each partition, so many of each as `taken` says, in log order."""
    owners = [owner(series_key(KPI, {"host": host(series)}).encode(), len(taken)) for series in range(load.hosts)]
    partition = np.array(owners)[load.series]
    return sorted(
        place for number, count in enumerate(taken) for place in np.flatnonzero(partition == number)[:count].tolist()
    )


def _told(name: str, site: Site, records: int) -> dict[str, Any]:
    script = Path(__file__).with_name(f"contend_{name}.py")
    with TemporaryDirectory(prefix="contend-") as folder:
        result = Path(folder, "result.json")
        done = subprocess.run(
            [
                *(sys.executable, str(script), "--bootstrap", site.bootstrap, "--topic", site.measurements),
                *("--partitions", str(site.partitions), "--records", str(records), "--result", str(result)),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert result.exists(), f"{name} ended with status {done.returncode}:\n{done.stderr[-4_000:]}"
        told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return told


def _span(told: dict[str, Any], messages: int) -> Span:
    return Span(messages, told["wall"], told["cpu"], told["peak_bytes"])
