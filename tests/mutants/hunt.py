"""Runs seeds of the simulator until one fails: `python hunt.py SUBJECT SEEDS PACKAGE`. Exit status 3: found; 0: not.

What the copy of the package has not, the compiled kernels, comes from PACKAGE.
"""

from __future__ import annotations

import sys
from importlib import import_module

import engine

FOUND = 3
SUBJECTS = {"toy": ("sim_toy", "toy_subject"), "stages": ("sim_stages", "stages_subject")}


def hunt(subject: str, seeds: int) -> int:
    from engine.simulate.run import SimulationError, simulate  # noqa: PLC0415 - it imports the kernels

    module, name = SUBJECTS[subject]
    make_subject = getattr(import_module(module), name)
    for seed in range(seeds):
        try:
            simulate(seed, make_subject)
        except SimulationError as error:
            sys.stdout.write(f"found by seed {seed}: {str(error)[:300]}\n")
            return FOUND
    sys.stdout.write(f"not found by {seeds} seeds\n")
    return 0


if __name__ == "__main__":
    engine.__path__.append(sys.argv[3])
    sys.exit(hunt(sys.argv[1], int(sys.argv[2])))
