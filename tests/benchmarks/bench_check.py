"""How long `counterpoint check` takes: the shipped packs, and a thousand rules of sixteen lines.

python tests/benchmarks/bench_check.py
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from engine.rules.loader import load

ROOT = Path(__file__).parents[2]
BASE = ROOT / "tests" / "golden" / "base.yaml"
RULE = """---
kind: rule
id: rule-{number}
title: Too many tickets at site {number}
kpi: support.tickets
where: {{site: s{number}}}
condition:
  threshold:
    above: {number}.5
for: 5m
severity: warning
owner: ops
review:
  due_in: 1d
  question: Who is missing?
  participants: [ops]
"""


def write_rules(folder: Path, count: int) -> Path:
    """A file of so many rules beside what they rest on."""
    file = folder / "rules.yaml"
    rules = "".join(RULE.format(number=number) for number in range(count))
    file.write_text(BASE.read_text("utf-8") + rules, "utf-8")
    return file


def seconds_of(paths: list[Path], runs: int) -> list[float]:
    """Of so many runs; RuntimeError when something is wrong with the rules."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        loaded = load(paths, tests=True)
        taken.append(time.perf_counter() - started)
        if loaded.rule_set is None or any(problem.code == "shadowed-rule" for problem in loaded.problems):
            raise RuntimeError("\n".join(map(str, loaded.problems)))
    return sorted(taken)


def main(arguments: list[str] | None = None) -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            f"{given.rules} rules": [write_rules(Path(folder), given.rules)],
            "the shipped packs": [ROOT / "rules"],
        }
        for name, paths in cases.items():
            taken = seconds_of(paths, given.runs)
            sys.stdout.write(f"{name}: {taken[len(taken) // 2]:.2f} s ({taken[0]:.2f} to {taken[-1]:.2f})\n")


if __name__ == "__main__":
    main()
