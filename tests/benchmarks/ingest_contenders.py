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

_SECONDS_MIN, _RATE_MIN = 120.0, 500
"""How long a contender may take: two minutes, and this many messages a second."""


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
    require_equal(Counter(found), simple_answer(load, _first_of(load, told["taken"], site.partitions)))
    return _span(told, sum(told["taken"].values()))


def _first_of(load: Load, taken: dict[str, int], partitions: int) -> list[int]:
    """The places, in log order, of the measurements that somebody has read who took so many of each host.

    Of each partition these are the first.
    """
    owners = [owner(series_key(KPI, {"host": host(series)}).encode(), partitions) for series in range(load.hosts)]
    read = Counter[int]()
    for series, partition in enumerate(owners):
        read[partition] += taken.get(host(series), 0)
    partition_of = np.array(owners)[load.series]
    return sorted(
        place for number, count in read.items() for place in np.flatnonzero(partition_of == number)[:count].tolist()
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
            timeout=_SECONDS_MIN + records / _RATE_MIN,
        )
        assert result.exists(), f"{name} ended with status {done.returncode}:\n{done.stderr[-4_000:]}"
        told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return told


def _span(told: dict[str, Any], messages: int) -> Span:
    return Span(messages, told["wall"], told["cpu"], told["peak_bytes"])
