"""Series for the twins of kernels: segments, each with a level, a slope and noise, and gaps between windows."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

Segment = tuple[int, float, float, float]


def segments_of(longest: int) -> st.SearchStrategy[list[Segment]]:
    """Up to six of at most so many windows."""
    level, slope, noise = [0.0, 3.0, -8.0, 40.0], [0.0, 0.0, 0.3], [0.0, 1.0, 5.0]
    segment = st.tuples(st.integers(1, longest), st.sampled_from(level), st.sampled_from(slope), st.sampled_from(noise))
    return st.lists(segment, min_size=1, max_size=6)


def series(drawn: list[Segment], seed: int, offset: float, gaps: float) -> list[tuple[int, float]]:
    """(index, value) of each window; after the share `gaps` of them some are left out."""
    chance, index, made = Random(seed), 1_000, []
    for length, level, slope, noise in drawn:
        for place in range(length):
            index += 1 + (chance.random() < gaps) * chance.randint(1, 40)
            made.append((index, offset + level + slope * place + round(chance.gauss(0, noise), 3)))
    return made
