"""The figures of the ingest benchmark, and the Markdown tables that stand in docs/performance.md."""

from __future__ import annotations

import statistics
from math import floor, log10
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Span(NamedTuple):
    """What a contender did in one run: messages, seconds of the clock and of CPU (all its threads), peak memory.

    `late_wall` and `late_cpu`: what of it passed between the last evaluation and the commit; ours alone.
    """

    messages: int
    wall: float
    cpu: float
    peak_bytes: int
    late_wall: float = 0.0
    late_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.wall

    @property
    def per_core(self) -> float:
        """Messages a second of CPU."""
        return self.messages / self.cpu


Runs = list[Span]
"""The spans of one contender, run by run."""

OURS = "ours"

NAMES = {
    OURS: "Counterpoint, committed",
    "faust": "Faust, agent and Table",
    "aiokafka": "aiokafka `getmany`, doing nothing",
    "librdkafka": "librdkafka `consume`, doing nothing",
}


def rounded(number: float) -> str:
    """Three digits that count: 4,010,000; 83,200; 1.85."""
    digits = 2 - floor(log10(abs(number))) if number else 0
    return f"{round(number, digits):,.{max(0, digits)}f}"


def spread(numbers: Sequence[float]) -> str:
    """Median, with least and most where there are several."""
    middle = rounded(statistics.median(numbers))
    return f"{middle} ({rounded(min(numbers))} to {rounded(max(numbers))})" if len(numbers) > 1 else middle


def contest_table(runs: Mapping[str, Runs]) -> str:
    """One line a contender; how many times as many messages a core-second ours makes, in the same run."""
    lines = [
        "| reader | messages | seconds | CPU seconds | messages/s | messages per core-second | ours makes |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, spans in runs.items():
        times = ""
        if name != OURS and OURS in runs:
            pairs = zip(runs[OURS], spans, strict=True)
            times = f"{spread([ours.per_core / other.per_core for ours, other in pairs])} times"
        lines.append(f"| {NAMES[name]} | {_common(spans)} | {times} |")
    if OURS in runs:
        lines += ["", _without_last_commit(runs[OURS])]
    return "\n".join(lines)


def _without_last_commit(spans: Runs) -> str:
    late = statistics.median(span.late_cpu / span.cpu for span in spans)
    evaluated = spread([span.messages / (span.cpu - span.late_cpu) for span in spans])
    return (
        f"Of ours {late:.0%} of the CPU passed between the last evaluation and the commit: mostly a checkpoint that "
        f"the benchmark does not let wait for its turn. Up to the last evaluation it is {evaluated} per core-second."
    )


def curve_table(runs: Mapping[str, Runs]) -> str:
    """One line a row of the curves; ours alone."""
    lines = [
        "| what | messages | seconds | CPU seconds | messages/s | per core-second | last commit | memory |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for title, spans in runs.items():
        late = statistics.median(span.late_cpu / span.cpu for span in spans)
        memory = max(span.peak_bytes for span in spans) / 1e6
        lines.append(f"| {title} | {_common(spans)} | {late:.0%} | {memory:,.0f} MB |")
    return "\n".join(lines)


def _common(spans: Runs) -> str:
    wall, cpu = (statistics.median(span[place] for span in spans) for place in (1, 2))
    rate, per_core = spread([span.rate for span in spans]), spread([span.per_core for span in spans])
    return f"{spans[0].messages:,} | {wall:.2f} | {cpu:.2f} | {rate} | {per_core}"


def put_into(page: Path, name: str, text: str) -> None:
    """Replace what stands in the page between `<!-- NAME -->` and `<!-- /NAME -->`; ValueError without such a place."""
    before, opening, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->")
    if not opening or not closing:
        raise ValueError(f"{page}: expected the lines <!-- {name} --> and <!-- /{name} -->, found none")
    page.write_text(f"{before}{opening}{text}\n{closing}{after}", encoding="utf-8")
