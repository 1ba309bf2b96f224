"""Slow twins of stage 1 and governance, and worlds of stage 2, backtests and explanations, have rooms of their own."""

from __future__ import annotations

import sys
from pathlib import Path

for room in ("correlate", "evaluate", "explain", "governance"):
    sys.path.insert(0, str(Path(__file__).parent.parent / room))
