"""Nothing is left to compile when the first message comes, and kernels run where they cannot be kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

WORLDS = """
import json, sys
from engine.kernels._jit import KERNELS
from engine.kernels.warm import warm
from engine.simulate.run import simulate
from sim_stages import stages_subject

warm()
before = [len(kernel.signatures) for kernel in KERNELS]
for seed in range(8):
    simulate(seed, stages_subject)
names = [f"{kernel.py_func.__module__}.{kernel.__name__}" for kernel in KERNELS]
print(json.dumps({
    "called": [name for name, count in zip(names, before, strict=True) if count],
    "compiled later": [
        name for name, count, kernel in zip(names, before, KERNELS, strict=True) if len(kernel.signatures) > count
    ],
}))
"""

NOWHERE = """
from numba.core.caching import CacheImpl
CacheImpl._locator_classes = []  # what numba finds where nothing can be written
from engine.kernels import _jit

@_jit.jit
def double(number):
    return 2 * number

print(double(21), double.stats.cache_path, len(_jit.KERNELS))
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_after_warming_neither_stage_compiles_anything():
    said = run(WORLDS)
    assert '"engine.kernels.ingest.ingest"' in said
    assert '"engine.kernels.ticks.tick"' in said
    assert '"engine.kernels.scan.scan.scan"' in said
    assert '"compiled later": []' in said


def test_where_no_cache_can_be_kept_kernels_are_compiled_all_the_same():
    assert run(NOWHERE) == "42 None 1\n"
