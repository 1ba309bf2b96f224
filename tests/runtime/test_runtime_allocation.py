"""Memory that was used and freed, in processes of their own."""

from __future__ import annotations

import subprocess
import sys

BLOCKS = 200
SCRIPT = f"""
import resource
from engine.runtime.allocation import keep_freed_memory
if {{}}:
    keep_freed_memory()
kept = [bytes(4 << 20) + b"x" for _ in range(4)]
del kept
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({BLOCKS}):
    block = bytes(4 << 20) + b"x"
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, kept: bool) -> int:
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(kept)], check=True, capture_output=True, text=True)
    return int(done.stdout)


def test_freed_megabytes_are_used_again_without_being_cleared_anew():
    """A page of 4 KiB that goes back to the system costs a fault when it is used again."""
    assert faults(kept=True) < BLOCKS < faults(kept=False)
