"""CUSUM: what scores exceed their slack by, added up (Page 1954; Montgomery, Introduction to Statistical Quality
Control, chapter 9). A sum that begins above zero is the head start of Lucas & Crosier (1982).
"""

from __future__ import annotations

from engine.kernels._jit import jit


@jit
def cusum(total: float, score: float, slack: float) -> float:
    """The upper sum after one more score; the lower sum takes the score with the other sign."""
    return max(0.0, total + score - slack)


@jit
def jump(score: float, slack: float, memory: float, most: float) -> float:
    """What a shift that begins with this score is worth, at most `most`.

    Where each deviation keeps the share `memory` of the one before, a lasting shift shows in full only in the first
    score and then with 1 - memory of it; the likelihood ratio of such a step weighs the first score accordingly.
    """
    return min((score - slack / (1.0 - memory)) / (1.0 - memory), most)
